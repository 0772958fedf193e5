// Whether the process has more to do than is good for those who ask it, so that they are told to come later: one of its
// io threads was at work for most of the time that it has last looked at, or much waits for the threads of the
// database. Each thread looks once a second, so that what is told changes seldom. Specification: docs/API.md
// ("Waiting", Poll-Interval). Threads: a Load is all io threads'; a WorkedTime its own thread's.
#pragma once

#include <atomic>
#include <chrono>

#include "kernel/time.h"

namespace courant::feeds {

// How much of its time a thread is at work.
class WorkedTime {
 public:
  bool is_due(Ticks now) const { return now >= looked_ + kBetween; }

  // used: what the thread has had of the processor since it began. True: most of the time since the last look.
  bool look(Ticks now, std::chrono::nanoseconds used);

 private:
  static constexpr std::chrono::seconds kBetween{1};

  Ticks looked_{};
  std::chrono::nanoseconds used_{0};
  bool has_looked_ = false;
};

class Load {
 public:
  // A thread has seen that there is too much to do. That holds until it has had time to look again.
  void note_high(Ticks now) { high_until_.store((now + kHeld).time_since_epoch().count(), std::memory_order_relaxed); }

  bool is_high(Ticks now) const { return now.time_since_epoch().count() < high_until_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::chrono::seconds kHeld{2};

  std::atomic<Ticks::rep> high_until_{Ticks::min().time_since_epoch().count()};
};

}  // namespace courant::feeds
