#include "feeds/spare_time.h"

namespace courant::feeds {
namespace {

constexpr int kRests = 9;  // as long as the work took

}  // namespace

bool SpareTime::take(Ticks now) {
  Ticks::rep free_at = free_at_;
  if (now.time_since_epoch().count() < free_at) return false;
  return free_at_.compare_exchange_strong(free_at, Ticks::max().time_since_epoch().count());
}

void SpareTime::give_back(Ticks began, Ticks now) {
  free_at_ = (now + kRests * (now - began)).time_since_epoch().count();
}

}  // namespace courant::feeds
