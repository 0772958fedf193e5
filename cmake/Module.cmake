# courant_module(NAME [sources...] LINK libraries...): one static library per folder, `courant_NAME`.
function(courant_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK;PRIVATE")
  add_library(courant_${name} STATIC ${arg_SOURCES})
  target_link_libraries(courant_${name} PUBLIC courant_options ${arg_LINK} PRIVATE ${arg_PRIVATE})
endfunction()

# courant_test(NAME SOURCES... LINK...): one test binary, one ctest entry.
# LABELS unit|db|functional|conformance decide what scripts/test runs where.
function(courant_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LINK;LABELS;FIXTURES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} courant_options GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
  if(arg_FIXTURES)
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED "${arg_FIXTURES}")
  endif()
endfunction()
