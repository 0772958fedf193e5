// How often credentials may be wrong that come from one address: enough for typing errors, too few for anything else.
// What is counted is bounded: beyond it addresses that are not known share one count.
// Threads: any; the lock is held for a look-up. Only who has failed comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "kernel/time.h"

namespace courant::access {

class FailureLimit {
 public:
  // most: failures of one address in a minute, before it is told to wait.
  explicit FailureLimit(std::int64_t most, std::size_t most_addresses = 10'000)
      : most_(most), most_addresses_(most_addresses) {}

  // Counts a failure. Where there were too many: after how long the address may fail again; at least a second.
  std::optional<std::chrono::seconds> failed(const std::string& address, Ticks now);

 private:
  struct Count {
    Ticks since;
    std::int64_t failures = 0;
  };

  const std::int64_t most_;
  const std::size_t most_addresses_;
  std::mutex mutex_;
  std::unordered_map<std::string, Count> counts_;  // guarded by mutex_
};

}  // namespace courant::access
