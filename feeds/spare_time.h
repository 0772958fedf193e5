// Turns at work that nobody waits for: one at a time, and at most a tenth of the time, so that it never slows others.
// Threads: any; no lock.
#pragma once

#include <atomic>

#include "kernel/time.h"

namespace courant::feeds {

class SpareTime {
 public:
  // False: somebody has the turn, or rests from it.
  bool take(Ticks now);

  // began: the work, after its turn was taken.
  void give_back(Ticks began, Ticks now);

 private:
  std::atomic<Ticks::rep> free_at_{0};  // the latest there is: somebody has the turn
};

}  // namespace courant::feeds
