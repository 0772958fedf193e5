// When a failed delivery is tried again.
// Specification: docs/API.md ("The hub"); RFC 9110 section 10.2.3 (Retry-After).
// Threads: pure functions; immutable.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "kernel/time.h"

namespace courant::hub {

class RetryLaw {
 public:
  // pauses: before the first, second, ... new attempt; the last one repeats. At least one.
  explicit RetryLaw(std::vector<std::chrono::milliseconds> pauses) : pauses_(std::move(pauses)) {}

  // The pause after the failures-th failure in a row (from 1). chance in [0, 1) spreads it over 80 % to 120 %, so that
  // subscribers that failed together do not come back together.
  std::chrono::milliseconds pause(int failures, double chance) const;

 private:
  std::vector<std::chrono::milliseconds> pauses_;
};

// How long a Retry-After field asks to wait, seconds or a date, at most a day; nullopt: it says neither.
std::optional<std::chrono::milliseconds> retry_after(std::string_view field, Instant now);

}  // namespace courant::hub
