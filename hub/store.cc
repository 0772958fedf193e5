#include "hub/store.h"

#include "hub/key_check.h"
#include "hub/queries.h"
#include "kernel/digest.h"

namespace courant::hub {
namespace {

constexpr std::string_view kKeyCheck = "courant hub";

void add_optional(sql::Parameters& parameters, const std::optional<std::string>& text) {
  if (text) {
    parameters.add(*text);
  } else {
    parameters.add_null();
  }
}

std::optional<std::string> optional_text(const sql::Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return std::string(row.text(column));
}

// check: sealed with the key that is needed.
Fault sealed_with_another(std::string_view check) {
  const std::string needed = key_id_of(check);
  return {"the secrets of this database's subscriptions are sealed with another key" +
          (needed.empty() ? std::string() : " (" + needed + ")") +
          ": name the key file of its servers as hub.secrets_key"};
}

}  // namespace

std::optional<Fault> fault_of_new_key(sql::Session& session) {
  const sql::Rows facts = session.run(queries::hub_facts);
  if (facts[0].is_null(1)) return std::nullopt;
  return sealed_with_another(facts[0].bytes(1));
}

Place place_of(const Topic& topic, const std::string& callback, std::int64_t shards) {
  const std::string identity = topic.canonical + "\n" + callback;
  const std::uint64_t shard = stable_hash(identity) % static_cast<std::uint64_t>(shards);
  return {static_cast<std::int64_t>(shard), sha256(identity)};
}

Result<std::int64_t> Store::open(sql::Session& session) {
  session.run(queries::set_key_check, sql::Parameters().add_bytes(vault_.seal(kKeyCheck)));
  const sql::Rows facts = session.run(queries::hub_facts);
  if (vault_.open(facts[0].bytes(1)) != kKeyCheck) return sealed_with_another(facts[0].bytes(1));
  return facts[0].integer(0);
}

KeptShards Store::keep_shards(sql::Session& session, std::chrono::milliseconds lease) const {
  const sql::Rows rows = session.run(queries::keep_shards, sql::Parameters().add(process_).add(lease.count()));
  KeptShards kept;
  for (int i = 0; i < rows.size(); ++i) {
    kept.shards.push_back({rows[i].integer(0), rows[i].integer(1)});
    kept.fair = rows[i].integer(2);
  }
  return kept;
}

void Store::release_shards(sql::Session& session, const std::vector<std::int64_t>& shards) const {
  session.run(queries::release_shards, sql::Parameters().add(process_).add(shards));
}

void Store::forget_process(sql::Session& session) const {
  session.run(queries::forget_process, sql::Parameters().add(process_));
}

Counts Store::count(sql::Session& session, const NewRequest& request, std::int64_t shards, const Counts& limits) const {
  const Place place = place_of(request.topic, request.callback, shards);
  sql::Parameters parameters;
  parameters.add(request.client).add(request.topic.canonical).add(request.callback_host).add(request.callback_domain);
  parameters.add(place.shard).add_bytes(bytes_of(place.key));
  parameters.add(limits.pending_of_client).add(limits.pending);
  parameters.add(limits.of_topic).add(limits.of_host).add(limits.of_domain).add(limits.of_client);
  const sql::Rows rows = session.run(queries::count_for_limits, parameters);
  const sql::Row row = rows[0];
  return {row.integer(0), row.integer(1), row.integer(2), row.integer(3),
          row.integer(4), row.integer(5), row.boolean(6)};
}

void Store::put_request(sql::Session& session, const NewRequest& request, std::int64_t shards) const {
  const Place place = place_of(request.topic, request.callback, shards);
  sql::Parameters parameters;
  parameters.add(place.shard)
      .add_bytes(bytes_of(place.key))
      .add(request.is_subscribe)
      .add(request.topic.lane)
      .add(request.topic.feed);
  parameters.add(request.topic.canonical).add(request.self).add(request.callback).add(request.callback_host);
  if (request.secret) {
    parameters.add_bytes(vault_.seal(*request.secret));
  } else {
    parameters.add_null();
  }
  parameters.add(request.identity).add(request.client).add(static_cast<std::int64_t>(request.lease.count()));
  add_optional(parameters, request.verify_token);
  parameters.add(request.renews).add(request.callback_domain);
  session.run(queries::put_request, parameters);
}

std::vector<PendingRequest> Store::due_requests(sql::Session& session, const std::vector<std::int64_t>& shards,
                                                std::int64_t per_domain, std::int64_t limit) const {
  sql::Parameters parameters;
  parameters.add(shards).add(per_domain).add(limit);
  const sql::Rows rows = session.run(queries::due_requests, parameters);
  std::vector<PendingRequest> due;
  for (int i = 0; i < rows.size(); ++i) {
    const sql::Row row = rows[i];
    PendingRequest& request = due.emplace_back();
    request.number = row.integer(0);
    request.shard = row.integer(1);
    request.is_subscribe = row.boolean(2);
    request.topic = {std::string(row.text(5)), row.integer(3), row.integer(4)};
    request.self = row.text(6);
    request.callback = row.text(7);
    request.callback_host = row.text(8);
    request.lease = std::chrono::seconds(row.integer(9));
    request.verify_token = optional_text(row, 10);
    request.attempts = row.integer(11);
    request.callback_domain = row.text(12);
    request.client = row.text(13);
    if (!row.is_null(14)) request.subscription = row.integer(14);
    request.identity = row.text(15);
  }
  return due;
}

void Store::put_off_request(sql::Session& session, std::int64_t number, std::chrono::milliseconds pause,
                            bool was_tried) const {
  sql::Parameters parameters;
  parameters.add(number).add(static_cast<std::int64_t>(pause.count())).add(std::int64_t{was_tried ? 1 : 0});
  session.run(queries::put_off_request, parameters);
}

void Store::drop_request(sql::Session& session, std::int64_t number) const {
  session.run(queries::drop_request, sql::Parameters().add(number));
}

Subscription Store::subscription_of(const sql::Row& row) const {
  Subscription subscription;
  subscription.shard = row.integer(0);
  subscription.number = row.integer(1);
  subscription.topic = {std::string(row.text(4)), row.integer(2), row.integer(3)};
  subscription.self = row.text(5);
  subscription.callback = row.text(6);
  subscription.callback_host = row.text(7);
  if (!row.is_null(8)) {
    subscription.secret = vault_.open(row.bytes(8));
    subscription.has_lost_secret = !subscription.secret;
  }
  subscription.renews = row.boolean(9);
  subscription.verified = row.instant(10);
  subscription.lease_until = row.instant(11);
  subscription.cursor = row.integer(12);
  subscription.frozen = row.is_null(13) ? 0 : row.integer(13);
  subscription.failures = row.integer(14);
  if (!row.is_null(15)) subscription.next_attempt = row.instant(15);
  subscription.told = row.is_null(16) ? subscription.cursor : row.integer(16);
  if (!row.is_null(17)) subscription.record = DeliveryRecord::from_json(row.text(17));
  subscription.watch = row.is_null(18) ? 0 : row.integer(18);
  Wishes& wishes = subscription.wishes;
  wishes.is_paused = row.boolean(19);
  wishes.documents_per_minute = row.is_null(20) ? 0 : row.integer(20);
  wishes.gather = std::chrono::seconds(row.integer(21));
  if (!row.is_null(22)) {
    wishes.old_secret = vault_.open(row.bytes(22));
    wishes.has_lost_old_secret = !wishes.old_secret;
  }
  if (!row.is_null(23)) wishes.old_secret_until = row.instant(23);
  if (!row.is_null(24)) wishes.topic_until = row.integer(24);
  subscription.identity = row.text(25);
  return subscription;
}

std::optional<Subscription> Store::confirm(sql::Session& session, std::int64_t request, ShardEpoch owner,
                                           Instant verified, Instant lease_until, std::int64_t cursor,
                                           const std::optional<Sha256>& capability) const {
  sql::Parameters parameters;
  parameters.add(request).add(owner.shard).add(process_).add(owner.epoch).add(verified).add(lease_until).add(cursor);
  if (capability) {
    parameters.add_bytes(bytes_of(*capability));
  } else {
    parameters.add_null();
  }
  const sql::Rows rows = session.run(queries::confirm_subscription, parameters);
  if (rows.empty()) return std::nullopt;
  return subscription_of(rows[0]);
}

std::optional<std::int64_t> Store::confirm_end(sql::Session& session, std::int64_t request, ShardEpoch owner) const {
  sql::Parameters parameters;
  parameters.add(request).add(owner.shard).add(process_).add(owner.epoch);
  const sql::Rows rows = session.run(queries::confirm_unsubscription, parameters);
  if (rows.empty() || rows[0].is_null(0)) return std::nullopt;
  return rows[0].integer(0);
}

std::optional<Subscription> Store::find(sql::Session& session, std::int64_t shard, std::int64_t number) const {
  const sql::Rows rows = session.run(queries::load_subscription, sql::Parameters().add(shard).add(number));
  if (rows.empty()) return std::nullopt;
  return subscription_of(rows[0]);
}

std::vector<Subscription> Store::load(sql::Session& session, std::int64_t shard) const {
  const sql::Rows rows = session.run(queries::load_subscriptions, sql::Parameters().add(shard));
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < rows.size(); ++i) subscriptions.push_back(subscription_of(rows[i]));
  return subscriptions;
}

void Store::save(sql::Session& session, const std::vector<SavedProgress>& all) const {
  std::vector<std::int64_t> shards, epochs, numbers, cursors, told, frozen, failures, watches;
  std::vector<std::optional<Instant>> next_attempts;
  std::vector<std::string> records;
  for (const SavedProgress& saved : all) {
    const Progress& progress = saved.progress;
    shards.push_back(saved.owner.shard);
    epochs.push_back(saved.owner.epoch);
    numbers.push_back(saved.number);
    cursors.push_back(progress.cursor);
    told.push_back(progress.told);
    frozen.push_back(progress.frozen);
    failures.push_back(progress.failures);
    next_attempts.push_back(progress.next_attempt);
    records.push_back(progress.record.to_json());
    watches.push_back(progress.watch);
  }
  sql::Parameters parameters;
  parameters.add(process_).add(shards).add(epochs).add(numbers).add(cursors).add(told).add(frozen);
  parameters.add(failures).add(next_attempts).add(records).add(watches);
  session.run(queries::save_progress, parameters);
}

void Store::save_watches(sql::Session& session, const std::vector<SavedWatch>& watches) const {
  std::vector<std::int64_t> shards, epochs, lanes, feeds, numbers, positions;
  for (const SavedWatch& watch : watches) {
    shards.push_back(watch.owner.shard);
    epochs.push_back(watch.owner.epoch);
    lanes.push_back(watch.lane);
    feeds.push_back(watch.feed);
    numbers.push_back(watch.number);
    positions.push_back(watch.position);
  }
  sql::Parameters parameters;
  parameters.add(process_).add(shards).add(epochs).add(lanes).add(feeds).add(numbers).add(positions);
  session.run(queries::save_watches, parameters);
}

std::set<FeedName> Store::asked_feeds(sql::Session& session) const {
  const sql::Rows rows = session.run(queries::asked_feeds);
  std::set<FeedName> feeds;
  for (int i = 0; i < rows.size(); ++i) feeds.emplace(rows[i].integer(0), rows[i].integer(1));
  return feeds;
}

bool Store::end(sql::Session& session, ShardEpoch owner, std::int64_t number, Instant lease_until) const {
  sql::Parameters parameters;
  parameters.add(owner.shard).add(number).add(process_).add(owner.epoch).add(lease_until);
  return !session.run(queries::end_subscription, parameters).empty();
}

void Store::renew(sql::Session& session, std::int64_t shard, std::int64_t number) const {
  session.run(queries::renew_subscription, sql::Parameters().add(shard).add(number));
}

}  // namespace courant::hub
