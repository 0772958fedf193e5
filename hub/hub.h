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
#include "hub/loop.h"
#include "kernel/sealed.h"

namespace courant::hub {

class Hub {
 public:
  // Everything given by reference must outlive the hub. executor: database threads of the hub's own, so that pushes and
  // readers do not wait for each other.
  Hub(HubOptions options, Vault vault, TopicSource& source, sql::Executor& executor, Transport& transport,
      std::shared_ptr<const http::AddressGuard> guard, const Clock& clock, Metrics& metrics);
  ~Hub();  // stops
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // A fault says why the hub cannot work with this database.
  Result<bool> start(sql::Session& session);

  // Feeds have moved; never blocks.
  void moved(const std::vector<Moved>& feeds);

  // Judges and stores a subscriber's or publisher's form; the status of the answer. Throws Problem. For io threads.
  http::Task<int> take(std::string body, std::string identity, std::string client);

  // Ends what is in flight, saves cursors, hands its shards over.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// POST /hub.
std::vector<http::Route> routes(Hub& hub);

}  // namespace courant::hub
