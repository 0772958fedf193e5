#include "hub/changes.h"

#include "hub/delivering.h"
#include "kernel/log.h"

namespace courant::hub {

http::Task<void> Changes::look() {
  const Ticks now = loop_.clock.ticks();
  const std::vector<std::int64_t> shards = loop_.shards.all();
  if (loop_.is_stopping || shards.empty() || now < next_look_) co_return;
  next_look_ = now + loop_.options.heartbeat;
  const auto read = [this, &shards](sql::Session& session) {
    std::vector<Change> changes = store_.due(session, shards);
    for (Change& change : changes) {
      if (change.changed) change.changed->terms = loop_.source.required_terms(change.changed->topic);
    }
    return changes;
  };
  std::vector<Change> due = co_await loop_.executor.run(read);
  for (const Change& change : due) {
    if (loop_.is_stopping) co_return;
    // Of a shard that is not loaded yet, or another's by now: later, or by the other.
    if (!loop_.shards.owned(change.shard, loop_.clock.ticks())) continue;
    const bool is_taken_up = co_await take_up(change);
    if (is_taken_up) taken_up_.push_back(change);
  }
}

http::Task<void> Changes::settle() {
  std::vector<std::int64_t> settled;
  for (const Change& change : taken_up_) {
    // What became of it was saved if the shard is ours still; else its new owner takes it up again.
    if (loop_.shards.owned(change.shard, loop_.clock.ticks())) settled.push_back(change.number);
  }
  if (!settled.empty()) {
    const auto forget = [this, &settled](sql::Session& session) {
      store_.settle(session, settled);
      return true;
    };
    co_await loop_.executor.run(forget);
  }
  taken_up_.clear();
}

http::Task<bool> Changes::take_up(Change change) {
  if (change.kind == ChangeKind::kArrival) {
    if (change.changed) dispatcher_.adopt(*std::move(change.changed));
    co_return true;
  }
  if (dispatcher_.find(change.subscription) == nullptr) co_return true;  // it has ended, or has moved to another shard
  switch (change.kind) {
    case ChangeKind::kSettings:
      co_return !change.changed || dispatcher_.set_wishes(*change.changed);
    case ChangeKind::kReplay:
      co_return set_back(change);
    case ChangeKind::kTest:
      if (!tested_.insert(change.subscription).second) co_return false;  // one at a time
      loop_.start(run_test(std::move(change)));
      co_return true;
    case ChangeKind::kEnd:
      dispatcher_.forget(change.subscription);
      co_return true;
    case ChangeKind::kFilter:
    case ChangeKind::kArrival:
      break;
  }
  const bool is_changed = co_await change_topic(std::move(change));
  co_return is_changed;
}

bool Changes::set_back(const Change& change) {
  if (!dispatcher_.hold(change.subscription)) return false;
  dispatcher_.set_back(change.subscription, change.position.value_or(0));
  return true;
}

// Up to the named position, and of what may have arrived already, everything comes through the topic of before.
http::Task<bool> Changes::change_topic(Change change) {
  const std::int64_t end = dispatcher_.end_topic_at(change.subscription, change.position.value_or(0));
  if (dispatcher_.find(change.subscription)->cursor < end || !dispatcher_.hold(change.subscription)) co_return false;
  co_await dispatcher_.save();
  const std::optional<ShardEpoch> owner = loop_.shards.owned(change.shard, loop_.clock.ticks());
  const Subscription* const saved = dispatcher_.find(change.subscription);
  if (!owner || saved == nullptr) co_return false;
  const Subscription subscription = *saved;
  const auto work = [this, &change, owner, &subscription](sql::Session& session) {
    return store_.change_topic(session, *owner, change, subscription, loop_.all_shards);
  };
  const bool has_moved = co_await loop_.executor.run(work);
  if (dispatcher_.find(change.subscription) == nullptr) co_return true;
  if (has_moved) {
    log_info("a subscription has another filter", {{"subscription", change.subscription}, {"after", end}});
    dispatcher_.forget(change.subscription);
    hurry();  // perhaps it has come to a shard of ours
  } else {
    // Its callback has subscribed to that topic meanwhile: both stay as they are.
    Subscription stays = subscription;
    stays.wishes.topic_until.reset();
    dispatcher_.set_wishes(stays);
  }
  co_return true;
}

http::Task<void> Changes::run_test(Change change) {
  const std::int64_t subscription = change.subscription;
  std::exception_ptr failure;
  try {
    co_await send_test(std::move(change));
  } catch (...) {
    failure = std::current_exception();  // the feed has been deleted, or the database cannot be asked
  }
  tested_.erase(subscription);
  if (failure) std::rethrow_exception(failure);
}

// Beside what is delivered, and without consequence for it: a document that holds nothing, signed as the others are.
http::Task<void> Changes::send_test(Change change) {
  const Subscription subscription = *dispatcher_.find(change.subscription);
  const std::int64_t position = subscription.told;
  const auto make = [this, &subscription, position](sql::Session& session) {
    return insight_.empty_document(session, subscription.topic, subscription.self, position);
  };
  PushDocument document = co_await loop_.executor.run(make);
  if (lacks_secret(subscription, loop_.clock.now())) co_return;
  DeliveryAttempt made =
      delivery_attempt(loop_, subscription, std::make_shared<const PushDocument>(std::move(document)), change.number);
  const http::ClientReply reply = co_await loop_.send(std::move(made.request));
  if (reply.outcome == http::ClientReply::Outcome::kStopped) co_return;
  set_outcome(made.attempt, reply, loop_.clock.now());
  dispatcher_.record(change.subscription, std::move(made.attempt));
}

}  // namespace courant::hub
