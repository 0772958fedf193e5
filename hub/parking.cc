#include "hub/parking.h"

#include <optional>
#include <string>

#include "kernel/uri.h"

namespace courant::hub {
namespace {

// Where a callback is connected to: "https://x.example:443".
std::string origin_of(const std::string& callback) {
  const std::optional<Uri> url = parse_uri(callback);
  return url ? url->scheme + "://" + url->host + ":" + std::to_string(url->effective_port()) : callback;
}

}  // namespace

Parking::Parking(Loop& loop, Phases& phases, const RetryLaw& retry, Waker& waker)
    : loop_(loop), phases_(phases), waker_(waker), unreachable_(retry), timer_(loop.io) {}

bool Parking::may_try(const LivePtr& live) {
  if (unreachable_.empty() || unreachable_.may_try(origin_of(live->callback), live)) return true;
  phases_.enter(live, Phase::kParked);
  return false;
}

std::chrono::milliseconds Parking::park(const LivePtr& live, double chance) {
  const auto pause = unreachable_.failed(origin_of(live->callback), live, loop_.clock.ticks(), chance);
  phases_.enter(live, Phase::kParked);
  plan();
  return pause;
}

void Parking::reached(const Live& live) {
  if (unreachable_.empty()) return;
  for (const LivePtr& parked : unreachable_.answered(origin_of(live.callback))) unpark(parked);
}

void Parking::unpark(const LivePtr& live) {
  if (live->phase != Phase::kParked) return;
  phases_.enter(live, Phase::kIdle);
  live->next_attempt.reset();
  waker_.wake(live);
  if (live->phase != Phase::kWaiting) stop_probing(live);
}

void Parking::stop_probing(const LivePtr& live) {
  if (unreachable_.empty()) return;
  unreachable_.release(origin_of(live->callback), live, loop_.clock.ticks());
  plan();
}

void Parking::remove(const LivePtr& live) {
  if (!unreachable_.empty()) unreachable_.remove(origin_of(live->callback), live, loop_.clock.ticks());
  plan();
}

void Parking::plan() {
  const std::optional<Ticks> next = unreachable_.next();
  if (!next || loop_.is_stopping) return;
  timer_.expires_at(*next);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (const LivePtr& prober : unreachable_.due(loop_.clock.ticks())) unpark(prober);
    plan();
    waker_.pump();
  });
}

}  // namespace courant::hub
