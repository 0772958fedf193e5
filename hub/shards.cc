#include "hub/shards.h"

namespace courant::hub {

std::vector<std::int64_t> Shards::update(const KeptShards& kept, Ticks asked) {
  std::map<std::int64_t, Shard> now;
  for (const ShardEpoch& shard : kept.shards) {
    const auto known = shards_.find(shard.shard);
    const bool is_same = known != shards_.end() && known->second.epoch == shard.epoch;
    now[shard.shard] = {shard.epoch, is_same && known->second.is_loaded};
  }
  std::vector<std::int64_t> lost;
  for (const auto& [shard, state] : shards_) {
    const auto still = now.find(shard);
    if (still == now.end() || still->second.epoch != state.epoch) lost.push_back(shard);
  }
  shards_ = std::move(now);
  sure_until_ = asked + lease_;
  return lost;
}

std::vector<ShardEpoch> Shards::unloaded() const {
  std::vector<ShardEpoch> shards;
  for (const auto& [shard, state] : shards_) {
    if (!state.is_loaded) shards.push_back({shard, state.epoch});
  }
  return shards;
}

bool Shards::has(const ShardEpoch& shard) const {
  const auto found = shards_.find(shard.shard);
  return found != shards_.end() && found->second.epoch == shard.epoch;
}

void Shards::set_loaded(std::int64_t shard) {
  if (const auto found = shards_.find(shard); found != shards_.end()) found->second.is_loaded = true;
}

void Shards::drop(std::int64_t shard) {
  shards_.erase(shard);
}

std::optional<ShardEpoch> Shards::owned(std::int64_t shard, Ticks now) const {
  return now < sure_until_ ? held(shard) : std::nullopt;
}

std::optional<ShardEpoch> Shards::held(std::int64_t shard) const {
  const auto found = shards_.find(shard);
  if (found == shards_.end() || !found->second.is_loaded) return std::nullopt;
  return ShardEpoch{shard, found->second.epoch};
}

std::vector<std::int64_t> Shards::all() const {
  std::vector<std::int64_t> shards;
  for (const auto& [shard, state] : shards_) shards.push_back(shard);
  return shards;
}

}  // namespace courant::hub
