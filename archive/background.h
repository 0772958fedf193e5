// How the threads behave that work behind readers and publishers.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace courant::archive {

using LaneAndFeed = std::pair<std::int64_t, std::int64_t>;

inline constexpr std::chrono::milliseconds kDatabasePause{1000};  // while the database cannot be reached

// The calling thread gives way to others; on Linux a thread has a niceness of its own.
inline void run_behind_others() {
  constexpr int kNiceness = 10;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNiceness);
}

}  // namespace courant::archive
