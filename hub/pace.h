// How often something may be done to each of many: on average so many times a second, after a pause what one second
// brings at once. A token bucket for each name, kept as the one instant at which it is full again.
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <unordered_map>

#include "kernel/time.h"

namespace courant::hub {

class Pace {
 public:
  explicit Pace(double per_second) { set_rate(per_second); }

  // per_second: more than 0.
  void set_rate(double per_second) {
    interval_ = std::chrono::duration_cast<Ticks::duration>(std::chrono::duration<double>(1 / per_second));
  }

  // Whether it may be done to this name now.
  bool has_turn(const std::string& name, Ticks now) const {
    const auto found = full_at_.find(name);
    return found == full_at_.end() || found->second - std::max(Ticks::duration(0), kSaved - interval_) <= now;
  }

  // It is done now.
  void take(const std::string& name, Ticks now) {
    forget_full(now);
    Ticks& full_at = full_at_[name];
    full_at = std::max(full_at, now) + interval_;
  }

  // How many names are remembered: those of the last second, or the last interval.
  std::size_t names() const { return full_at_.size(); }

 private:
  static constexpr Ticks::duration kSaved = std::chrono::seconds(1);  // longer intervals save up one turn

  void forget_full(Ticks now) {
    if (now < forgets_at_) return;
    std::erase_if(full_at_, [now](const auto& entry) { return entry.second <= now; });
    forgets_at_ = now + kSaved;
  }

  Ticks::duration interval_{};
  std::unordered_map<std::string, Ticks> full_at_;
  Ticks forgets_at_{};
};

}  // namespace courant::hub
