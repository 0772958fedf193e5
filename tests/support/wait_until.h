// Waiting for a state.
// Threads: any.
#pragma once

#include <chrono>

#include <poll.h>

#include "tests/support/patience.h"

namespace courant::test {

// Until it holds; false: it does not in kPatience.
template <class Condition>
bool wait_until(Condition holds) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    ::poll(nullptr, 0, 1);  // those that are waited for need the processor more
  }
  return true;
}

}  // namespace courant::test
