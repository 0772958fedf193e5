// Takes up what owners of callbacks have asked for, of the subscriptions of this process's shards. A change is
// forgotten once what became of it has been saved: a crash before that repeats it. Threads: the hub's loop.
#pragma once

#include <unordered_set>
#include <vector>

#include "hub/dispatcher.h"
#include "hub/loop.h"
#include "hub/owner_store.h"

namespace courant::hub {

class Changes {
 public:
  Changes(Loop& loop, Dispatcher& dispatcher, const OwnerStore& store, TopicInsight& insight)
      : loop_(loop), dispatcher_(dispatcher), store_(store), insight_(insight) {}

  // The next look() is not to wait for its heartbeat.
  void hurry() { next_look_ = {}; }

  // Takes up what is due, once a heartbeat. Throws where the database cannot be asked, as settle does.
  http::Task<void> look();
  // Forgets what was taken up. To be called when the cursors have been saved, and by whoever saves them.
  http::Task<void> settle();

 private:
  // False: not yet.
  http::Task<bool> take_up(Change change);
  bool set_back(const Change& change);
  http::Task<bool> change_topic(Change change);
  http::Task<void> run_test(Change change);
  http::Task<void> send_test(Change change);

  Loop& loop_;
  Dispatcher& dispatcher_;
  const OwnerStore& store_;
  TopicInsight& insight_;
  Ticks next_look_{};
  std::vector<Change> taken_up_;
  std::unordered_set<std::int64_t> tested_;  // subscriptions of which a test is under way
};

}  // namespace courant::hub
