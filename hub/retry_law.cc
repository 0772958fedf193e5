#include "hub/retry_law.h"

#include <algorithm>

#include "kernel/text.h"

namespace courant::hub {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongest = std::chrono::hours(24);  // a subscriber's mistake must not silence it for years

}  // namespace

milliseconds RetryLaw::pause(int failures, double chance) const {
  const std::size_t index = std::min(static_cast<std::size_t>(std::max(failures, 1)), pauses_.size()) - 1;
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(pauses_[index].count()) * (0.8 + 0.4 * chance)));
}

std::optional<milliseconds> retry_after(std::string_view field, Instant now) {
  if (const std::optional<std::uint64_t> seconds = parse_unsigned(trim(field))) {
    return std::min(kLongest, milliseconds(std::min<std::uint64_t>(*seconds, 86'400) * 1000));
  }
  const std::optional<Instant> date = parse_http_date(trim(field), now);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::duration_cast<milliseconds>(*date - now), milliseconds(0), kLongest);
}

}  // namespace courant::hub
