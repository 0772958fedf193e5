// The verifier: asks callbacks whether accepted requests are wanted, and makes or ends subscriptions by their answers.
// Specification: WebSub section 5.3.
// Threads: the hub's loop.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "hub/dispatcher.h"
#include "hub/loop.h"

namespace courant::hub {

class Verifier {
 public:
  Verifier(Loop& loop, Dispatcher& dispatcher);

  // Starts what is due. Throws where the database cannot be asked.
  http::Task<void> look();

  // Verifications in progress.
  int active() const { return static_cast<int>(in_progress_.size()); }

 private:
  bool take_turn(const std::string& host);
  http::Task<void> verify(PendingRequest request);
  http::Task<void> ask(PendingRequest request);
  http::Task<std::int64_t> position_for(const PendingRequest& request);
  http::Task<void> confirm(const PendingRequest& request, std::int64_t position);
  http::Task<void> disappointed(const PendingRequest& request, const http::ClientReply& reply);

  Loop& loop_;
  Dispatcher& dispatcher_;
  const RetryLaw retry_;
  bool is_looking_ = false;
  std::unordered_set<std::int64_t> in_progress_;

  // How many were begun of each callback's host in the present second.
  std::chrono::seconds second_{0};
  std::unordered_map<std::string, std::int64_t> begun_;

  Counter& confirmed_;
  Counter& refused_;
};

}  // namespace courant::hub
