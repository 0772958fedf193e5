#include "hub/write_back.h"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace courant::hub {
namespace {

constexpr std::size_t kSavedAtOnce = 5000;

}  // namespace

WriteBack::WriteBack(Loop& loop, Lookout& lookout) : loop_(loop), lookout_(lookout), saved_(loop.io) {
  saved_.expires_at(boost::asio::steady_timer::time_point::max());
}

void WriteBack::touch(const LivePtr& live) {
  if (!std::exchange(live->is_unsaved, true)) changed_.push_back(live);
}

void WriteBack::forget(const LivePtr& live) {
  live->is_unsaved = false;
}

// One at a time: an older state must not be written after a newer one.
http::Task<void> WriteBack::save() {
  while (is_saving_) {
    boost::system::error_code ignored;
    co_await saved_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  is_saving_ = true;
  std::exception_ptr failure;
  try {
    co_await save_all();
  } catch (...) {
    failure = std::current_exception();
  }
  is_saving_ = false;
  saved_.cancel();
  if (failure) std::rethrow_exception(failure);
}

http::Task<void> WriteBack::save_all() {
  const Ticks now = loop_.clock.ticks();
  Owners owners;
  for (const std::int64_t shard : loop_.shards.all()) {
    if (const std::optional<ShardEpoch> owner = loop_.shards.owned(shard, now)) owners.emplace(shard, *owner);
  }
  const bool are_all_due = now >= watches_due_ || loop_.is_stopping;
  std::vector<SavedWatch> watches = lookout_.unsaved(are_all_due);  // of now, before who has left them is saved
  std::erase_if(watches, [&owners](SavedWatch& watch) {
    const auto owner = owners.find(watch.owner.shard);
    if (owner != owners.end()) watch.owner = owner->second;
    return owner == owners.end();
  });
  co_await save_subscriptions(owners);
  co_await save_watches(std::move(watches));
  if (are_all_due) watches_due_ = now + loop_.options.save_watches_every;
}

// Of shards that may be another process's by now nothing is written: if they are, that one has read older states, and
// repeats a little.
std::vector<LivePtr> WriteBack::take_changed(const Owners& owners) {
  const std::vector<std::int64_t> ours = loop_.shards.all();  // in order
  std::vector<LivePtr> taken;
  for (const LivePtr& live : std::exchange(changed_, {})) {
    if (!std::exchange(live->is_unsaved, false)) continue;
    if (owners.contains(live->shard)) {
      taken.push_back(live);
    } else if (std::ranges::binary_search(ours, live->shard)) {
      touch(live);
    }
  }
  const auto is_older = [](const LivePtr& one, const LivePtr& other) { return one->number < other->number; };
  std::ranges::sort(taken, is_older);  // as they lie in the table: each of its pages is visited once
  return taken;
}

http::Task<void> WriteBack::save_subscriptions(const Owners& owners) {
  std::vector<LivePtr> waiting = take_changed(owners);
  while (!waiting.empty()) {
    const std::size_t count = std::min(waiting.size(), kSavedAtOnce);
    std::vector<SavedProgress> batch;
    batch.reserve(count);
    for (std::size_t i = waiting.size() - count; i < waiting.size(); ++i) {
      batch.push_back({owners.at(waiting[i]->shard), waiting[i]->number, *waiting[i]});
    }
    try {
      const auto work = [this, &batch](sql::Session& session) {
        loop_.store.save(session, batch);
        return true;
      };
      co_await loop_.executor.run(work);
    } catch (...) {
      for (const LivePtr& live : waiting) {
        if (!live->is_gone) touch(live);
      }
      throw;
    }
    waiting.resize(waiting.size() - count);
  }
}

http::Task<void> WriteBack::save_watches(std::vector<SavedWatch> watches) {
  if (watches.empty()) co_return;
  const auto work = [this, &watches](sql::Session& session) {
    loop_.store.save_watches(session, watches);
    return true;
  };
  co_await loop_.executor.run(work);
  lookout_.set_saved(watches);
}

}  // namespace courant::hub
