#include "feeds/load.h"

#include <utility>

namespace courant::feeds {
namespace {

constexpr int kBusyPercent = 90;

}  // namespace

bool WorkedTime::look(Ticks now, std::chrono::nanoseconds used) {
  const std::chrono::nanoseconds passed = now - std::exchange(looked_, now);
  const std::chrono::nanoseconds at_work = used - std::exchange(used_, used);
  return std::exchange(has_looked_, true) && at_work * 100 >= passed * kBusyPercent;
}

}  // namespace courant::feeds
