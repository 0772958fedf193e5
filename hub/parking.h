// Subscriptions whose callbacks lie where no connection can be made: they wait together, and one of them tries from
// time to time (hub/unreachable.h). Threads: the hub's loop.
#pragma once

#include <chrono>

#include <boost/asio/steady_timer.hpp>

#include "hub/live.h"
#include "hub/loop.h"
#include "hub/phases.h"
#include "hub/unreachable.h"

namespace courant::hub {

class Parking {
 public:
  // retry: the pauses; outlives this.
  Parking(Loop& loop, Phases& phases, const RetryLaw& retry, Waker& waker);

  // Whether it may be sent something; false: it is parked.
  bool may_try(const LivePtr& live);
  // It could not connect, and is parked: the pause until the next attempt. chance: as RetryLaw::pause has it.
  std::chrono::milliseconds park(const LivePtr& live, double chance);
  // The place of its callback can be reached: whoever is parked for that is woken.
  void reached(const Live& live);
  // It has nothing to send now: where it was to try, another one does.
  void stop_probing(const LivePtr& live);
  // It is gone.
  void remove(const LivePtr& live);

  // The loop is stopping: nobody is woken any more.
  void stop() { timer_.cancel(); }

 private:
  void unpark(const LivePtr& live);
  void plan();

  Loop& loop_;
  Phases& phases_;
  Waker& waker_;
  Unreachable<LivePtr> unreachable_;
  boost::asio::steady_timer timer_;  // for the next that tries
};

}  // namespace courant::hub
