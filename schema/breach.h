// What a document does that its grammar, or an assertion about it, does not allow; and where that stands in the bytes
// that it was read from.
// Threads: plain values, pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "schema/element.h"

namespace courant::schema {

struct Breach {
  std::size_t element = 0;  // which one, counted by start tags from 0, the root
  std::string name;         // its name, without prefix
  std::string rule;         // in words: "Expecting element region, got size"
};

struct Place {
  int line = 0;  // both from 1; 0: there are fewer elements
  int column = 0;
};

// Where the start tag of an element begins in the bytes of a document that has passed the door.
Place place_of(std::string_view bytes, std::size_t element);

}  // namespace courant::schema
