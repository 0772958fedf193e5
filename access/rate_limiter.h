// How often something may be done, by each of many: token buckets in bounded memory.
// A bucket is one number, the time at which it will be full again (the generic cell rate algorithm), so that taking
// from it is one exchange of an atomic, and a bucket that is full need not be kept. Where more are in use at once than
// there is room for, that which will be full the soonest is forgotten: a flood of names gains those that it pushes out
// a little. Threads: any; without locks.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "kernel/time.h"

namespace courant::access {

class RateLimiter {
 public:
  // most: what a bucket holds, and what flows into it again in a period; 0: no limit. places: buckets in use at once.
  explicit RateLimiter(std::int64_t most, std::chrono::milliseconds period = std::chrono::minutes(1),
                       std::size_t places = 1 << 14);

  bool is_limited() const { return most_ > 0; }
  std::int64_t most() const { return most_; }
  std::chrono::milliseconds period() const { return period_; }

  struct Taken {
    bool is_granted = true;
    std::int64_t left = 0;               // what could be taken at once from now on
    std::chrono::milliseconds until{0};  // refused: when as much may be taken; granted: when the bucket is full again
  };
  // Takes so much from somebody's bucket. More than a bucket holds is granted where it is full, and then owed.
  // Nothing is taken where it is refused.
  Taken take(std::string_view whom, std::int64_t amount, Ticks now);
  // The same of nothing: how much is left, and when the bucket is full again.
  Taken look(std::string_view whom, Ticks now) const;

 private:
  static constexpr std::size_t kWays = 4;  // places that a name may have
  struct Place {
    std::atomic<std::uint64_t> whom{0};    // 0: nobody
    std::atomic<std::int64_t> full_at{0};  // nanoseconds of Ticks
  };
  std::uint64_t name_of(std::string_view whom) const;
  Place* set_of(std::uint64_t name) const { return &places_[(name % sets_) * kWays]; }
  Place& place_of(std::uint64_t whom, std::int64_t now);
  std::int64_t capacity() const { return std::chrono::nanoseconds(period_).count(); }
  // Nanoseconds until one more may be taken.
  std::int64_t each() const { return std::max<std::int64_t>(capacity() / most_, 1); }

  const std::int64_t most_;
  const std::chrono::milliseconds period_;
  const std::size_t sets_;
  const std::uint64_t seed_;  // so that nobody can choose names that meet
  const std::unique_ptr<Place[]> places_;
};

}  // namespace courant::access
