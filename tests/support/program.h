// The program under test: that of the same build, or the one that COURANT_PROGRAM names, which is built with a
// sanitizer. So the tests themselves are compiled once for all builds of the program. Threads: any.
#pragma once

#include <cstdlib>
#include <string>

namespace courant::test {

inline std::string courant_program() {
  const char* const other = std::getenv("COURANT_PROGRAM");
  return other != nullptr ? other : COURANT_BINARY_DIR "/courant";
}

}  // namespace courant::test
