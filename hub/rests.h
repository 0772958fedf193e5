// Subscriptions that wait until some time: after a failure, or because their owners want few documents.
// Threads: the hub's loop.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "hub/live.h"
#include "hub/loop.h"
#include "hub/phases.h"

namespace courant::hub {

class Rests {
 public:
  Rests(Loop& loop, Phases& phases, Waker& waker);

  // It is woken after the pause, unless it is ended before.
  void begin(const LivePtr& live, std::chrono::milliseconds pause);
  // Where it rests, it is idle from now on.
  void end(const LivePtr& live);
  // The host works again: those of its subscriptions that rest after a failure, and were not told for how long, are
  // woken.
  void wake_host(const std::string& callback_host);

  // The loop is stopping: nobody is woken any more.
  void stop() { timer_.cancel(); }

 private:
  void arm_timer();
  void wake_rested();

  Loop& loop_;
  Phases& phases_;
  Waker& waker_;
  std::set<std::pair<Ticks, LivePtr>> by_time_;  // by when they go on
  std::unordered_map<std::string, std::unordered_set<LivePtr>> by_host_;
  boost::asio::steady_timer timer_;  // for the first of them
};

}  // namespace courant::hub
