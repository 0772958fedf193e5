// How the threads behave that work behind readers and publishers.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace courant::archive {

using LaneAndFeed = std::pair<std::int64_t, std::int64_t>;

inline constexpr std::chrono::milliseconds kDatabasePause{1000};  // while the database cannot be reached

inline constexpr int kNiceness = 10;  // of threads that work behind readers, publishers and the hub

}  // namespace courant::archive
