#include "access/failure_limit.h"

#include <algorithm>

namespace courant::access {
namespace {

constexpr std::chrono::seconds kMinute{60};

}  // namespace

std::optional<std::chrono::seconds> FailureLimit::failed(const std::string& address, Ticks now) {
  const std::lock_guard lock(mutex_);
  if (counts_.size() >= most_addresses_ && !counts_.contains(address)) {
    std::erase_if(counts_, [now](const auto& count) { return now - count.second.since >= kMinute; });
  }
  const bool has_room = counts_.size() < most_addresses_ || counts_.contains(address);
  Count& count = counts_[has_room ? address : std::string()];
  if (count.failures == 0 || now - count.since >= kMinute) count = {now, 0};
  if (++count.failures <= most_) return std::nullopt;
  const auto left = std::chrono::ceil<std::chrono::seconds>(count.since + kMinute - now);
  return std::max(left, std::chrono::seconds(1));
}

}  // namespace courant::access
