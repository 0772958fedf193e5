// How many there are already of what requests are limited by. To count a million subscriptions for each new one would
// cost more with each; so what was counted holds for a while, with what this process has added since, as long as it is
// far from the limit. Threads: any. No lock is held while it is counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "hub/store.h"
#include "kernel/time.h"

namespace courant::hub {

// Requests that are judged at the same moment do not see each other: a limit may be passed by as many as there are
// threads of the hub's executors. Throws Problem 429, which says what there is too much of.
void refuse_beyond(const Counts& limits, const Counts& counts, bool is_subscribe);

// The same for a topic's quota: throws Problem 507.
void refuse_beyond(const Quota& quota, const Counts& counts, bool is_subscribe);

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

  std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, Known> known_;
};

}  // namespace courant::hub
