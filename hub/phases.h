// What the subscriptions of this process are about: counted, and those that are not idle listed.
// Threads: the hub's loop.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hub/live.h"
#include "kernel/metrics.h"

namespace courant::hub {

class Phases {
 public:
  explicit Phases(Metrics& metrics);

  void add(const LivePtr& live);  // an idle one
  // It is gone: nothing of it is counted any more, whatever phase it enters.
  void remove(const LivePtr& live);
  void enter(const LivePtr& live, Phase phase);

  std::int64_t count(Phase phase) const { return counts_[static_cast<std::size_t>(phase)]; }
  // Those that are not idle, in no order.
  const std::vector<LivePtr>& busy() const { return busy_; }

 private:
  void add_to_count(Phase phase, int amount);

  std::vector<LivePtr> busy_;  // each knows its place
  std::array<std::int64_t, kPhases.size()> counts_{};
  std::array<Gauge*, kPhases.size()> gauges_{};
};

}  // namespace courant::hub
