# Run by courant_embed at build time. Raw string literals end at 64 KiB in some compilers, so a file is cut into pieces.
cmake_minimum_required(VERSION 3.25)
set(declarations "")
set(definitions "")
foreach(file IN LISTS FILES)
  cmake_path(GET file STEM name)
  string(MAKE_C_IDENTIFIER "${name}" name)
  file(READ ${file} text)
  string(LENGTH "${text}" length)
  set(literal "")
  set(offset 0)
  while(offset LESS length)
    string(SUBSTRING "${text}" ${offset} 8000 piece)
    string(APPEND literal "\n    R\"embed(${piece})embed\"")
    math(EXPR offset "${offset} + 8000")
  endwhile()
  if(length EQUAL 0)
    set(literal "\"\"")
  endif()
  string(APPEND declarations "extern const std::string_view ${name};\n")
  string(APPEND definitions "const std::string_view ${name} = ${literal};\n")
endforeach()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "// Generated from files by cmake/Embed.cmake.
#pragma once

#include <string_view>

namespace courant::@NAMESPACE@ {
@declarations@}
" @ONLY)
file(WRITE ${SOURCE} "// Generated from files by cmake/Embed.cmake.\n#include \"${INCLUDE}\"\n\nnamespace courant::${NAMESPACE} {\n${definitions}}\n")
