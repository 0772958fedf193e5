// What the hub keeps in PostgreSQL: subscriptions, requests and shards. A change of their progress names the epoch of
// its shard: a process that lost the shard changes nothing.
// Threads: database threads; immutable.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hub/subscription.h"
#include "kernel/result.h"
#include "kernel/sealed.h"
#include "sql/database.h"

namespace courant::hub {

struct ShardEpoch {
  std::int64_t shard = 0;
  std::int64_t epoch = 0;
  bool operator==(const ShardEpoch&) const = default;
};

using FeedName = std::pair<std::int64_t, std::int64_t>;  // lane and feed

struct KeptShards {
  std::vector<ShardEpoch> shards;  // that this process owns
  std::int64_t fair = 0;           // how many it should own
};

struct NewRequest {
  bool is_subscribe = true;
  Topic topic;
  std::string self;
  std::string callback;
  std::string callback_host;    // in its one spelling (http/url_host.h)
  std::string callback_domain;  // its registrable domain; of an address the address
  std::optional<std::string> secret;
  std::string identity;
  std::string client;  // the address that asks, or the network that counts as one
  std::chrono::seconds lease{0};
  std::optional<std::string> verify_token;
  bool renews = false;
  std::string owner = {};  // of the topic, whose quota counts (Quota::owner)
};

// How many there are already of what a request belongs to, counted no further than the limits; and the limits.
struct Counts {
  std::int64_t pending_of_client = 0;  // requests that wait for their verification
  std::int64_t pending = 0;            // of all
  std::int64_t of_topic = 0;           // subscriptions
  std::int64_t of_host = 0;
  std::int64_t of_domain = 0;
  std::int64_t of_client = 0;
  bool is_there = false;      // the request's own subscription: it adds none
  std::int64_t of_owner = 0;  // subscriptions, and requests for further ones; as a limit 0 is none
};

struct SavedProgress {
  ShardEpoch owner;
  std::int64_t number = 0;  // of the subscription
  Progress progress;
};

// A watch (hub/lookout.h) at the position where it is saved.
struct SavedWatch {
  ShardEpoch owner;
  std::int64_t lane = 0;
  std::int64_t feed = 0;
  std::int64_t number = 0;
  std::int64_t position = 0;
};

// Where the subscription of a topic and callback lies, and its request.
struct Place {
  std::int64_t shard = 0;
  Sha256 key;
};
Place place_of(const Topic& topic, const std::string& callback, std::int64_t shards);

class Store {
 public:
  // process: a name that no other process of this database has.
  Store(std::string process, Vault vault) : process_(std::move(process)), vault_(std::move(vault)) {}

  // Once before all else. A fault: the database's secrets are sealed with another key.
  Result<std::int64_t> open(sql::Session& session);  // how many shards there are

  KeptShards keep_shards(sql::Session& session, std::chrono::milliseconds lease) const;
  void release_shards(sql::Session& session, const std::vector<std::int64_t>& shards) const;
  void forget_process(sql::Session& session) const;

  Counts count(sql::Session& session, const NewRequest& request, std::int64_t shards, const Counts& limits) const;
  void put_request(sql::Session& session, const NewRequest& request, std::int64_t shards) const;
  // At most `per_domain` of each callback's registrable domain and `limit` in all; domains take turns.
  std::vector<PendingRequest> due_requests(sql::Session& session, const std::vector<std::int64_t>& shards,
                                           std::int64_t per_domain, std::int64_t limit) const;
  // was_tried: it counts as an attempt.
  void put_off_request(sql::Session& session, std::int64_t number, std::chrono::milliseconds pause,
                       bool was_tried) const;
  void drop_request(sql::Session& session, std::int64_t number) const;

  // capability: of the page that its callback was told (hub/capability.h). nullopt: the request was replaced meanwhile,
  // or the shard has another owner.
  std::optional<Subscription> confirm(sql::Session& session, std::int64_t request, ShardEpoch owner, Instant verified,
                                      Instant lease_until, std::int64_t cursor,
                                      const std::optional<Sha256>& capability = std::nullopt) const;
  // The ended subscription's number; nullopt: there was none, or as above.
  std::optional<std::int64_t> confirm_end(sql::Session& session, std::int64_t request, ShardEpoch owner) const;

  // nullopt: there is none of that number.
  std::optional<Subscription> find(sql::Session& session, std::int64_t shard, std::int64_t number) const;
  // First those that share a watch, beginning with the one that stands farthest behind. Their terms are
  // left out, as above.
  std::vector<Subscription> load(sql::Session& session, std::int64_t shard) const;
  void save(sql::Session& session, const std::vector<SavedProgress>& all) const;
  void save_watches(sql::Session& session, const std::vector<SavedWatch>& watches) const;
  // Of which somebody waits to hear how far their subscriptions have come (hub/confirmations.h).
  std::set<FeedName> asked_feeds(sql::Session& session) const;
  // Ends it where its lease is over by `lease_until`; false: it is not, or the shard has another owner.
  bool end(sql::Session& session, ShardEpoch owner, std::int64_t number, Instant lease_until) const;
  void renew(sql::Session& session, std::int64_t shard, std::int64_t number) const;

  // For hub/owner_store.h. The columns are those of load_subscriptions.sql.
  Subscription subscription_of(const sql::Row& row) const;
  std::uint64_t key_generation() const { return vault_.generation(); }
  std::string seal(const std::string& secret) const { return vault_.seal(secret); }
  const std::string& process() const { return process_; }

 private:
  const std::string process_;
  const Vault vault_;
};

}  // namespace courant::hub
