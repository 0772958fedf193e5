#include "hub/dispatcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace courant::hub {

using std::chrono::milliseconds;

namespace {

// The lookout knows none but those that were added here.
LivePtr live_of(Subscription& subscription) {
  return static_cast<Live&>(subscription).shared_from_this();
}

}  // namespace

Dispatcher::Dispatcher(Loop& loop)
    : loop_(loop),
      retry_(loop.options.retry),
      lookout_(loop, [this](const std::vector<Subscription*>& subscriptions) { concern(subscriptions); }),
      write_back_(loop, lookout_),
      leases_(loop, [this](std::int64_t number) { forget(number); }),
      phases_(loop.metrics),
      rests_(loop, phases_, *this),
      parking_(loop, phases_, retry_, *this),
      deliveries_({loop, lookout_, write_back_, phases_, rests_, parking_, retry_},
                  [this](const LivePtr& live) { remove(live); }),
      turns_(loop.options.in_flight, loop.options.in_flight_per_host) {}

void Dispatcher::adopt(Subscription subscription) {
  const auto known = by_number_.find(subscription.number);
  LivePtr live;
  if (known != by_number_.end()) {
    live = known->second;
    static_cast<Progress&>(subscription) = *live;  // the database's is older
    static_cast<Subscription&>(*live) = std::move(subscription);
    rests_.end(live);  // whoever has just answered a verification can be tried at once
    parking_.reached(*live);
  } else {
    live = std::make_shared<Live>();
    static_cast<Subscription&>(*live) = std::move(subscription);
    by_number_.emplace(live->number, live);
    lookout_.add(*live);
    if (live->wishes.topic_until) stand_alone(live);
    phases_.add(live);
    const Instant now = loop_.clock.now();
    if (live->next_attempt && *live->next_attempt > now) {
      rests_.begin(live, std::chrono::duration_cast<milliseconds>(*live->next_attempt - now));
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
  deliveries_.move_cursor(live, std::min(position, live->cursor));
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
  rests_.end(live);
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
  rests_.end(live);
  parking_.remove(live);
  phases_.remove(live);
  leases_.forget(live->number);
  write_back_.forget(live);
  lookout_.remove(*live);
  by_number_.erase(live->number);
}

void Dispatcher::visit(const std::function<void(const Subscription&)>& visit) const {
  for (const auto& [number, live] : by_number_) visit(*live);
}

std::vector<std::int64_t> Dispatcher::busy() const {
  std::vector<std::int64_t> numbers;
  numbers.reserve(phases_.busy().size());
  for (const LivePtr& live : phases_.busy()) numbers.push_back(live->number);
  return numbers;
}

std::optional<Dispatcher::Busy> Dispatcher::find_busy(std::int64_t number) const {
  const auto found = by_number_.find(number);
  if (found == by_number_.end() || found->second->phase == Phase::kIdle) return std::nullopt;
  const Live& live = *found->second;
  return Busy{live, live.phase, lookout_.head_of(live)};
}

void Dispatcher::moved(std::int64_t lane, std::int64_t feed, std::int64_t position) {
  for (Subscription* const subscription : lookout_.moved({lane, feed}, position)) wake(live_of(*subscription));
  pump();
}

void Dispatcher::look_at_all() {
  for (const auto& [lane, feed] : lookout_.feeds()) moved(lane, feed, loop_.source.known_position(lane, feed));
}

void Dispatcher::look_for_secrets() {
  std::vector<LivePtr> held;
  for (const LivePtr& live : phases_.busy()) {
    if (live->is_held_for_secret) held.push_back(live);
  }
  for (const LivePtr& live : held) {
    rests_.end(live);
    wake(live);
  }
  pump();
}

void Dispatcher::concern(const std::vector<Subscription*>& subscriptions) {
  for (Subscription* const subscription : subscriptions) {
    const LivePtr live = live_of(*subscription);
    write_back_.touch(live);
    wake(live);
  }
  pump();
}

void Dispatcher::wake(const LivePtr& live) {
  if (!deliveries_.may_begin(*live) || live->phase != Phase::kIdle) return;
  if (!deliveries_.is_behind(*live)) {
    if (!live->wishes.topic_until && lookout_.share(*live)) write_back_.touch(live);
    return;
  }
  const Ticks now = loop_.clock.ticks();
  const Ticks next = live->pace.next(live->wishes, live->cursor, lookout_.head_of(*live), now);
  if (next > now) {
    rests_.begin(live, std::chrono::ceil<milliseconds>(next - now));
    return;
  }
  phases_.enter(live, Phase::kWaiting);
  turns_.add(live->callback_host, live);
}

// Each that has its turn is brought one document; then its host's next one has it.
void Dispatcher::pump() {
  if (loop_.is_stopping) return;
  while (std::optional<LivePtr> taken = turns_.take()) {
    const LivePtr live = *std::move(taken);
    loop_.start(deliveries_.bring(live), [this, live, host = live->callback_host] { leave(live, host); });
  }
}

void Dispatcher::leave(const LivePtr& live, const std::string& host) {
  turns_.leave(host);
  if (live->phase == Phase::kDelivering) phases_.enter(live, Phase::kIdle);
  parking_.stop_probing(live);
  wake(live);
  pump();
}

void Dispatcher::stop() {
  rests_.stop();
  parking_.stop();
  // What is in flight may arrive, though nobody hears of it any more: its range is written down.
  for (const LivePtr& live : phases_.busy()) {
    if (is_frozen(*live)) write_back_.touch(live);
  }
}

}  // namespace courant::hub
