// Whether an io thread has more to do than is good for those who ask it, so that they are told to come later: it was at
// work for most of the time that it has last looked at, or much waits for the threads of the database. Looked at once a
// second, so that what is told changes seldom.
// Specification: docs/API.md ("Waiting", Poll-Interval).
// Threads: its io thread's own.
#pragma once

#include <chrono>

#include "kernel/time.h"

namespace courant::feeds {

class Load {
 public:
  bool is_due(Ticks now) const { return now >= looked_ + kBetween; }

  // used: what the thread has had of the processor since it began. is_database_behind: at this moment.
  void look(Ticks now, std::chrono::nanoseconds used, bool is_database_behind);

  bool is_high() const { return is_high_; }

 private:
  static constexpr std::chrono::seconds kBetween{1};

  Ticks looked_{};
  std::chrono::nanoseconds used_{0};
  bool has_looked_ = false;
  bool is_high_ = false;
};

}  // namespace courant::feeds
