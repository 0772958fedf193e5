// How often a feed moves, and so when it is worth to ask it again.
// Specification: docs/API.md ("Waiting", Poll-Interval).
// Threads: any; no lock.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>

#include "kernel/time.h"

namespace courant::feeds {

class Rhythm {
 public:
  // known_since: nothing is known of what moved before.
  explicit Rhythm(Ticks known_since) : last_(known_since.time_since_epoch().count()) {}

  // The feed has moved.
  void beat(Ticks now);

  // Seconds, one of few steps so that it seldom changes: half the time that it has been quiet, or half of what is usual
  // between moves where that is less; never more than `most`.
  std::chrono::seconds poll_interval(Ticks now, std::chrono::seconds most) const;

 private:
  static constexpr Ticks::rep kUnknown = std::numeric_limits<Ticks::rep>::max();

  std::atomic<Ticks::rep> last_;  // when it moved last, or was known first
  std::atomic<bool> has_moved_{false};
  std::atomic<Ticks::rep> mean_{kUnknown};  // of the times between moves; each new one counts a quarter
};

}  // namespace courant::feeds
