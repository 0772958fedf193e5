#include "hub/rests.h"

namespace courant::hub {

Rests::Rests(Loop& loop, Phases& phases, Waker& waker) : loop_(loop), phases_(phases), waker_(waker), timer_(loop.io) {}

void Rests::begin(const LivePtr& live, std::chrono::milliseconds pause) {
  if (live->is_gone) return;
  end(live);
  phases_.enter(live, Phase::kResting);
  live->rests_until = loop_.clock.ticks() + pause;
  by_time_.emplace(live->rests_until, live);
  by_host_[live->callback_host].insert(live);
  arm_timer();
}

void Rests::end(const LivePtr& live) {
  if (live->phase != Phase::kResting) return;
  phases_.enter(live, Phase::kIdle);
  live->next_attempt.reset();
  by_time_.erase({live->rests_until, live});
  const auto host = by_host_.find(live->callback_host);
  host->second.erase(live);
  if (host->second.empty()) by_host_.erase(host);
}

void Rests::wake_host(const std::string& callback_host) {
  const auto host = by_host_.find(callback_host);
  if (host == by_host_.end()) return;
  const std::unordered_set<LivePtr> rested = host->second;
  for (const LivePtr& live : rested) {
    if (live->failures == 0 || live->was_told_when) continue;
    end(live);
    waker_.wake(live);
  }
}

void Rests::arm_timer() {
  if (by_time_.empty() || loop_.is_stopping) return;
  if (timer_.expiry() == by_time_.begin()->first) return;
  timer_.expires_at(by_time_.begin()->first);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) wake_rested();
  });
}

void Rests::wake_rested() {
  const Ticks now = loop_.clock.ticks();
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    const LivePtr live = by_time_.begin()->second;
    end(live);
    waker_.wake(live);
  }
  arm_timer();
  waker_.pump();
}

}  // namespace courant::hub
