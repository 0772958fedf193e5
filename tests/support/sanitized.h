// Whether this is a build under a sanitizer, where everything takes many times as long, and what the sanitizer keeps
// for itself counts as memory as well.
// Threads: any.
#pragma once

#include <cstdlib>

namespace courant::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

// Whether that holds of the test itself or of the program under test (program.h).
inline bool is_sanitized() {
  return kIsSanitized || std::getenv("COURANT_PROGRAM") != nullptr;
}

}  // namespace courant::test
