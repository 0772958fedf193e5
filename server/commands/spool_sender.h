// Sends what waits in a spool: oldest first, each feed in order, again and again until it is stored.
// Threads: one.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "hub/retry_law.h"
#include "server/commands/asking.h"
#include "server/commands/spool.h"

namespace courant::server {

struct SendingOptions {
  Asker asker;
  std::optional<std::chrono::milliseconds> patience;    // without any entry stored or refused; nullopt: no end
  std::chrono::milliseconds attempt;                    // the longest for one request
  std::function<void(const std::string&)> say;          // a sentence for people
  std::function<void(std::size_t sent)> show_progress;  // after each entry
};

// What became of the entries that this process sent.
struct Sent {
  std::size_t created = 0;
  std::size_t known = 0;  // stored before
  std::size_t refused = 0;
};

class SpoolSender {
 public:
  SpoolSender(Spool& spool, SendingOptions options);

  // Until nothing waits or the patience is over. A feed that fails for the moment holds up its own entries alone; an
  // entry that is refused for good is put aside, and those behind it are sent.
  Sent send_all();

 private:
  using Ticks = std::chrono::steady_clock::time_point;

  // A feed that failed for the moment.
  struct Failing {
    int failures = 0;  // in a row
    Ticks not_before;
    std::string reason;  // that was said
  };

  bool wait_for_turn();
  std::optional<Ticks> send_group(const std::string& name);
  bool send_entry(const SpooledGroup& group, const SpooledEntry& entry);
  void note_failure(const std::string& feed_url, const http::ClientReply& reply);
  void note_progress();
  bool is_patience_over(Ticks until) const;

  Spool& spool_;
  const SendingOptions options_;
  Asking asking_{options_.asker};
  const hub::RetryLaw law_;
  std::map<std::string, Failing> failing_;  // by feed
  std::map<std::string, Ticks> held_;       // feeds of which nothing more is sent in this round: when to try again
  std::optional<Descriptor> turn_;
  Ticks progress_;  // the last
  std::mt19937 chance_{std::random_device{}()};
  Sent sent_;
};

}  // namespace courant::server
