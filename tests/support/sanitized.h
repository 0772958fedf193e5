// Whether this is a build under a sanitizer, where everything takes many times as long, and what the sanitizer keeps
// for itself counts as memory as well.
// Threads: a constant.
#pragma once

namespace courant::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace courant::test
