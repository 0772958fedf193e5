// The dispatcher: holds the subscriptions of this process's shards in memory and brings each to the end of its log, one
// document at a time, in order, tried again until the callback takes it.
// Threads: the hub's loop.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "hub/attempts.h"
#include "hub/document_pace.h"
#include "hub/documents.h"
#include "hub/leases.h"
#include "hub/lookout.h"
#include "hub/loop.h"
#include "hub/unreachable.h"
#include "hub/write_back.h"
#include "kernel/turns.h"

namespace courant::hub {

class Dispatcher {
 public:
  // What a subscription is about: it has everything, waits for its turn, is being sent a document, waits after a
  // failure, or until its callback's host can be reached.
  enum class Phase { kIdle, kWaiting, kDelivering, kResting, kParked };
  static constexpr std::array kPhases = {Phase::kIdle, Phase::kWaiting, Phase::kDelivering, Phase::kResting,
                                         Phase::kParked};

  explicit Dispatcher(Loop& loop);

  // A subscription of an owned shard, new or with a new lease; one that is known keeps its cursor.
  void adopt(Subscription subscription);
  void forget(std::int64_t number);
  // The position that the subscriber was told last, from where a subscription that is renewed goes on; nullopt: there
  // is none of that number.
  std::optional<std::int64_t> told(std::int64_t number) const;
  void drop_shard(std::int64_t shard);

  // For what owners of callbacks ask for (hub/changes.h). null: there is none of that number.
  const Subscription* find(std::int64_t number) const;
  // Takes over what its owner has set; whatever was held goes on. False: what is given is older than what is known.
  bool set_wishes(const Subscription& as_stored);
  // Nothing is begun for it any more, until it goes on. False: something is under way still; ask again.
  bool hold(std::int64_t number);
  // It goes on from a position that lies behind it; the subscriber is told that it stands there. Only while it is held.
  void set_back(std::int64_t number, std::int64_t position);
  // Nothing beyond a position, or what may have been sent already, is sent in this topic: where that ends.
  std::int64_t end_topic_at(std::int64_t number, std::int64_t position);
  void record(std::int64_t number, Attempt attempt);

  void moved(std::int64_t lane, std::int64_t feed, std::int64_t position);
  // Asks memory where the feeds of all subscriptions stand: what no wake-up told is found here.
  void look_at_all();

  // Feeds of which somebody waits to hear how far their subscriptions have come.
  void set_asked(std::set<FeedName> feeds) { lookout_.set_asked(std::move(feeds)); }

  // There are other keys than before: what is held for want of one is tried again.
  void look_for_secrets();

  // Writes back what has moved. Throws where the database cannot be asked; then nothing is lost.
  http::Task<void> save() { return write_back_.save(); }
  // Ends what has outlived its lease, and asks for the renewals that are due.
  http::Task<void> keep_leases() { return leases_.keep(); }

  // The loop is stopping: nothing waits any more for when it is tried again.
  void stop();

  // Deliveries in progress.
  int active() const { return turns_.taken(); }
  std::size_t subscriptions() const { return by_number_.size(); }
  std::int64_t count(Phase phase) const { return counts_[static_cast<std::size_t>(phase)]; }

  void visit(const std::function<void(const Subscription&)>& visit) const;

  // A subscription that is not idle, and where its feed stands as far as is known.
  struct Busy {
    const Subscription& subscription;
    Phase phase;
    std::int64_t head;
  };
  // Visits those of a higher number than `after`, in their order, at most so many. The number of the last one; nullopt:
  // all have been visited.
  std::optional<std::int64_t> visit_busy(std::int64_t after, int most,
                                         const std::function<void(const Busy&)>& visit) const;

 private:
  struct Live : Subscription {
    Phase phase = Phase::kIdle;
    bool is_gone = false;             // ended, or another process's now
    bool is_held = false;             // nothing is begun
    bool was_told_when = false;       // rests because its callback said for how long
    bool is_held_for_secret = false;  // rests because its secret cannot be read
    Ticks rests_until{};
    std::int64_t most_bytes = 0;  // of its next document
    DocumentPace pace;
  };
  using LivePtr = std::shared_ptr<Live>;

  void concern(const std::vector<Subscription*>& subscriptions);
  bool may_begin(const Live& live) const;
  bool is_behind(const Live& live) const;
  std::int64_t end_of_next(const Live& live) const;
  PushLimits limits_of(const Live& live) const;
  void remove(const LivePtr& live);
  void enter(const LivePtr& live, Phase phase);
  void add_to_count(Phase phase, int amount);
  void wake(const LivePtr& live);
  void pump();
  http::Task<void> deliver(LivePtr live);
  http::Task<bool> deliver_one(LivePtr live);
  http::Task<bool> has_its_secret(LivePtr live);
  http::Task<void> send(LivePtr live, PushDocument document);
  void delivered(const LivePtr& live, const PushDocument& document);
  http::Task<void> failed(LivePtr live, const http::ClientReply& reply);
  void could_not_connect(const LivePtr& live, const http::ClientReply& reply);
  void reached(const Live& live);
  void unpark(const LivePtr& live);
  void stop_probing(const LivePtr& live);
  void plan_probe();
  double chance();
  void go_on(const LivePtr& live);
  void stand_alone(const LivePtr& live);
  void rest(const LivePtr& live, std::chrono::milliseconds pause);
  void stop_resting(const LivePtr& live);
  void arm_timer();
  void wake_rested();
  void move_cursor(const LivePtr& live, std::int64_t position);

  Loop& loop_;
  Documents documents_;
  Lookout lookout_;
  WriteBack write_back_;
  Leases leases_;
  const RetryLaw retry_;
  std::minstd_rand random_;
  Turns<LivePtr> turns_;
  Unreachable<LivePtr> unreachable_;
  std::unordered_map<std::int64_t, LivePtr> by_number_;
  std::set<std::pair<Ticks, std::int64_t>> resting_;                            // subscriptions, by when they go on
  std::unordered_map<std::string, std::unordered_set<LivePtr>> resting_hosts_;  // the same, by callback host
  std::map<std::int64_t, LivePtr> busy_;                                        // those that are not idle, by number
  std::array<std::int64_t, kPhases.size()> counts_{};                           // of all, by phase
  boost::asio::steady_timer timer_;                                             // for the first of resting_
  boost::asio::steady_timer probe_timer_;                                       // for the next of unreachable_

  DeliveryAttempts attempts_;
  Counter& documents_delivered_;
  Counter& entries_;
  Counter& retries_;
  std::array<Gauge*, kPhases.size()> states_{};
};

// "caught_up", "waiting", "delivering", "resting", "unreachable".
std::string_view name_of(Dispatcher::Phase phase);

}  // namespace courant::hub
