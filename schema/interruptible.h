// Runs what libxml2 does and cannot be told to stop, for as long as it may take and no longer. A timer of the thread's
// processor time sends the thread a signal; what runs is left where it is, and all memory that it had is freed. So it
// may keep nothing beyond its end: what it makes in libxml2 it makes in libxml2's memory, and nothing that was there
// before points to that. Why not otherwise: docs/decisions/0016-schemas-and-stylesheets.md.
// Threads: any; the work runs on the caller's.
#pragma once

#include <chrono>

namespace courant::schema {

// Nothing is left while one of these is there: for what libxml2 calls in the middle of the work.
class NotNow {
 public:
  NotNow();
  ~NotNow();  // may not return
  NotNow(const NotNow&) = delete;
  NotNow& operator=(const NotNow&) = delete;
};

// Calls work(subject). False: it took more than `time` of the processor, and has not come to its end. The frames of
// what is left are not unwound: work has no destructors to run but of what NotNow guards.
bool run_interruptibly(std::chrono::milliseconds time, void (*work)(void* subject), void* subject);

}  // namespace courant::schema
