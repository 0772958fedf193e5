// Waiting for a state.
// Threads: any.
#pragma once

#include <chrono>

#include <poll.h>
#include <time.h>

#include "tests/support/patience.h"

namespace courant::test {

// Until it holds; false: it does not in that time. pause: between two looks, less than a second.
template <class Condition>
bool wait_until(Condition holds, std::chrono::nanoseconds patience = kPatience,
                std::chrono::nanoseconds pause = std::chrono::milliseconds(1)) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  const timespec rest{0, pause.count()};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    ::ppoll(nullptr, 0, &rest, nullptr);  // those that are waited for need the processor more
  }
  return true;
}

}  // namespace courant::test
