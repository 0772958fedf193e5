# courant_embed(TARGET NAMESPACE name FILES...): compiles text files into TARGET.
# Each file becomes `std::string_view courant::NAMESPACE::<file name without ending>` declared in the
# generated header <NAMESPACE with / for ::>/embedded.h, so that SQL, grammars and stylesheets stay
# files of their own kind and still travel inside the binary.
function(courant_embed target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAMESPACE;HEADER" "FILES")
  set(header ${CMAKE_BINARY_DIR}/generated/${arg_HEADER})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${arg_NAMESPACE}.cc)
  string(REPLACE "::" "_" source "${source}")
  set(inputs)
  foreach(file IN LISTS arg_FILES)
    cmake_path(ABSOLUTE_PATH file OUTPUT_VARIABLE absolute)
    list(APPEND inputs ${absolute})
  endforeach()
  add_custom_command(
    OUTPUT ${source} ${header}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${inputs}" -DHEADER=${header} -DSOURCE=${source}
            -DINCLUDE=${arg_HEADER} -DNAMESPACE=${arg_NAMESPACE} -P ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/cmake/EmbedFiles.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${source} ${header})
  string(MAKE_C_IDENTIFIER "${arg_HEADER}" header_target)
  add_custom_target(${header_target} DEPENDS ${header})
  add_dependencies(${target} ${header_target})
endfunction()
