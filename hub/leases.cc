#include "hub/leases.h"

#include "kernel/log.h"

namespace courant::hub {
namespace {

constexpr std::chrono::seconds kPauseOfLeases{5};  // where the database could not be asked

// The next thing to do: to renew it at three quarters of its time where the hub does that, or to end it.
Instant due_of(const Subscription& subscription, Instant now) {
  const Instant renewal = subscription.verified + (subscription.lease_until - subscription.verified) * 3 / 4;
  return subscription.renews && renewal > now ? renewal : subscription.lease_until;
}

}  // namespace

void Leases::plan(const std::shared_ptr<const Subscription>& subscription) {
  plan_at(subscription, due_of(*subscription, loop_.clock.now()));
}

void Leases::plan_at(const std::shared_ptr<const Subscription>& subscription, Instant due) {
  forget(subscription->number);
  planned_.emplace(subscription->number, Planned{subscription, due});
  due_.emplace(due, subscription->number);
}

void Leases::forget(std::int64_t number) {
  const auto found = planned_.find(number);
  if (found == planned_.end()) return;
  due_.erase({found->second.due, number});
  planned_.erase(found);
}

http::Task<void> Leases::keep() {
  const Instant now = loop_.clock.now();
  while (!loop_.is_stopping && !due_.empty() && due_.begin()->first <= now) {
    const std::int64_t number = due_.begin()->second;
    due_.erase(due_.begin());
    const std::shared_ptr<const Subscription> subscription = planned_.at(number).subscription;
    const std::optional<ShardEpoch> owner = loop_.shards.held(subscription->shard);
    if (!owner) continue;  // planned again when its owner loads it
    const bool is_over = subscription->lease_until <= now;
    bool is_ended = false;
    bool is_done = true;
    try {
      const auto work = [this, number, shard = subscription->shard, owner, is_over, now](sql::Session& session) {
        if (is_over) return loop_.store.end(session, *owner, number, now);
        loop_.store.renew(session, shard, number);
        return false;
      };
      is_ended = co_await loop_.executor.run(work);
    } catch (const std::exception&) {
      is_done = false;
    }
    if (!planned_.contains(number)) continue;  // it has been ended otherwise, or is another process's now
    if (is_ended) {
      log_info("a subscription's lease is over", {{"subscription", number}});
      ended_(number);
    } else if (!is_done) {
      plan_at(subscription, now + kPauseOfLeases);
    } else if (!is_over) {
      plan_at(subscription, subscription->lease_until);
    }
  }
}

}  // namespace courant::hub
