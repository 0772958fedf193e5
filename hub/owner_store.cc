#include "hub/owner_store.h"

#include <algorithm>
#include <array>

#include "hub/queries.h"

namespace courant::hub {
namespace {

constexpr std::array kChangeNames = {"settings", "replay", "test", "filter", "arrival", "end"};

std::optional<ChangeKind> change_kind_named(std::string_view name) {
  const auto found = std::find(kChangeNames.begin(), kChangeNames.end(), name);
  if (found == kChangeNames.end()) return std::nullopt;
  return static_cast<ChangeKind>(found - kChangeNames.begin());
}

sql::Parameters of_capability(const Sha256& capability) {
  return std::move(sql::Parameters().add_bytes(bytes_of(capability)));
}

}  // namespace

std::string_view name_of(ChangeKind kind) {
  return kChangeNames[static_cast<std::size_t>(kind)];
}

std::optional<OwnedSubscription> OwnerStore::find(sql::Session& session, const Sha256& capability) const {
  const sql::Rows rows = session.run(queries::find_owned, of_capability(capability));
  if (rows.empty()) return std::nullopt;
  return OwnedSubscription{store_.subscription_of(rows[0]), rows[0].texts(26)};
}

void OwnerStore::set_paused(sql::Session& session, const Sha256& capability, bool is_paused) const {
  session.run(queries::set_paused, of_capability(capability).add(is_paused));
}

void OwnerStore::set_pace(sql::Session& session, const Sha256& capability, std::int64_t documents_per_minute,
                          std::chrono::seconds gather) const {
  const auto seconds = static_cast<std::int64_t>(gather.count());
  session.run(queries::set_pace, of_capability(capability).add(documents_per_minute).add(seconds));
}

void OwnerStore::set_secret(sql::Session& session, const Sha256& capability, const std::string& secret,
                            std::optional<Instant> old_until) const {
  sql::Parameters parameters = of_capability(capability);
  parameters.add_bytes(store_.seal(secret));
  if (old_until) {
    parameters.add(*old_until);
  } else {
    parameters.add_null();
  }
  session.run(queries::set_secret, parameters);
}

void OwnerStore::retire_secret(sql::Session& session, const Sha256& capability) const {
  session.run(queries::retire_secret, of_capability(capability));
}

void OwnerStore::ask(sql::Session& session, const Sha256& capability, ChangeKind kind,
                     std::optional<std::int64_t> position, const NamedTopic& topic) const {
  sql::Parameters parameters = of_capability(capability);
  parameters.add(name_of(kind));
  if (position) {
    parameters.add(*position);
  } else {
    parameters.add_null();
  }
  parameters.add(topic.topic.canonical).add(topic.self);
  session.run(queries::put_change, parameters);
}

bool OwnerStore::has_subscription(sql::Session& session, const Topic& topic, const std::string& callback,
                                  std::int64_t shards) const {
  const Place place = place_of(topic, callback, shards);
  sql::Parameters parameters;
  parameters.add(place.shard).add_bytes(bytes_of(place.key));
  return session.run(queries::has_subscription, parameters)[0].boolean(0);
}

std::vector<Change> OwnerStore::due(sql::Session& session, const std::vector<std::int64_t>& shards) const {
  const sql::Rows rows = session.run(queries::due_changes, sql::Parameters().add(shards));
  std::vector<Change> due;
  for (int i = 0; i < rows.size(); ++i) {
    const sql::Row row = rows[i];
    const std::optional<ChangeKind> kind = change_kind_named(row.text(3));
    if (!kind) continue;  // of a newer program, which takes it up
    Change& change = due.emplace_back();
    change.number = row.integer(0);
    change.shard = row.integer(1);
    change.subscription = row.integer(2);
    change.kind = *kind;
    if (!row.is_null(4)) change.position = row.integer(4);
    if (!row.is_null(5)) change.topic = row.text(5);
    if (!row.is_null(6)) change.self = row.text(6);
    if (*kind != ChangeKind::kSettings && *kind != ChangeKind::kArrival) continue;
    change.changed = store_.find(session, change.shard, change.subscription);
  }
  return due;
}

void OwnerStore::settle(sql::Session& session, const std::vector<std::int64_t>& changes) const {
  session.run(queries::settle_changes, sql::Parameters().add(changes));
}

bool OwnerStore::change_topic(sql::Session& session, ShardEpoch owner, const Change& change,
                              const Subscription& subscription, std::int64_t shards) const {
  Topic topic = subscription.topic;
  topic.canonical = change.topic;
  const Place place = place_of(topic, subscription.callback, shards);
  sql::Parameters parameters;
  parameters.add(owner.shard).add(subscription.number).add(store_.process()).add(owner.epoch);
  parameters.add(place.shard).add_bytes(bytes_of(place.key)).add(change.topic).add(change.self);
  return !session.run(queries::change_topic, parameters).empty();
}

}  // namespace courant::hub
