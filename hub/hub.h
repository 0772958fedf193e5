// The hub: takes subscriptions, verifies them, and delivers what is new to each until its callback has it.
// A subscription is a reader whose cursor the hub keeps: its whole state is one position and a clock for retries.
// Specification: WebSub (W3C Recommendation 2018), PubSubHubbub 0.4 and 0.3; docs/API.md ("The hub").
// Threads: all calls from any thread; a thread of its own does the work.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/address_guard.h"
#include "http/router.h"
#include "hub/census.h"
#include "hub/confirmations.h"
#include "hub/loop.h"
#include "hub/topic_insight.h"
#include "kernel/sealed.h"

namespace courant::hub {

class Hub {
 public:
  // Everything given by reference must outlive the hub. executor: database threads of the hub's own, so that pushes and
  // readers do not wait for each other; readers: the others, for those who ask what has been confirmed.
  Hub(HubOptions options, Vault vault, TopicSource& source, TopicInsight& insight, sql::Executor& executor,
      sql::Executor& readers, Transport& transport, std::shared_ptr<const http::AddressGuard> guard, const Clock& clock,
      Metrics& metrics);
  ~Hub();  // stops
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // A fault says why the hub cannot work with this database.
  Result<bool> start(sql::Session& session);

  // Feeds have moved: a WakeUp (hub/seam.h).
  void moved(const std::vector<Moved>& feeds);

  // Requests that waited for their topics wait no longer; never blocks.
  void look_at_requests();

  // Judges and stores a subscriber's or publisher's form; the status of the answer. Throws Problem. For io threads.
  http::Task<int> take(std::string body, std::string identity, std::string client);

  // How many live subscriptions of a feed have everything up to a position, once all have or `until` has passed, as
  // Confirmations::ask. For io threads.
  http::Task<Confirmed> confirmed(LogPlace place, Ticks until, http::Presence* asker);

  // The part of all subscriptions that this process delivers to, as of its last heartbeat: its part of what all
  // processes may do together.
  double share() const;

  // How far the subscriptions of this process are behind, as of the last census. Never null.
  std::shared_ptr<const Overview> overview() const;

  // Other leases, limits, allow_http for requests, and other document limits, signature and delivery_timeout for
  // deliveries that begin from now on. The other options stay.
  void change(const HubOptions& options);

  // Whoever waits for confirmations is answered; nobody waits any more.
  void let_go();

  // The pages of subscriptions.
  std::vector<http::Route> self_service();

  // Ends what is in flight, saves cursors, hands its shards over.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::hub
