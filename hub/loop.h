// The hub's loop: one thread on which all its state lives, so that nothing of it needs a lock. Whatever waits (for
// PostgreSQL, callbacks, time) is a coroutine on it.
// Threads: everything here belongs to the loop's thread, unless it says otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "http/task.h"
#include "hub/inbox.h"
#include "hub/retry_law.h"
#include "hub/seam.h"
#include "hub/shards.h"
#include "hub/store.h"
#include "hub/transport.h"
#include "kernel/digest.h"
#include "kernel/metrics.h"
#include "kernel/time.h"
#include "sql/executor.h"

namespace courant::hub {

// How many callbacks are asked in a second, at most: all processes of a database together.
struct VerificationRates {
  std::int64_t per_host = 20;     // of callbacks
  std::int64_t per_domain = 40;   // registrable, of callbacks
  std::int64_t per_network = 40;  // in which callbacks are found to lie: connections
  std::int64_t per_client = 100;  // requests of one address
};

struct HubOptions {
  int niceness = 10;     // of the loop's thread: a flood of pushes gives way to readers
  bool delivers = true;  // else requests are taken, and verified and delivered by other processes
  std::string hub_url;
  std::string process;  // a name that no other process of this database has
  std::chrono::seconds lease_default{10 * 86'400};
  std::chrono::seconds lease_min{300};
  std::chrono::seconds lease_max{30 * 86'400};
  std::chrono::milliseconds delivery_timeout{10'000};
  PushLimits document;
  bool allow_http = true;
  int in_flight = 512;          // deliveries at once
  int in_flight_per_host = 16;  // of one callback host
  Counts limits{1000, 20'000, 1'000'000, 100'000, 200'000, 200'000};
  VerificationRates verifications;
  HmacAlgorithm signature = HmacAlgorithm::kSha256;
  std::vector<std::chrono::milliseconds> retry = {std::chrono::milliseconds(0)};
  std::vector<std::chrono::milliseconds> verification_retry = {std::chrono::seconds(5), std::chrono::seconds(30),
                                                               std::chrono::minutes(2), std::chrono::minutes(10)};
  std::chrono::milliseconds shard_lease{4'000};  // a dead process's shards are taken over after this
  std::chrono::milliseconds heartbeat{1'000};
  std::chrono::milliseconds census_every{5'000};
  std::size_t max_waiting = 100'000;  // for confirmations
  // What a crash repeats at most, beside what is in flight: the second where saving all that changes takes long.
  std::chrono::milliseconds save_every{200};
  std::chrono::milliseconds save_at_least_every{1'000};
  // What a crash looks at again at most. Where somebody waits to hear of it, with each save.
  std::chrono::milliseconds save_watches_every{5'000};
};

// Transport::send for coroutines: the answer; kStopped where nothing is sent any more.
http::Task<http::ClientReply> send(Transport& transport, http::ClientRequest request);

// What the parts of the hub share.
struct Loop {
  const HubOptions& options;
  TopicSource& source;
  sql::Executor& executor;
  Transport& transport;
  const Store& store;
  const Clock& clock;
  Metrics& metrics;
  boost::asio::io_context& io;
  Shards shards;
  Inbox inbox{io};
  bool is_stopping = false;
  std::int64_t all_shards = 64;  // of the database

  // The part of all subscriptions that is this process's: its part of what all processes may do together.
  double share() const { return static_cast<double>(shards.all().size()) / static_cast<double>(all_shards); }

  // Runs a coroutine to its end, and then what is to come after it. What it throws is logged.
  void start(http::Task<void> task, std::function<void()> then = nullptr);
  http::Task<http::ClientReply> send(http::ClientRequest request);
};

}  // namespace courant::hub
