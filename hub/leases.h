// Leases: of each subscription, when it is to be verified again (PubSubHubbub 0.3), and when it is over.
// Threads: the hub's loop.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include "hub/loop.h"
#include "hub/subscription.h"

namespace courant::hub {

class Leases {
 public:
  // ended: called with the number of each subscription that the database has ended because its lease is over.
  Leases(Loop& loop, std::function<void(std::int64_t number)> ended) : loop_(loop), ended_(std::move(ended)) {}

  // It is new, or has a new lease.
  void plan(const std::shared_ptr<const Subscription>& subscription);
  void forget(std::int64_t number);

  // Ends what has outlived its lease, and asks for the renewals that are due.
  http::Task<void> keep();

 private:
  struct Planned {
    std::shared_ptr<const Subscription> subscription;
    Instant due;
  };

  void plan_at(const std::shared_ptr<const Subscription>& subscription, Instant due);

  Loop& loop_;
  const std::function<void(std::int64_t number)> ended_;
  std::unordered_map<std::int64_t, Planned> planned_;  // by number
  std::set<std::pair<Instant, std::int64_t>> due_;     // of these, what is not being done now
};

}  // namespace courant::hub
