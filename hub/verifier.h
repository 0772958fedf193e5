// The verifier: asks callbacks whether accepted requests are wanted, and makes or ends subscriptions by their answers.
// Callbacks are strangers' addresses: how often any of them is asked is bounded by all that many of them can have in
// common, so that nobody is flooded through the hub.
// Specification: WebSub section 5.3.
// Threads: the hub's loop.
#pragma once

#include <functional>
#include <mutex>
#include <unordered_set>

#include "hub/dispatcher.h"
#include "hub/loop.h"
#include "hub/pace.h"

namespace courant::hub {

class Verifier {
 public:
  // has_room: called when requests can be begun for which there was no room when look() found them.
  Verifier(Loop& loop, Dispatcher& dispatcher, std::function<void()> has_room);

  // Starts what is due. Throws where the database cannot be asked.
  http::Task<void> look();

  // Verifications in progress.
  int active() const { return static_cast<int>(in_progress_.size()); }

 private:
  struct Beginning {
    Admission admission;
    std::int64_t position = 0;
  };

  bool take_turn(const PendingRequest& request);
  bool admits(const http::Address& address);
  void keep_share();
  http::Task<void> verify(PendingRequest request);
  http::Task<void> ask(PendingRequest request);
  http::Task<Beginning> beginning_of(const PendingRequest& request);
  http::Task<void> deny(const PendingRequest& request, const std::string& why);
  http::Task<void> confirm(const PendingRequest& request, std::int64_t position, const std::string& token);
  http::Task<void> disappointed(const PendingRequest& request, const http::ClientReply& reply);
  http::Task<void> drop(const PendingRequest& request);
  http::Task<void> put_off(const PendingRequest& request, std::chrono::milliseconds pause, bool was_tried);

  Loop& loop_;
  Dispatcher& dispatcher_;
  const RetryLaw retry_;
  const std::function<void()> has_room_;
  bool is_looking_ = false;
  bool are_left_ = false;  // found, and not begun for want of room
  std::unordered_set<std::int64_t> in_progress_;
  std::unordered_set<std::int64_t> ended_;  // since look() began: it may still find them

  // How often callbacks of one host and domain may be asked, and for one client.
  Pace hosts_;
  Pace domains_;
  Pace clients_;

  std::mutex mutex_;  // guards what follows; held for moments only
  Pace networks_;     // how often connections may be opened to one; asked by the transport's thread

  Counter& confirmed_;
  Counter& refused_;
  Counter& held_back_;
  Histogram& seconds_;
};

}  // namespace courant::hub
