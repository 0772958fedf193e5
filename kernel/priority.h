// Threads that give way to others: on Linux each has a niceness of its own.
// Threads: the calling one.
#pragma once

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace courant {

// niceness: 1 to 19; the more, the less it gets where others want the processor.
inline void give_way(int niceness) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), niceness);
}

}  // namespace courant
