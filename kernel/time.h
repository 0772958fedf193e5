// Instants, durations and clocks. All of Courant's wall-clock time is UTC with microseconds, as PostgreSQL keeps it.
// Specification: RFC 3339 (Atom's dates), RFC 9110 section 5.6.7 (HTTP dates).
// Threads: pure functions; a Clock may be asked from any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace courant {

using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using Ticks = std::chrono::steady_clock::time_point;  // for timeouts: never goes back

// "2026-11-24T09:30:00.123456Z", always with six decimals, so that text order is time order.
std::string format_rfc3339(Instant instant);

// Any RFC 3339 date-time with zone, lower-case t and z included; further decimals are cut off. Nothing else, and
// nothing before the year 1 or after 9999-12-30 in UTC: what is a little later than that can still be written.
std::optional<Instant> parse_rfc3339(std::string_view text);

// "Tue, 24 Nov 2026 09:30:00 GMT", cut to whole seconds.
std::string format_http_date(Instant instant);

// Any of the three forms: IMF-fixdate, and the obsolete ones "Tuesday, 24-Nov-26 09:30:00 GMT" and
// "Tue Nov 24 09:30:00 2026". A year of two digits is the one that lies at most fifty years after `now`.
std::optional<Instant> parse_http_date(std::string_view text, Instant now);

// No time that anybody may ask for is longer, so that any instant and such a duration, added or taken away, are an
// instant that can be written.
inline constexpr std::chrono::milliseconds kLongestDuration = std::chrono::days(36'500);

// A duration such as "250ms", "10s", "5m", "2h" or "10d", of at most kLongestDuration.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest such text: 90000 ms is "90s".
std::string format_duration(std::chrono::milliseconds duration);

// What the calling thread has had of the processor.
std::chrono::nanoseconds processor_time();

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual Ticks ticks() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  Ticks ticks() const override;
};

}  // namespace courant
