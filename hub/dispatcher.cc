#include "hub/dispatcher.h"

#include <limits>

#include "hub/delivering.h"
#include "kernel/at_end.h"
#include "kernel/log.h"
#include "kernel/problem.h"

namespace courant::hub {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kDatabasePause{1'000};
constexpr milliseconds kTransportPause{1'000};
constexpr milliseconds kNoSecretPause = std::chrono::minutes(1);
constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
// The first document for one that is far behind; the next ones are twice as long each, up to the limit.
constexpr std::int64_t kFirstBytes = 256 << 10;

// Where a callback is connected to: "https://x.example:443".
std::string origin_of(const std::string& callback) {
  const std::optional<Uri> url = parse_uri(callback);
  return url ? url->scheme + "://" + url->host + ":" + std::to_string(url->effective_port()) : callback;
}

// No connection could be made: the same holds for all callbacks there.
bool is_unreachable(const http::ClientReply& reply) {
  using Outcome = http::ClientReply::Outcome;
  switch (reply.outcome) {
    case Outcome::kForbidden:
    case Outcome::kResolve:
    case Outcome::kConnect:
    case Outcome::kTls:
      return true;
    default:
      return reply.outcome == Outcome::kTimeout && !reply.was_connected;
  }
}

bool is_frozen(const Subscription& subscription) {
  return subscription.frozen > subscription.cursor;
}

}  // namespace

Dispatcher::Dispatcher(Loop& loop)
    : loop_(loop),
      documents_(loop),
      lookout_(loop, [this](const std::vector<Subscription*>& subscriptions) { concern(subscriptions); }),
      write_back_(loop, lookout_),
      leases_(loop, [this](std::int64_t number) { forget(number); }),
      retry_(loop.options.retry),
      random_(static_cast<std::minstd_rand::result_type>(loop.clock.ticks().time_since_epoch().count())),
      turns_(loop.options.in_flight, loop.options.in_flight_per_host),
      unreachable_(retry_),
      timer_(loop.io),
      probe_timer_(loop.io),
      attempts_(loop.metrics),
      documents_delivered_(
          loop.metrics.counter("courant_hub_documents_delivered_total", "Documents that callbacks have taken")),
      entries_(loop.metrics.counter("courant_hub_entries_delivered_total", "Entries that callbacks have taken")),
      retries_(loop.metrics.counter("courant_hub_retries_total", "Deliveries that failed and will be tried again")) {
  for (const Phase phase : kPhases) {
    states_[static_cast<std::size_t>(phase)] = &loop.metrics.gauge(
        "courant_hub_subscriptions", "Subscriptions that this process delivers, by what they are about",
        {{"state", std::string(name_of(phase))}});
  }
}

void Dispatcher::adopt(Subscription subscription) {
  const auto known = by_number_.find(subscription.number);
  LivePtr live;
  if (known != by_number_.end()) {
    live = known->second;
    static_cast<Progress&>(subscription) = *live;  // the database's is older
    static_cast<Subscription&>(*live) = std::move(subscription);
    stop_resting(live);  // whoever has just answered a verification can be tried at once
    reached(*live);
  } else {
    live = std::make_shared<Live>();
    static_cast<Subscription&>(*live) = std::move(subscription);
    live->most_bytes = kFirstBytes;
    by_number_.emplace(live->number, live);
    lookout_.add(*live);
    if (live->wishes.topic_until) stand_alone(live);
    add_to_count(live->phase, 1);
    const Instant now = loop_.clock.now();
    if (live->next_attempt && *live->next_attempt > now) {
      rest(live, std::chrono::duration_cast<milliseconds>(*live->next_attempt - now));
    }
  }
  leases_.plan(live);
  wake(live);
  pump();
}

void Dispatcher::forget(std::int64_t number) {
  if (const auto found = by_number_.find(number); found != by_number_.end()) {
    const LivePtr live = found->second;
    remove(live);
  }
}

std::optional<std::int64_t> Dispatcher::told(std::int64_t number) const {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? std::nullopt : std::optional(found->second->told);
}

const Subscription* Dispatcher::find(std::int64_t number) const {
  const auto found = by_number_.find(number);
  return found == by_number_.end() ? nullptr : found->second.get();
}

bool Dispatcher::set_wishes(const Subscription& as_stored) {
  const auto found = by_number_.find(as_stored.number);
  if (found == by_number_.end()) return true;
  const LivePtr live = found->second;
  if (as_stored.verified < live->verified) return false;
  live->wishes = as_stored.wishes;
  live->secret = as_stored.secret;
  live->has_lost_secret = as_stored.has_lost_secret;
  go_on(live);
  return true;
}

bool Dispatcher::hold(std::int64_t number) {
  const LivePtr live = by_number_.at(number);
  live->is_held = true;
  stand_alone(live);
  return live->phase != Phase::kDelivering;
}

void Dispatcher::set_back(std::int64_t number, std::int64_t position) {
  const LivePtr live = by_number_.at(number);
  live->failures = 0;
  move_cursor(live, std::min(position, live->cursor));
  live->told = live->cursor;
  go_on(live);
}

std::int64_t Dispatcher::end_topic_at(std::int64_t number, std::int64_t position) {
  const LivePtr live = by_number_.at(number);
  stand_alone(live);
  const std::int64_t end = std::max({position, live->cursor, live->frozen});
  live->wishes.topic_until = end;
  wake(live);
  pump();
  return end;
}

void Dispatcher::record(std::int64_t number, Attempt attempt) {
  const auto found = by_number_.find(number);
  if (found == by_number_.end()) return;
  found->second->record.add(std::move(attempt));
  write_back_.touch(found->second);
}

// At once, whatever it has waited for: whoever asks for something wants to see what comes of it.
void Dispatcher::go_on(const LivePtr& live) {
  live->is_held = false;
  stop_resting(live);
  wake(live);
  pump();
}

// Its cursor is its own from now on.
void Dispatcher::stand_alone(const LivePtr& live) {
  if (lookout_.leave(*live)) write_back_.touch(live);
}

void Dispatcher::drop_shard(std::int64_t shard) {
  std::vector<LivePtr> gone;
  for (const auto& [number, live] : by_number_) {
    if (live->shard == shard) gone.push_back(live);
  }
  for (const LivePtr& live : gone) remove(live);
  lookout_.forget_shard(shard);
}

void Dispatcher::remove(const LivePtr& live) {
  stop_resting(live);
  if (!unreachable_.empty()) unreachable_.remove(origin_of(live->callback), live, loop_.clock.ticks());
  plan_probe();
  enter(live, Phase::kIdle);
  add_to_count(Phase::kIdle, -1);
  live->is_gone = true;
  leases_.forget(live->number);
  write_back_.forget(live);
  lookout_.remove(*live);
  by_number_.erase(live->number);
}

// Of one that is gone nothing is counted any more.
void Dispatcher::enter(const LivePtr& live, Phase phase) {
  if (!live->is_gone) {
    add_to_count(live->phase, -1);
    add_to_count(phase, 1);
    if (phase == Phase::kIdle) {
      busy_.erase(live->number);
    } else {
      busy_.insert_or_assign(live->number, live);
    }
  }
  live->phase = phase;
}

void Dispatcher::add_to_count(Phase phase, int amount) {
  const auto index = static_cast<std::size_t>(phase);
  counts_[index] += amount;
  states_[index]->set(static_cast<double>(counts_[index]));
}

void Dispatcher::visit(const std::function<void(const Subscription&)>& visit) const {
  for (const auto& [number, live] : by_number_) visit(*live);
}

std::optional<std::int64_t> Dispatcher::visit_busy(std::int64_t after, int most,
                                                   const std::function<void(const Busy&)>& visit) const {
  auto next = busy_.upper_bound(after);
  for (int visited = 0; next != busy_.end() && visited < most; ++visited, ++next) {
    const Live& live = *next->second;
    visit({live, live.phase, lookout_.head_of(live)});
    after = live.number;
  }
  return next == busy_.end() ? std::nullopt : std::optional(after);
}

void Dispatcher::moved(std::int64_t lane, std::int64_t feed, std::int64_t position) {
  for (const Subscription* const subscription : lookout_.moved({lane, feed}, position)) {
    wake(by_number_.at(subscription->number));
  }
  pump();
}

void Dispatcher::look_at_all() {
  for (const auto& [lane, feed] : lookout_.feeds()) moved(lane, feed, loop_.source.known_position(lane, feed));
}

void Dispatcher::look_for_secrets() {
  std::vector<LivePtr> held;
  for (const auto& [number, live] : busy_) {
    if (live->is_held_for_secret) held.push_back(live);
  }
  for (const LivePtr& live : held) {
    stop_resting(live);
    wake(live);
  }
  pump();
}

void Dispatcher::concern(const std::vector<Subscription*>& subscriptions) {
  for (const Subscription* const subscription : subscriptions) {
    const LivePtr live = by_number_.at(subscription->number);
    write_back_.touch(live);
    wake(live);
  }
  pump();
}

bool Dispatcher::may_begin(const Live& live) const {
  return !live.is_gone && !live.is_held && !live.wishes.is_paused && !loop_.is_stopping;
}

bool Dispatcher::is_behind(const Live& live) const {
  return lookout_.is_behind(live) && live.cursor < live.wishes.topic_until.value_or(kAll);
}

// Where the next document is to end at the latest. Who wants few documents is not sent the short ones that were read
// for others a moment ago.
std::int64_t Dispatcher::end_of_next(const Live& live) const {
  if (is_frozen(live)) return live.frozen;
  const std::int64_t end = live.wishes.topic_until.value_or(kAll);
  return live.wishes.wants_few() ? std::min(end, lookout_.head_of(live)) : end;
}

// A range that has been sent comes again as a whole, however long its document was allowed to be then.
PushLimits Dispatcher::limits_of(const Live& live) const {
  PushLimits limits = loop_.options.document;
  if (!is_frozen(live)) limits.max_bytes = std::min(limits.max_bytes, live.most_bytes);
  return limits;
}

void Dispatcher::wake(const LivePtr& live) {
  if (!may_begin(*live) || live->phase != Phase::kIdle) return;
  if (!is_behind(*live)) {
    if (!live->wishes.topic_until && lookout_.share(*live)) write_back_.touch(live);
    return;
  }
  const Ticks now = loop_.clock.ticks();
  const Ticks next = live->pace.next(live->wishes, live->cursor, lookout_.head_of(*live), now);
  if (next > now) {
    rest(live, std::chrono::ceil<milliseconds>(next - now));
    return;
  }
  enter(live, Phase::kWaiting);
  turns_.add(live->callback_host, live);
}

void Dispatcher::pump() {
  if (loop_.is_stopping) return;
  while (std::optional<LivePtr> live = turns_.take()) loop_.start(deliver(*live));
}

// One document, then its host's next subscription has the turn.
http::Task<void> Dispatcher::deliver(LivePtr live) {
  const std::string host = live->callback_host;
  const AtEnd leaving{[this, live, host] {
    turns_.leave(host);
    if (live->phase == Phase::kDelivering) enter(live, Phase::kIdle);
    stop_probing(live);
    wake(live);
    pump();
  }};
  enter(live, Phase::kDelivering);
  bool goes_on = true;
  while (goes_on) goes_on = co_await deliver_one(live);
}

// Whether the turn goes on: the document held nothing, only the cursor has moved.
http::Task<bool> Dispatcher::deliver_one(LivePtr live) {
  if (!may_begin(*live)) co_return false;
  const bool is_signed_as_wanted = co_await has_its_secret(live);
  if (!is_signed_as_wanted) {
    rest(live, kNoSecretPause);
    co_return false;
  }
  if (!may_begin(*live)) co_return false;
  if (!unreachable_.empty() && !unreachable_.may_try(origin_of(live->callback), live)) {
    enter(live, Phase::kParked);
    live->next_attempt = loop_.clock.now();  // its page says that it waits for one
    write_back_.touch(live);
    co_return false;
  }
  const std::int64_t upto = end_of_next(*live);
  std::optional<PushDocument> document;
  try {
    document = co_await documents_.read(live->topic, live->self, live->cursor, upto, limits_of(*live));
  } catch (const std::exception&) {
    // sql/ has logged why
  }
  // Without a fault and a document there is less than the wake-up said: the feed is being deleted.
  if (!document) rest(live, kDatabasePause);
  if (!document || live->is_gone || loop_.is_stopping) co_return false;
  if (document->entries == 0) {
    move_cursor(live, document->to);
    co_return is_behind(*live);
  }
  if (!loop_.shards.owned(live->shard, loop_.clock.ticks())) {
    rest(live, kDatabasePause);
    co_return false;
  }
  if (lacks_secret(*live, loop_.clock.now())) co_return false;  // since it was looked for
  co_await send(live, *std::move(document));
  co_return false;
}

// Nothing is delivered unsigned. What could not be opened is looked for again: the key may be there by now, or another
// secret.
http::Task<bool> Dispatcher::has_its_secret(LivePtr live) {
  if (!lacks_secret(*live, loop_.clock.now())) {
    live->is_held_for_secret = false;
    co_return true;
  }
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

http::Task<void> Dispatcher::send(LivePtr live, PushDocument document) {
  live->frozen = document.to;
  live->pace.sent(loop_.clock.ticks());
  Sent sent = co_await send_document(loop_, *live, document);
  const http::ClientReply& reply = sent.reply;
  attempts_.count(reply);
  if (live->is_gone || reply.outcome == http::ClientReply::Outcome::kStopped) co_return;
  if (reply.outcome == http::ClientReply::Outcome::kHeldBack) {  // nothing was sent: too much waits already
    rest(live, kTransportPause);
    co_return;
  }
  const bool has_succeeded = sent.attempt.has_succeeded();
  live->record.add(std::move(sent.attempt));
  write_back_.touch(live);
  if (!is_unreachable(reply)) reached(*live);
  if (has_succeeded) {
    delivered(live, document);
  } else if (is_unreachable(reply)) {
    could_not_connect(live, reply);
  } else {
    co_await failed(live, reply);
  }
}

void Dispatcher::delivered(const LivePtr& live, const PushDocument& document) {
  documents_delivered_.add();
  entries_.add(static_cast<double>(document.entries));
  live->failures = 0;
  live->next_attempt.reset();
  live->told = document.to;
  move_cursor(live, document.to);
  live->most_bytes =
      lookout_.is_behind(*live) ? std::min(2 * live->most_bytes, loop_.options.document.max_bytes) : kFirstBytes;
  // The host works again: what waits for it is tried now.
  const auto others = resting_hosts_.find(live->callback_host);
  if (others == resting_hosts_.end()) return;
  const std::unordered_set<LivePtr> rested = others->second;
  for (const LivePtr& other : rested) {
    if (other->failures == 0 || other->was_told_when) continue;
    stop_resting(other);
    wake(other);
  }
}

http::Task<void> Dispatcher::failed(LivePtr live, const http::ClientReply& reply) {
  const bool is_answered = reply.outcome == http::ClientReply::Outcome::kAnswered;
  if (is_answered && reply.status == 410) {
    log_info("a subscriber is gone (410): its subscription ends", {{"subscription", live->number}});
    const std::optional<ShardEpoch> owner = loop_.shards.owned(live->shard, loop_.clock.ticks());
    if (!owner) co_return;
    const auto work = [this, owner, live](sql::Session& session) {
      return loop_.store.end(session, *owner, live->number, live->lease_until);
    };
    bool is_ended = false;
    try {
      is_ended = co_await loop_.executor.run(work);
    } catch (const std::exception&) {
      rest(live, kDatabasePause);
    }
    if (is_ended && !live->is_gone) remove(live);
    co_return;
  }
  ++live->failures;
  retries_.add();
  milliseconds pause = retry_.pause(static_cast<int>(std::min<std::int64_t>(live->failures, 1000)), chance());
  std::optional<milliseconds> told;
  if (is_answered && (reply.status == 429 || reply.status == 503)) {
    const std::optional<std::string_view> field = reply.header("Retry-After");
    if (field) told = retry_after(*field, loop_.clock.now());
  }
  live->was_told_when = told.has_value();
  if (told) pause = std::max(pause, *told);
  log_info("a delivery failed",
           {{"subscription", live->number},
            {"host", live->callback_host},
            {"outcome", is_answered ? std::to_string(reply.status) : std::string(http::outcome_name(reply.outcome))},
            {"failures", live->failures},
            {"next_in", format_duration(pause)}});
  live->next_attempt = loop_.clock.now() + pause;
  write_back_.touch(live);
  rest(live, pause);
}

void Dispatcher::could_not_connect(const LivePtr& live, const http::ClientReply& reply) {
  retries_.add();
  const milliseconds pause = unreachable_.failed(origin_of(live->callback), live, loop_.clock.ticks(), chance());
  log_info("a callback's host cannot be reached", {{"subscription", live->number},
                                                   {"host", live->callback_host},
                                                   {"outcome", std::string(http::outcome_name(reply.outcome))},
                                                   {"detail", reply.detail},
                                                   {"next_in", format_duration(pause)}});
  enter(live, Phase::kParked);
  live->next_attempt = loop_.clock.now() + pause;
  plan_probe();
}

// What is parked for this subscription's host goes on.
void Dispatcher::reached(const Live& live) {
  if (unreachable_.empty()) return;
  for (const LivePtr& parked : unreachable_.answered(origin_of(live.callback))) unpark(parked);
}

void Dispatcher::unpark(const LivePtr& live) {
  if (live->phase != Phase::kParked) return;
  enter(live, Phase::kIdle);
  live->next_attempt.reset();
  wake(live);
  if (live->phase != Phase::kWaiting) stop_probing(live);
}

void Dispatcher::stop_probing(const LivePtr& live) {
  if (unreachable_.empty()) return;
  unreachable_.release(origin_of(live->callback), live, loop_.clock.ticks());
  plan_probe();
}

void Dispatcher::plan_probe() {
  const std::optional<Ticks> next = unreachable_.next();
  if (!next || loop_.is_stopping) return;
  probe_timer_.expires_at(*next);
  probe_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (const LivePtr& prober : unreachable_.due(loop_.clock.ticks())) unpark(prober);
    plan_probe();
    pump();
  });
}

double Dispatcher::chance() {
  return static_cast<double>(random_()) / static_cast<double>(std::minstd_rand::max());
}

void Dispatcher::rest(const LivePtr& live, milliseconds pause) {
  if (live->is_gone) return;
  stop_resting(live);
  enter(live, Phase::kResting);
  live->rests_until = loop_.clock.ticks() + pause;
  resting_.emplace(live->rests_until, live->number);
  resting_hosts_[live->callback_host].insert(live);
  arm_timer();
}

void Dispatcher::stop_resting(const LivePtr& live) {
  if (live->phase != Phase::kResting) return;
  enter(live, Phase::kIdle);
  live->next_attempt.reset();
  resting_.erase({live->rests_until, live->number});
  const auto host = resting_hosts_.find(live->callback_host);
  host->second.erase(live);
  if (host->second.empty()) resting_hosts_.erase(host);
}

void Dispatcher::stop() {
  timer_.cancel();
  probe_timer_.cancel();
  // What is in flight may arrive, though nobody hears of it any more: its range is written down.
  for (const auto& [number, live] : busy_) {
    if (is_frozen(*live)) write_back_.touch(live);
  }
}

void Dispatcher::arm_timer() {
  if (resting_.empty() || loop_.is_stopping) return;
  if (timer_.expiry() == resting_.begin()->first) return;
  timer_.expires_at(resting_.begin()->first);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) wake_rested();
  });
}

void Dispatcher::wake_rested() {
  const Ticks now = loop_.clock.ticks();
  while (!resting_.empty() && resting_.begin()->first <= now) {
    const LivePtr live = by_number_.at(resting_.begin()->second);
    stop_resting(live);
    wake(live);
  }
  arm_timer();
  pump();
}

void Dispatcher::move_cursor(const LivePtr& live, std::int64_t position) {
  live->cursor = position;
  live->frozen = 0;
  write_back_.touch(live);
}

std::string_view name_of(Dispatcher::Phase phase) {
  constexpr std::array<std::string_view, Dispatcher::kPhases.size()> kNames = {"caught_up", "waiting", "delivering",
                                                                               "resting", "unreachable"};
  return kNames[static_cast<std::size_t>(phase)];
}

}  // namespace courant::hub
