#include "hub/known_counts.h"

namespace courant::hub {
namespace {

constexpr std::array<std::int64_t Counts::*, 6> kMembers = {&Counts::pending_of_client, &Counts::pending,
                                                            &Counts::of_topic,          &Counts::of_host,
                                                            &Counts::of_domain,         &Counts::of_client};
// Requests come and go, subscriptions stay. Other processes add to both meanwhile.
constexpr std::array<std::chrono::seconds, 6> kHolds = {std::chrono::seconds(1),  std::chrono::seconds(1),
                                                        std::chrono::seconds(60), std::chrono::seconds(60),
                                                        std::chrono::seconds(60), std::chrono::seconds(60)};
constexpr std::size_t kMostKnown = 10'000;

// Nine tenths: what other processes add meanwhile has room in the last one.
bool is_far_below(std::int64_t count, std::int64_t limit) {
  return count < limit - limit / 10;
}

}  // namespace

KnownCounts::Names KnownCounts::names_of(const NewRequest& request) {
  return {"p" + request.client,          "p",
          "t" + request.topic.canonical, "h" + request.callback_host,
          "d" + request.callback_domain, "c" + request.client};
}

Counts KnownCounts::of(const NewRequest& request, const Counts& limits, Ticks now, const Count& count) {
  const Names names = names_of(request);
  Counts known;
  Counts asked = limits;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < kNumbers; ++i) {
      const auto found = known_.find(names[i]);
      if (found == known_.end() || found->second.until <= now) continue;
      if (!is_far_below(found->second.count, limits.*kMembers[i])) continue;
      known.*kMembers[i] = found->second.count;
      asked.*kMembers[i] = 0;
    }
  }
  bool is_all_known = true;
  for (const auto member : kMembers) is_all_known = is_all_known && asked.*member == 0;
  if (is_all_known) return known;
  Counts counts = count(asked);
  const std::lock_guard lock(mutex_);
  if (known_.size() > kMostKnown) known_.clear();
  for (std::size_t i = 0; i < kNumbers; ++i) {
    if (asked.*kMembers[i] == 0) {
      counts.*kMembers[i] = known.*kMembers[i];
    } else {
      known_[names[i]] = {counts.*kMembers[i], now + kHolds[i]};
    }
  }
  return counts;
}

void KnownCounts::add(const NewRequest& request) {
  const std::lock_guard lock(mutex_);
  for (const std::string& name : names_of(request)) {
    if (const auto found = known_.find(name); found != known_.end()) ++found->second.count;
  }
}

}  // namespace courant::hub
