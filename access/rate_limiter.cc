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
  Place* const set = &places_[(whom % sets_) * kWays];
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

RateLimiter::Taken RateLimiter::take(std::string_view whom, std::int64_t amount, Ticks now_ticks) {
  if (!is_limited()) return {};
  const std::int64_t now = std::chrono::duration_cast<nanoseconds>(now_ticks.time_since_epoch()).count();
  const std::int64_t capacity = nanoseconds(period_).count();
  const std::int64_t each = std::max<std::int64_t>(capacity / most_, 1);
  const std::int64_t needed = std::min(amount, most_) * each;  // of the bucket, to be granted
  std::uint64_t name = mixed(std::hash<std::string_view>{}(whom) ^ seed_);
  if (name == 0) name = 1;
  std::atomic<std::int64_t>& full_at = place_of(name, now).full_at;
  std::int64_t known = full_at.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t from = std::max(known, now);
    const std::int64_t room = capacity - (from - now);  // below 0: something is owed
    if (needed > room) {
      return {false, std::max<std::int64_t>(room, 0) / each,
              std::chrono::ceil<milliseconds>(nanoseconds(needed - room))};
    }
    const std::int64_t then = from + amount * each;
    if (!full_at.compare_exchange_weak(known, then, std::memory_order_relaxed)) continue;
    return {true, std::max<std::int64_t>(capacity - (then - now), 0) / each,
            std::chrono::ceil<milliseconds>(nanoseconds(then - now))};
  }
}

}  // namespace courant::access
