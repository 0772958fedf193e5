// Ends subscriptions whose subscribers may not have their topics any more: a token was revoked or has expired, or what
// everybody could read is private now. Nothing is sent to them from the moment on at which that is known; then they are
// ended in the database, and their callbacks told so (hub.mode=denied).
// Specification: WebSub section 5.2. Threads: the hub's loop.
#pragma once

#include <cstdint>
#include <map>

#include "hub/dispatcher.h"
#include "hub/loop.h"

namespace courant::hub {

class LostAccess {
 public:
  LostAccess(Loop& loop, Dispatcher& dispatcher) : loop_(loop), dispatcher_(dispatcher) {}

  // With every heartbeat: looks where anybody may have lost something since the last time.
  http::Task<void> look();
  // There are subscriptions that were not looked at.
  void look_again() { is_due_ = true; }

 private:
  void find();
  http::Task<bool> end(Subscription subscription);
  http::Task<void> tell(Subscription subscription);

  Loop& loop_;
  Dispatcher& dispatcher_;
  std::uint64_t revision_ = 0;
  bool is_due_ = false;
  bool is_ending_ = false;
  std::map<std::int64_t, Subscription> lost_;  // by number: what is to be ended
};

}  // namespace courant::hub
