// What owners of callbacks see and ask for, in PostgreSQL. Whichever process is asked writes the wishes into the
// subscription and leaves a change; the process that owns the subscription's shard looks for changes and takes them up.
// Threads: database threads; immutable.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "hub/store.h"
#include "hub/topic_insight.h"
#include "kernel/digest.h"
#include "sql/database.h"

namespace courant::hub {

enum class ChangeKind {
  kSettings,  // its wishes or secrets are others now
  kReplay,    // it is to go on from `position`
  kTest,      // a test is to be sent
  kFilter,    // its topic is to be another from `position` on
  kArrival,   // it has come from another shard, with another topic
  kEnd,       // an operator has ended it
};
std::string_view name_of(ChangeKind kind);  // "settings", ...

struct Change {
  std::int64_t number = 0;
  std::int64_t shard = 0;
  std::int64_t subscription = 0;
  ChangeKind kind = ChangeKind::kSettings;
  std::optional<std::int64_t> position;
  std::string topic;  // of kFilter: canonical
  std::string self;
  std::optional<Subscription> changed;  // of kSettings and kArrival: as it is now
};

struct OwnedSubscription {
  Subscription subscription;
  std::vector<std::string> waiting;  // kinds of changes that are not taken up yet, oldest first
};

class OwnerStore {
 public:
  explicit OwnerStore(const Store& store) : store_(store) {}

  // nullopt: no subscription has that capability.
  std::optional<OwnedSubscription> find(sql::Session& session, const Sha256& capability) const;

  // Wishes of the subscription that has a capability. Where none has it, nothing happens.
  void set_paused(sql::Session& session, const Sha256& capability, bool is_paused) const;
  void set_pace(sql::Session& session, const Sha256& capability, std::int64_t documents_per_minute,
                std::chrono::seconds gather) const;
  // The secret of before signs beside the new one until old_until; nullopt: no longer.
  void set_secret(sql::Session& session, const Sha256& capability, const std::string& secret,
                  std::optional<Instant> old_until) const;
  void retire_secret(sql::Session& session, const Sha256& capability) const;

  // One of each kind waits at most: a newer one replaces it.
  void ask(sql::Session& session, const Sha256& capability, ChangeKind kind,
           std::optional<std::int64_t> position = std::nullopt, const NamedTopic& topic = {}) const;
  bool has_subscription(sql::Session& session, const Topic& topic, const std::string& callback,
                        std::int64_t shards) const;

  // For the owner of the shards, oldest first, changes of filters last.
  std::vector<Change> due(sql::Session& session, const std::vector<std::int64_t>& shards) const;
  void settle(sql::Session& session, const std::vector<std::int64_t>& changes) const;
  // Gives the subscription its other topic, with which it comes to another shard. False: its callback is subscribed to
  // that one already, or the shard has another owner.
  bool change_topic(sql::Session& session, ShardEpoch owner, const Change& change, const Subscription& subscription,
                    std::int64_t shards) const;

 private:
  const Store& store_;
};

}  // namespace courant::hub
