#include "hub/deliveries.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "hub/delivering.h"
#include "kernel/log.h"

namespace courant::hub {
namespace {

using std::chrono::milliseconds;
using DeliveryOutcome = http::ClientReply::Outcome;

constexpr milliseconds kDatabasePause{1'000};
constexpr milliseconds kTransportPause{1'000};
constexpr milliseconds kNoSecretPause = std::chrono::minutes(1);
constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

// No connection could be made: the same holds for all callbacks there.
bool is_unreachable(const http::ClientReply& reply) {
  switch (reply.outcome) {
    case DeliveryOutcome::kForbidden:
    case DeliveryOutcome::kResolve:
    case DeliveryOutcome::kConnect:
    case DeliveryOutcome::kTls:
      return true;
    default:
      return reply.outcome == DeliveryOutcome::kTimeout && !reply.was_connected;
  }
}

std::string label_of(const http::ClientReply& reply) {
  if (reply.outcome == DeliveryOutcome::kAnswered) return std::to_string(reply.status);
  return std::string(http::outcome_name(reply.outcome));
}

// How long the callback asks to be left alone.
std::optional<milliseconds> asked_pause(const http::ClientReply& reply, Instant now) {
  if (reply.outcome != DeliveryOutcome::kAnswered || (reply.status != 429 && reply.status != 503)) return std::nullopt;
  const std::optional<std::string_view> field = reply.header("Retry-After");
  return field ? retry_after(*field, now) : std::nullopt;
}

}  // namespace

Deliveries::Deliveries(const Parts& parts, std::function<void(const LivePtr&)> ended)
    : loop_(parts.loop),
      lookout_(parts.lookout),
      write_back_(parts.write_back),
      phases_(parts.phases),
      rests_(parts.rests),
      parking_(parts.parking),
      retry_(parts.retry),
      ended_(std::move(ended)),
      documents_(loop_),
      random_(static_cast<std::minstd_rand::result_type>(loop_.clock.ticks().time_since_epoch().count())),
      attempts_(loop_.metrics),
      documents_delivered_(
          loop_.metrics.counter("courant_hub_documents_delivered_total", "Documents that callbacks have taken")),
      entries_(loop_.metrics.counter("courant_hub_entries_delivered_total", "Entries that callbacks have taken")),
      retries_(loop_.metrics.counter("courant_hub_retries_total", "Deliveries that failed and will be tried again")) {}

bool Deliveries::may_begin(const Live& live) const {
  return !live.is_gone && !live.is_held && !live.wishes.is_paused && !loop_.is_stopping;
}

bool Deliveries::is_behind(const Live& live) const {
  return lookout_.is_behind(live) && live.cursor < live.wishes.topic_until.value_or(kAll);
}

// Where the next document is to end at the latest. Who wants few documents is not sent the short ones that were read
// for others a moment ago.
std::int64_t Deliveries::end_of_next(const Live& live) const {
  if (is_frozen(live)) return live.frozen;
  const std::int64_t end = live.wishes.topic_until.value_or(kAll);
  return live.wishes.wants_few() ? std::min(end, lookout_.head_of(live)) : end;
}

// A range that has been sent comes again as a whole, however long its document was allowed to be then.
PushLimits Deliveries::limits_of(const Live& live) const {
  PushLimits limits = loop_.options.document;
  if (!is_frozen(live)) limits.max_bytes = std::min(limits.max_bytes, live.most_bytes);
  return limits;
}

http::Task<void> Deliveries::bring(LivePtr live) {
  phases_.enter(live, Phase::kDelivering);
  do {
    if (!may_begin(*live)) co_return;
    if (lacks_secret(*live, loop_.clock.now())) {
      const bool is_found = co_await find_secret(live);
      if (!is_found) rests_.begin(live, kNoSecretPause);
      if (!is_found || !may_begin(*live)) co_return;
    }
    live->is_held_for_secret = false;
    if (!parking_.may_try(live)) {
      live->next_attempt = loop_.clock.now();  // its page says that it waits for one
      write_back_.touch(live);
      co_return;
    }
    Document document = documents_.find(live->topic, live->self, live->cursor, end_of_next(*live), limits_of(*live));
    if (!document) document = co_await read(live);
    if (!document) co_return;
    if (document->entries > 0) {
      co_await send(live, std::move(document));
      co_return;
    }
    move_cursor(live, document->to);
  } while (is_behind(*live));
}

// null: it rests, or nothing may be sent any more.
http::Task<Deliveries::Document> Deliveries::read(LivePtr live) {
  Document document;
  try {
    document = co_await documents_.read(live->topic, live->self, live->cursor, end_of_next(*live), limits_of(*live));
  } catch (const std::exception&) {
    // sql/ has logged why
  }
  // Without a fault and a document there is less than the wake-up said: the feed is being deleted.
  if (!document) rests_.begin(live, kDatabasePause);
  if (live->is_gone || loop_.is_stopping) co_return nullptr;
  co_return document;
}

// Nothing is delivered unsigned. What could not be opened is looked for again: the key may be there by now, or another
// secret.
http::Task<bool> Deliveries::find_secret(LivePtr live) {
  const auto read = [this, live](sql::Session& session) {
    return loop_.store.find(session, live->shard, live->number);
  };
  std::optional<Subscription> stored;
  try {
    stored = co_await loop_.executor.run(read);
  } catch (const std::exception&) {
    // sql/ has logged why
  }
  if (stored && stored->verified >= live->verified) {
    live->secret = stored->secret;
    live->has_lost_secret = stored->has_lost_secret;
    live->wishes.old_secret = stored->wishes.old_secret;
    live->wishes.old_secret_until = stored->wishes.old_secret_until;
    live->wishes.has_lost_old_secret = stored->wishes.has_lost_old_secret;
  }
  const bool is_complete = !lacks_secret(*live, loop_.clock.now());
  if (!is_complete && !live->is_held_for_secret) {
    log_error("a subscription is held: its secret cannot be read", {{"subscription", live->number}});
  }
  live->is_held_for_secret = !is_complete;
  co_return is_complete;
}

http::Task<void> Deliveries::send(LivePtr live, Document document) {
  if (!loop_.shards.owned(live->shard, loop_.clock.ticks())) {
    rests_.begin(live, kDatabasePause);
    co_return;
  }
  if (lacks_secret(*live, loop_.clock.now())) co_return;  // since it was looked for
  live->frozen = document->to;
  live->pace.sent(loop_.clock.ticks());
  DeliveryAttempt made = delivery_attempt(loop_, *live, document);
  const http::ClientReply reply = co_await loop_.send(std::move(made.request));
  attempts_.count(reply);
  if (live->is_gone || reply.outcome == DeliveryOutcome::kStopped) co_return;
  if (reply.outcome == DeliveryOutcome::kHeldBack) {  // nothing was sent: too much waits already
    rests_.begin(live, kTransportPause);
    co_return;
  }
  set_outcome(made.attempt, reply, loop_.clock.now());
  const bool has_succeeded = made.attempt.has_succeeded();
  live->record.add(std::move(made.attempt));
  write_back_.touch(live);
  if (!is_unreachable(reply)) parking_.reached(*live);
  if (has_succeeded) {
    delivered(live, *document);
  } else if (is_unreachable(reply)) {
    could_not_connect(live, reply);
  } else if (reply.outcome == DeliveryOutcome::kAnswered && reply.status == 410) {
    co_await end(live);
  } else {
    failed(live, reply);
  }
}

void Deliveries::delivered(const LivePtr& live, const PushDocument& document) {
  documents_delivered_.add();
  entries_.add(static_cast<double>(document.entries));
  live->failures = 0;
  live->next_attempt.reset();
  live->told = document.to;
  move_cursor(live, document.to);
  live->most_bytes =
      lookout_.is_behind(*live) ? std::min(2 * live->most_bytes, loop_.options.document.max_bytes) : kFirstBytes;
  rests_.wake_host(live->callback_host);
}

// The subscriber is gone.
http::Task<void> Deliveries::end(LivePtr live) {
  log_info("a subscriber is gone (410): its subscription ends", {{"subscription", live->number}});
  const std::optional<ShardEpoch> owner = loop_.shards.held(live->shard);
  if (!owner) co_return;
  const auto work = [this, owner, live](sql::Session& session) {
    return loop_.store.end(session, *owner, live->number, live->lease_until);
  };
  bool is_ended = false;
  try {
    is_ended = co_await loop_.executor.run(work);
  } catch (const std::exception&) {
    rests_.begin(live, kDatabasePause);
  }
  if (is_ended && !live->is_gone) ended_(live);
}

void Deliveries::failed(const LivePtr& live, const http::ClientReply& reply) {
  ++live->failures;
  retries_.add();
  milliseconds pause = retry_.pause(static_cast<int>(std::min<std::int64_t>(live->failures, 1000)), chance());
  const std::optional<milliseconds> asked = asked_pause(reply, loop_.clock.now());
  live->was_told_when = asked.has_value();
  if (asked) pause = std::max(pause, *asked);
  log_info("a delivery failed", {{"subscription", live->number},
                                 {"host", live->callback_host},
                                 {"outcome", label_of(reply)},
                                 {"failures", live->failures},
                                 {"next_in", format_duration(pause)}});
  live->next_attempt = loop_.clock.now() + pause;
  write_back_.touch(live);
  rests_.begin(live, pause);
}

void Deliveries::could_not_connect(const LivePtr& live, const http::ClientReply& reply) {
  retries_.add();
  const milliseconds pause = parking_.park(live, chance());
  log_info("a callback's host cannot be reached", {{"subscription", live->number},
                                                   {"host", live->callback_host},
                                                   {"outcome", label_of(reply)},
                                                   {"detail", reply.detail},
                                                   {"next_in", format_duration(pause)}});
  live->next_attempt = loop_.clock.now() + pause;
}

double Deliveries::chance() {
  return static_cast<double>(random_()) / static_cast<double>(std::minstd_rand::max());
}

void Deliveries::move_cursor(const LivePtr& live, std::int64_t position) {
  live->cursor = position;
  live->frozen = 0;
  write_back_.touch(live);
}

}  // namespace courant::hub
