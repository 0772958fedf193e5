#include "access/rate_limiter.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <random>

namespace courant::access {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

std::int64_t nanoseconds_of(Ticks ticks) {
  return std::chrono::duration_cast<nanoseconds>(ticks.time_since_epoch()).count();
}

std::uint64_t by_chance() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

RateLimiter::RateLimiter(std::int64_t most, milliseconds period, std::size_t places)
    : most_(most),
      period_(period),
      sets_(std::bit_ceil(std::max(places / kWays, std::size_t{1}))),
      seed_(by_chance()),
      places_(most > 0 ? std::make_unique<Place[]>(sets_ * kWays) : nullptr) {}

RateLimiter::Place& RateLimiter::place_of(std::uint64_t whom, std::int64_t now) {
  Place* const set = set_of(whom);
  Place* best = set;
  for (Place* place = set; place != set + kWays; ++place) {
    if (place->whom.load(std::memory_order_relaxed) == whom) return *place;
    if (place->full_at.load(std::memory_order_relaxed) < best->full_at.load(std::memory_order_relaxed)) best = place;
  }
  // Two threads that take the same place at once forget one of the two: it begins with a full bucket.
  best->whom.store(whom, std::memory_order_relaxed);
  best->full_at.store(now, std::memory_order_relaxed);
  return *best;
}

std::uint64_t RateLimiter::name_of(std::string_view whom) const {
  const std::uint64_t name = mixed(std::hash<std::string_view>{}(whom) ^ seed_);
  return name == 0 ? 1 : name;
}

RateLimiter::Taken RateLimiter::take(std::string_view whom, std::int64_t amount, Ticks now_ticks) {
  if (!is_limited()) return {};
  const std::int64_t now = nanoseconds_of(now_ticks);
  const std::int64_t needed = std::min(amount, most_) * each();  // of the bucket, to be granted
  std::atomic<std::int64_t>& full_at = place_of(name_of(whom), now).full_at;
  std::int64_t known = full_at.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t from = std::max(known, now);
    const std::int64_t room = capacity() - (from - now);  // below 0: something is owed
    if (needed > room) {
      return {false, std::max<std::int64_t>(room, 0) / each(),
              std::chrono::ceil<milliseconds>(nanoseconds(needed - room))};
    }
    const std::int64_t then = from + amount * each();
    if (!full_at.compare_exchange_weak(known, then, std::memory_order_relaxed)) continue;
    return {true, std::max<std::int64_t>(capacity() - (then - now), 0) / each(),
            std::chrono::ceil<milliseconds>(nanoseconds(then - now))};
  }
}

RateLimiter::Taken RateLimiter::look(std::string_view whom, Ticks now_ticks) const {
  if (!is_limited()) return {};
  const std::int64_t now = nanoseconds_of(now_ticks);
  const std::uint64_t name = name_of(whom);
  std::int64_t lacks = 0;  // of a bucket that is not kept nothing does
  for (const Place* place = set_of(name); place != set_of(name) + kWays; ++place) {
    if (place->whom.load(std::memory_order_relaxed) != name) continue;
    lacks = std::max<std::int64_t>(place->full_at.load(std::memory_order_relaxed) - now, 0);
  }
  return {true, std::max<std::int64_t>(capacity() - lacks, 0) / each(),
          std::chrono::ceil<milliseconds>(nanoseconds(lacks))};
}

}  // namespace courant::access
