// Origins (scheme, host and port) to which no connection can be made: whatever is to be sent there is parked, and one
// item probes the origin from time to time, so that ten thousand callbacks on a dead host cost one attempt.
// Specification: docs/API.md ("The hub").
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hub/retry_law.h"
#include "kernel/time.h"

namespace courant::hub {

template <class Item>
class Unreachable {
 public:
  // law: the pauses before probes.
  explicit Unreachable(const RetryLaw& law) : law_(law) {}

  bool empty() const { return origins_.empty(); }
  std::size_t size() const { return origins_.size(); }

  // Whether an item may be sent; false: it is parked until it is given back by due() or answered().
  bool may_try(const std::string& origin, const Item& item) {
    const auto found = origins_.find(origin);
    if (found == origins_.end() || found->second.prober == item) return true;
    found->second.parked.insert(item);
    return false;
  }

  // It could not connect, and is parked: the pause until the next probe. Items that had been sent before this was known
  // count once. chance in [0, 1) spreads the pauses.
  std::chrono::milliseconds failed(const std::string& origin, const Item& item, Ticks now, double chance) {
    const auto [found, is_new] = origins_.try_emplace(origin);
    Origin& place = found->second;
    if (is_new || place.prober == item) {
      place.prober.reset();
      place.until = now + law_.pause(++place.failures, chance);
      probes_.emplace(place.until, origin);
    }
    place.parked.insert(item);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::max(place.until - now, Ticks::duration(0)));
  }

  // It can be reached: what was parked.
  std::vector<Item> answered(const std::string& origin) {
    const auto found = origins_.find(origin);
    if (found == origins_.end()) return {};
    std::vector<Item> parked(found->second.parked.begin(), found->second.parked.end());
    probes_.erase({found->second.until, origin});
    origins_.erase(found);
    return parked;
  }

  // When due() has something to give.
  std::optional<Ticks> next() const { return probes_.empty() ? std::nullopt : std::optional(probes_.begin()->first); }

  // One item for each origin that is to be probed now.
  std::vector<Item> due(Ticks now) {
    std::vector<Item> probers;
    while (!probes_.empty() && probes_.begin()->first <= now) {
      const auto found = origins_.find(probes_.begin()->second);
      probes_.erase(probes_.begin());
      Origin& place = found->second;
      if (place.parked.empty()) {
        origins_.erase(found);  // who comes next will see
        continue;
      }
      place.prober = *place.parked.begin();
      place.parked.erase(place.parked.begin());
      probers.push_back(*place.prober);
    }
    return probers;
  }

  // An item had nothing to send, or is not to be sent now: where it was to probe, another one does.
  void release(const std::string& origin, const Item& item, Ticks now) {
    const auto found = origins_.find(origin);
    if (found == origins_.end() || found->second.prober != item) return;
    found->second.prober.reset();
    found->second.until = now;
    probes_.emplace(now, origin);
  }

  // An item is gone.
  void remove(const std::string& origin, const Item& item, Ticks now) {
    release(origin, item, now);
    if (const auto found = origins_.find(origin); found != origins_.end()) found->second.parked.erase(item);
  }

 private:
  struct Origin {
    int failures = 0;
    std::optional<Item> prober;  // probes it now; nullopt: it is left alone until
    Ticks until{};
    std::unordered_set<Item> parked;
  };

  const RetryLaw& law_;
  std::map<std::string, Origin> origins_;
  std::set<std::pair<Ticks, std::string>> probes_;  // of the origins without a prober
};

}  // namespace courant::hub
