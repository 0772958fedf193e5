# courant_module(NAME [sources...] LINK libraries...): one static library per folder, `courant_NAME`.
function(courant_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK;PRIVATE")
  add_library(courant_${name} STATIC ${arg_SOURCES})
  target_link_libraries(courant_${name} PUBLIC courant_options ${arg_LINK} PRIVATE ${arg_PRIVATE})
endfunction()

# courant_test(NAME SOURCES... LINK...): one test binary. LABELS unit|db|contract|functional|conformance decide what scripts/test runs
# where. SHARDS N: N ctest entries that share its tests out, NAME_1 ... NAME_N, so that those that wait overlap.
# What the tests of a label need is built by the target tests_<label>.
function(courant_needed_by_tests target label)
  if(NOT TARGET tests_${label})
    add_custom_target(tests_${label})
  endif()
  add_dependencies(tests_${label} ${target})
endfunction()

function(courant_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT;SHARDS" "SOURCES;LINK;LABELS;FIXTURES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} courant_options courant_test_main)
  # What is tested is optimised, the tests themselves are not: they would take four times as long to compile.
  target_compile_options(${name} PRIVATE "$<$<CONFIG:RelWithDebInfo>:-O0;-g1>")
  courant_needed_by_tests(${name} ${arg_LABELS})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(NOT arg_SHARDS)
    set(arg_SHARDS 1)
  endif()
  # security_<name>: the tests of it that belong to the security suite.
  set(security "${security_${name}}")
  if(security STREQUAL "*")
    courant_test_entries(${name} "${name}" "*" "${arg_LABELS};security")
  elseif(security)
    courant_test_entries(${name} "${name}" "-${security}" "${arg_LABELS}")
    courant_test_entries(${name} "security_${name}" "${security}" "${arg_LABELS};security")
  else()
    courant_test_entries(${name} "${name}" "*" "${arg_LABELS}")
  endif()
endfunction()

# What ctest runs of a test binary: the tests that a filter takes, in shards. For courant_test, by whose arguments it goes.
function(courant_test_entries name entries filter labels)
  foreach(shard RANGE 1 ${arg_SHARDS})
    set(entry ${entries})
    if(arg_SHARDS GREATER 1)
      set(entry ${entries}_${shard})
    endif()
    math(EXPR index "${shard} - 1")
    add_test(NAME ${entry} COMMAND ${name} --gtest_brief=1 --gtest_filter=${filter})
    set_tests_properties(${entry} PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT}
                         ENVIRONMENT "GTEST_TOTAL_SHARDS=${arg_SHARDS};GTEST_SHARD_INDEX=${index};COURANT_TEST_ENTRY=${entry}")
    if(arg_FIXTURES)
      set_tests_properties(${entry} PROPERTIES FIXTURES_REQUIRED "${arg_FIXTURES}")
    endif()
  endforeach()
endfunction()
