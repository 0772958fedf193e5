#include "feeds/rhythm.h"

#include <algorithm>

namespace courant::feeds {
namespace {

constexpr Ticks::rep kWeight = 4;  // the newest time between moves is a quarter of the mean
constexpr int kSteps[] = {0, 1, 5, 15, 60, 300, 900, 3600};

}  // namespace

void Rhythm::beat(Ticks now) {
  const Ticks::rep time = now.time_since_epoch().count();
  const Ticks::rep between = std::max<Ticks::rep>(0, time - last_.exchange(time));
  if (!has_moved_.exchange(true)) return;  // a feed is often made for its first entry
  // Of two threads that tell at once one may be lost: it is an estimate.
  const Ticks::rep mean = mean_;
  mean_ = mean == kUnknown ? between : mean + (between - mean) / kWeight;
}

std::chrono::seconds Rhythm::poll_interval(Ticks now, std::chrono::seconds most) const {
  const Ticks::rep quiet = std::max<Ticks::rep>(0, now.time_since_epoch().count() - last_);
  // The time that is not over yet counts like the others once it is longer: a feed that has stopped becomes idle.
  const Ticks::rep mean = mean_;
  const Ticks::rep usual = quiet > mean ? mean + (quiet - mean) / kWeight : mean;
  const auto half = std::chrono::duration_cast<std::chrono::seconds>(Ticks::duration(std::min(quiet, usual) / 2));
  if (half >= most) return most;
  return std::chrono::seconds(*std::prev(std::upper_bound(std::begin(kSteps), std::end(kSteps), half.count())));
}

}  // namespace courant::feeds
