// The dispatcher: holds the subscriptions of this process's shards in memory and brings each to the end of its log, one
// document at a time, in order, tried again until the callback takes it.
// Threads: the hub's loop.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "hub/deliveries.h"
#include "hub/leases.h"
#include "hub/live.h"
#include "hub/lookout.h"
#include "hub/loop.h"
#include "hub/parking.h"
#include "hub/phases.h"
#include "hub/rests.h"
#include "hub/write_back.h"
#include "kernel/turns.h"

namespace courant::hub {

class Dispatcher final : private Waker {
 public:
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
  std::int64_t count(Phase phase) const { return phases_.count(phase); }

  void visit(const std::function<void(const Subscription&)>& visit) const;

  // A subscription that is not idle, and where its feed stands as far as is known.
  struct Busy {
    const Subscription& subscription;
    Phase phase;
    std::int64_t head;
  };
  std::vector<std::int64_t> busy() const;  // their numbers
  // nullopt: it is idle, or there is none of that number any more.
  std::optional<Busy> find_busy(std::int64_t number) const;

 private:
  void concern(const std::vector<Subscription*>& subscriptions);
  void remove(const LivePtr& live);
  void wake(const LivePtr& live) override;
  void pump() override;
  void leave(const LivePtr& live, const std::string& host);
  void go_on(const LivePtr& live);
  void stand_alone(const LivePtr& live);

  Loop& loop_;
  const RetryLaw retry_;
  Lookout lookout_;
  WriteBack write_back_;
  Leases leases_;
  Phases phases_;
  Rests rests_;
  Parking parking_;
  Deliveries deliveries_;
  Turns<LivePtr> turns_;
  std::unordered_map<std::int64_t, LivePtr> by_number_;
};

}  // namespace courant::hub
