// Finds tags in the bytes of a document, before or beside its parsing.
// Specification: XML 1.0 sections 2.4 to 2.7, 3.1. What is not well-formed is read as far as it makes sense.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace courant::schema {

// Where the next '<' from `at` on stands that begins no comment, CDATA section or processing instruction; npos:
// nowhere.
std::size_t next_tag(std::string_view bytes, std::size_t at);

struct Tag {
  std::size_t end = 0;  // where its '>' stands; the end of the bytes where there is none
  int attributes = 0;   // and declarations
};

// The tag that begins at `at`: '>' may stand inside of attribute values.
Tag read_tag(std::string_view bytes, std::size_t at);

}  // namespace courant::schema
