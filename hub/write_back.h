// Writes back how far subscriptions and watches have come. What a crash takes with it is done again, and nothing is
// lost: a watch's position is written after every subscription that had left the watch by then, for it counts for all
// that say in the database that they share it. Threads: the hub's loop.
#pragma once

#include <map>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "hub/live.h"
#include "hub/lookout.h"
#include "hub/loop.h"

namespace courant::hub {

class WriteBack {
 public:
  WriteBack(Loop& loop, Lookout& lookout);

  // It has changed.
  void touch(const LivePtr& live);
  // It is ended, or another process's now.
  void forget(const LivePtr& live);

  // Writes what has changed up to the call; of watches every few seconds, where nobody waits to hear of it. Throws
  // where the database cannot be asked; then nothing is lost.
  http::Task<void> save();

 private:
  using Owners = std::map<std::int64_t, ShardEpoch>;  // by shard

  http::Task<void> save_all();
  std::vector<LivePtr> take_changed(const Owners& owners);
  http::Task<void> save_subscriptions(const Owners& owners);
  http::Task<void> save_watches(std::vector<SavedWatch> watches);

  Loop& loop_;
  Lookout& lookout_;
  std::vector<LivePtr> changed_;  // those that are unsaved still, and others
  Ticks watches_due_{};
  bool is_saving_ = false;
  boost::asio::steady_timer saved_;  // never expires: cancelled when a save is over
};

}  // namespace courant::hub
