// How many there are already of what requests are limited by. To count a million subscriptions for each new one would
// cost more with each; so what was counted holds for a while, with what this process has added since, as long as it is
// far from the limit. Threads: any. No lock is held while it is counted.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "hub/store.h"
#include "kernel/time.h"

namespace courant::hub {

class KnownCounts {
 public:
  // Counts in the database up to the limits that it is given; a limit of 0: that number is not asked for.
  using Count = std::function<Counts(const Counts& limits)>;

  // What there is of what this request belongs to. `is_there` is only asked for along with numbers.
  Counts of(const NewRequest& request, const Counts& limits, Ticks now, const Count& count);
  // The request has been stored.
  void add(const NewRequest& request);

 private:
  struct Known {
    std::int64_t count = 0;
    Ticks until{};
  };
  static constexpr std::size_t kNumbers = 6;
  using Names = std::array<std::string, kNumbers>;
  static Names names_of(const NewRequest& request);

  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, Known> known_;
};

}  // namespace courant::hub
