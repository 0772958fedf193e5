#include "feeds/load.h"

#include <utility>

namespace courant::feeds {
namespace {

constexpr int kBusyPercent = 90;

}  // namespace

void Load::look(Ticks now, std::chrono::nanoseconds used, bool is_database_behind) {
  const std::chrono::nanoseconds passed = now - std::exchange(looked_, now);
  const std::chrono::nanoseconds at_work = used - std::exchange(used_, used);
  const bool is_busy = std::exchange(has_looked_, true) && at_work * 100 >= passed * kBusyPercent;
  is_high_ = is_busy || is_database_behind;
}

}  // namespace courant::feeds
