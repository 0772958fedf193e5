#include "hub/lost_access.h"

#include <tuple>
#include <utility>
#include <vector>

#include "hub/messages.h"
#include "kernel/log.h"

namespace courant::hub {
namespace {

constexpr const char* kReason = "access lost";
constexpr auto kAnyLease = std::chrono::hours(24 * 365 * 100);  // there is none so long

}  // namespace

http::Task<void> LostAccess::look() {
  const std::uint64_t revision = loop_.source.access_revision();
  const bool has_changed = std::exchange(revision_, revision) != revision;
  if (std::exchange(is_due_, false) || has_changed) find();
  if (lost_.empty() || std::exchange(is_ending_, true)) co_return;
  std::vector<std::int64_t> numbers;
  for (const auto& [number, subscription] : lost_) numbers.push_back(number);
  for (const std::int64_t number : numbers) {
    if (loop_.is_stopping) break;
    Subscription subscription = lost_.at(number);
    bool is_done = false;
    try {
      is_done = co_await end(std::move(subscription));
    } catch (const std::exception&) {
      // sql/ has logged why; it is tried again with the next heartbeat
    }
    if (!is_done) break;
    lost_.erase(number);
  }
  is_ending_ = false;
}

// Many have the same feed and the same subscriber: each pair is asked for once.
void LostAccess::find() {
  std::map<std::tuple<std::string, std::int64_t, std::int64_t>, bool> known;
  dispatcher_.visit([&](const Subscription& subscription) {
    const Topic& topic = subscription.topic;
    const auto [found, is_new] = known.try_emplace({subscription.identity, topic.lane, topic.feed}, true);
    if (is_new) found->second = loop_.source.still_allows(topic, subscription.identity);
    if (!found->second) lost_.emplace(subscription.number, subscription);
  });
  for (const auto& [number, subscription] : lost_) dispatcher_.forget(number);
}

// True: there is no more to do.
http::Task<bool> LostAccess::end(Subscription subscription) {
  const std::optional<ShardEpoch> owner = loop_.shards.held(subscription.shard);
  if (!owner) co_return true;  // its new owner looks
  const Instant any = loop_.clock.now() + kAnyLease;
  const auto work = [this, &subscription, owner, any](sql::Session& session) {
    return loop_.store.end(session, *owner, subscription.number, any);
  };
  const bool is_ended = co_await loop_.executor.run(work);
  if (is_ended) {
    log_info("a subscription has ended: its subscriber may not have the topic any more",
             {{"subscription", subscription.number}, {"identity", subscription.identity}});
    loop_.start(tell(std::move(subscription)));
  }
  co_return true;
}

http::Task<void> LostAccess::tell(Subscription subscription) {
  http::ClientRequest message =
      denial_request(subscription.callback, subscription.self, kReason, loop_.options.delivery_timeout);
  const http::ClientReply reply = co_await loop_.send(std::move(message));
  if (reply.outcome != http::ClientReply::Outcome::kAnswered) {
    log_info("a callback could not be told that its subscription has ended",
             {{"subscription", subscription.number}, {"outcome", http::outcome_name(reply.outcome)}});
  }
}

}  // namespace courant::hub
