// Threads that give way to others: on Linux each has a niceness of its own.
// Threads: the calling one.
#pragma once

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace courant {

// niceness: 1 to 19; the more, the less it gets where others want the processor.
inline void give_way(int niceness) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), niceness);
}

// Whoever wakes this thread is not interrupted by it where all processors are busy: a thread that reads a long answer
// piece by piece then wakes when all of it is there, not once for each piece.
inline void wake_without_haste() {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
}

}  // namespace courant
