// A clock that stands still but for where the test moves it.
// Threads: one.
#pragma once

#include <chrono>

#include "kernel/time.h"

namespace courant::test {

class MovedClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::days(20'000)) + passed; }
  Ticks ticks() const override { return Ticks(std::chrono::hours(1)) + passed; }
  std::chrono::seconds passed{0};
};

}  // namespace courant::test
