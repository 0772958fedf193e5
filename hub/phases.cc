#include "hub/phases.h"

#include <string>
#include <utility>

namespace courant::hub {

Phases::Phases(Metrics& metrics) {
  for (const Phase phase : kPhases) {
    gauges_[static_cast<std::size_t>(phase)] =
        &metrics.gauge("courant_hub_subscriptions", "Subscriptions that this process delivers, by what they are about",
                       {{"state", std::string(name_of(phase))}});
  }
}

void Phases::add(const LivePtr& live) {
  add_to_count(live->phase, 1);
}

void Phases::remove(const LivePtr& live) {
  enter(live, Phase::kIdle);
  add_to_count(Phase::kIdle, -1);
  live->is_gone = true;
}

void Phases::enter(const LivePtr& live, Phase phase) {
  const Phase before = live->phase;
  live->phase = phase;
  if (live->is_gone || before == phase) return;
  add_to_count(before, -1);
  add_to_count(phase, 1);
  if (before == Phase::kIdle) {
    live->busy_place = busy_.size();
    busy_.push_back(live);
  } else if (phase == Phase::kIdle) {
    busy_.back()->busy_place = live->busy_place;
    std::swap(busy_[live->busy_place], busy_.back());
    busy_.pop_back();
  }
}

void Phases::add_to_count(Phase phase, int amount) {
  const auto index = static_cast<std::size_t>(phase);
  counts_[index] += amount;
  gauges_[index]->set(static_cast<double>(counts_[index]));
}

}  // namespace courant::hub
