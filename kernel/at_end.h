// Calls at the end of a scope, however it is left:
//   const AtEnd leaving{[this] { --active_; }};
// In a coroutine: when it ends, or is destroyed.
// Threads: one.
#pragma once

namespace courant {

template <class Call>
struct AtEnd {
  Call call;
  ~AtEnd() { call(); }
};
template <class Call>
AtEnd(Call) -> AtEnd<Call>;

}  // namespace courant
