// Which shards of subscriptions this process owns, and until when that is sure.
// Threads: one at a time (the hub's loop).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "hub/store.h"
#include "kernel/time.h"

namespace courant::hub {

class Shards {
 public:
  explicit Shards(std::chrono::milliseconds lease) : lease_(lease) {}

  // What a heartbeat gave, which was asked for at `asked`. Returns the shards that are not owned (in this epoch) any
  // more; what was gained is in unloaded().
  std::vector<std::int64_t> update(const KeptShards& kept, Ticks asked);

  // Owned, and its subscriptions are not in memory yet.
  std::vector<ShardEpoch> unloaded() const;
  // As far as is known, it is owned in this epoch still.
  bool has(const ShardEpoch& shard) const;
  void set_loaded(std::int64_t shard);
  void drop(std::int64_t shard);

  // nullopt: another process may own it by now, so nothing may be sent for it.
  std::optional<ShardEpoch> owned(std::int64_t shard, Ticks now) const;

  // In memory, and not known to be another's, however long ago the last heartbeat was. Enough for what the database
  // does only for the owner in this epoch. nullopt: whoever owns it has loaded it since, or will.
  std::optional<ShardEpoch> held(std::int64_t shard) const;
  std::vector<std::int64_t> all() const;

 private:
  struct Shard {
    std::int64_t epoch = 0;
    bool is_loaded = false;
  };
  const std::chrono::milliseconds lease_;
  std::map<std::int64_t, Shard> shards_;
  Ticks sure_until_{};
};

}  // namespace courant::hub
