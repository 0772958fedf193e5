// The census: how far subscriptions are behind, counted anew every few seconds for the operator. Only those that are
// not known to have everything are looked at, a portion at a time, so neither the loop nor whoever asks waits for it.
// What stands first behind a place of a log is looked up once for all who stand there.
// Threads: the hub's loop; latest() from any.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hub/dispatcher.h"
#include "hub/loop.h"
#include "kernel/snapshot.h"

namespace courant::hub {

// How many values lie up to each of some bounds.
class Distribution {
 public:
  // bounds: ascending.
  explicit Distribution(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void add(double value, std::int64_t times = 1);

  const std::vector<double>& bounds() const { return bounds_; }
  // Of each bound how many values are at most that, and last of all how many there are.
  std::vector<std::int64_t> cumulative() const;

 private:
  std::vector<double> bounds_;
  std::vector<std::int64_t> counts_;  // behind the bound before
};

// A subscription that is behind.
struct Laggard {
  std::int64_t subscription = 0;
  std::string topic;  // canonical
  std::string callback_host;
  std::string state;
  std::int64_t positions = 0;  // behind the head
  Instant since;               // when the oldest entry that it has not got was committed
  std::int64_t failures = 0;   // since the last success
  std::optional<Instant> next_attempt;
  std::string last_error;  // empty: none is known
};

// What a census has found, of the subscriptions of this process.
struct Overview {
  static constexpr std::size_t kWorst = 10;

  Overview();
  Instant taken;                               // when it ended
  std::map<std::string, std::int64_t> states;  // how many subscriptions are in each
  Distribution positions;                      // behind the head; those that have everything at 0
  Distribution seconds;                        // since the oldest undelivered entry was committed
  std::vector<Laggard> worst;                  // the longest behind first
};

class Census {
 public:
  Census(Loop& loop, const Dispatcher& dispatcher);

  // Counts once. Throws where the database cannot be asked; then the census before stands.
  http::Task<void> take();

  // Never null; empty before the first.
  std::shared_ptr<const Overview> latest() const { return latest_.load(); }

 private:
  struct Seen {
    std::int64_t number = 0;
    LogPlace place;
    std::int64_t positions = 0;
  };
  struct Oldest {
    Instant since;
    std::int64_t number = 0;
    auto operator<=>(const Oldest&) const = default;
  };

  http::Task<void> look_up(std::vector<LogPlace> places);
  void count(const std::vector<Seen>& portion, Overview& overview, std::vector<Oldest>& worst) const;
  void describe(const std::vector<Oldest>& worst, Overview& overview) const;
  void publish(std::shared_ptr<const Overview> overview);

  Loop& loop_;
  const Dispatcher& dispatcher_;
  std::map<LogPlace, std::optional<Instant>> since_;  // of the census that is being taken
  Snapshot<Overview> latest_;
  std::vector<Gauge*> positions_;  // one for each bound, and one for all
  std::vector<Gauge*> seconds_;
  Gauge& oldest_;
};

}  // namespace courant::hub
