// What operators see of subscriptions and do with them, by number. As with owners (hub/owner_store.h) the process that
// owns a subscription's shard takes it up, with its next look for changes. Secrets are neither read nor shown, and of a
// callback's URL no query, in which its owner may have one.
// Threads: database threads; pure functions of the session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/time.h"
#include "sql/database.h"

namespace courant::hub {

struct ListedSubscription {
  std::int64_t number = 0;
  std::string feed;      // "demo/events"; empty: the topic is of another server, or deleted
  std::string topic;     // as its subscriber wrote it
  std::string callback;  // without a query
  std::string identity;  // who subscribed
  std::string state;     // "delivering", "paused" or "failing"
  Instant verified;
  Instant lease_until;
  std::int64_t position = 0;  // everything up to it has been delivered
  std::int64_t floor = 0;     // positions up to here are not kept any more
  std::int64_t head = 0;      // of the feed; 0 where there is none
  std::int64_t failures = 0;  // since the last success
  std::optional<Instant> next_attempt;
};

struct SubscriptionQuery {
  std::string topic;  // as a subscriber wrote it, or a feed, "demo/events"; empty: any
  std::string state;  // as above; empty: any
  std::int64_t after = 0;
  std::int64_t limit = 100;
};

std::vector<ListedSubscription> list_subscriptions(sql::Session& session, const SubscriptionQuery& query);
std::optional<ListedSubscription> find_subscription(sql::Session& session, std::int64_t number);

// False: there is no such subscription.
bool pause_subscription(sql::Session& session, std::int64_t number, bool is_paused);
bool test_subscription(sql::Session& session, std::int64_t number);
// position: after which it goes on; from the floor to where it stands.
bool replay_subscription(sql::Session& session, std::int64_t number, std::int64_t position);
bool remove_subscription(sql::Session& session, std::int64_t number);

}  // namespace courant::hub
