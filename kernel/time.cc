#include "kernel/time.h"

#include <array>
#include <cstdio>

#include <time.h>

#include "kernel/text.h"

namespace courant {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::array<const char*, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 7> kWholeWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// What parse_rfc3339 takes: [kEarliest, kLatest).
constexpr Instant kEarliest = sys_days(year_month_day{std::chrono::year(1), std::chrono::January, std::chrono::day(1)});
constexpr Instant kLatest =
    sys_days(year_month_day{std::chrono::year(9999), std::chrono::December, std::chrono::day(31)});

// Takes exactly `count` digits from the front of text.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  const std::optional<std::uint64_t> value = parse_unsigned(text.substr(0, count));
  if (!value) return std::nullopt;
  text.remove_prefix(count);
  return static_cast<int>(*value);
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<microseconds> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return microseconds(0);
  microseconds fraction(0);
  microseconds unit(100'000);
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    fraction += unit * (text[digits] - '0');
    unit /= 10;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return fraction;
}

std::optional<minutes> take_zone(std::string_view& text) {
  if (take(text, "Z") || take(text, "z")) return minutes(0);
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  text.remove_prefix(1);
  const std::optional<int> hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const std::optional<int> minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return minutes(sign * (*hour * 60 + *minute));
}

// Takes one of the names from the front of text; gives its index.
template <std::size_t N>
std::optional<int> take_name(std::string_view& text, const std::array<const char*, N>& names) {
  for (std::size_t i = 0; i < N; ++i) {
    if (take(text, names[i])) return static_cast<int>(i);
  }
  return std::nullopt;
}

std::optional<int> take_month(std::string_view& text) {
  const std::optional<int> index = take_name(text, kMonths);
  return index ? std::optional(*index + 1) : std::nullopt;
}

// "09:30:00".
struct TimeOfDay {
  int hour;
  int minute;
  int second;
};
std::optional<TimeOfDay> take_time_of_day(std::string_view& text) {
  const std::optional<int> hour = take_number(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const std::optional<int> minute = take_number(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const std::optional<int> second = take_number(text, 2);
  if (!second) return std::nullopt;
  return TimeOfDay{*hour, *minute, *second};
}

std::optional<Instant> instant_of(int year, int month, int day, const TimeOfDay& time) {
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  // 60 is a leap second: it is read as the second after.
  if (!date.ok() || time.hour > 23 || time.minute > 59 || time.second > 60) return std::nullopt;
  return Instant(sys_days(date)) + std::chrono::hours(time.hour) + minutes(time.minute) +
         std::chrono::seconds(time.second);
}

// The forms of HTTP's dates; RFC 9110 section 5.6.7. The day of the week must be one, and is not held against the date.

std::optional<Instant> parse_imf_fixdate(std::string_view text) {
  if (!take_name(text, kWeekdays) || !take(text, ", ")) return std::nullopt;
  const std::optional<int> day = take_number(text, 2);
  if (!day || !take(text, " ")) return std::nullopt;
  const std::optional<int> month = take_month(text);
  if (!month || !take(text, " ")) return std::nullopt;
  const std::optional<int> year = take_number(text, 4);
  if (!year || !take(text, " ")) return std::nullopt;
  const std::optional<TimeOfDay> time = take_time_of_day(text);
  if (!time || text != " GMT") return std::nullopt;
  return instant_of(*year, *month, *day, *time);
}

std::optional<Instant> parse_rfc850_date(std::string_view text, Instant now) {
  if (!take_name(text, kWholeWeekdays) || !take(text, ", ")) return std::nullopt;
  const std::optional<int> day = take_number(text, 2);
  if (!day || !take(text, "-")) return std::nullopt;
  const std::optional<int> month = take_month(text);
  if (!month || !take(text, "-")) return std::nullopt;
  const std::optional<int> year_of_century = take_number(text, 2);
  if (!year_of_century || !take(text, " ")) return std::nullopt;
  const std::optional<TimeOfDay> time = take_time_of_day(text);
  if (!time || text != " GMT") return std::nullopt;
  const int latest = static_cast<int>(year_month_day(floor<days>(now)).year()) + 50;
  return instant_of(latest - (latest - *year_of_century) % 100, *month, *day, *time);
}

std::optional<Instant> parse_asctime_date(std::string_view text) {
  if (!take_name(text, kWeekdays) || !take(text, " ")) return std::nullopt;
  const std::optional<int> month = take_month(text);
  if (!month || !take(text, " ")) return std::nullopt;
  const std::optional<int> day = take(text, " ") ? take_number(text, 1) : take_number(text, 2);
  if (!day || !take(text, " ")) return std::nullopt;
  const std::optional<TimeOfDay> time = take_time_of_day(text);
  if (!time || !take(text, " ")) return std::nullopt;
  const std::optional<int> year = take_number(text, 4);
  if (!year || !text.empty()) return std::nullopt;
  return instant_of(*year, *month, *day, *time);
}

}  // namespace

std::string format_rfc3339(Instant instant) {
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss<microseconds> time(instant - day);
  std::array<char, 40> text;
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  const std::optional<int> year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const std::optional<int> month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const std::optional<int> day = take_number(text, 2);
  if (!day || (!take(text, "T") && !take(text, "t"))) return std::nullopt;
  const std::optional<TimeOfDay> time = take_time_of_day(text);
  if (!time) return std::nullopt;
  const std::optional<microseconds> fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const std::optional<minutes> zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  const std::optional<Instant> local = instant_of(*year, *month, *day, *time);
  if (!local) return std::nullopt;
  const Instant instant = *local + *fraction - *zone;
  if (instant < kEarliest || instant >= kLatest) return std::nullopt;
  return instant;
}

std::string format_http_date(Instant instant) {
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss<std::chrono::seconds> time(floor<std::chrono::seconds>(instant - day));
  std::array<char, 40> text;
  const int length =
      std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
                    kWeekdays.at(std::chrono::weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
                    kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<Instant> parse_http_date(std::string_view text, Instant now) {
  if (const std::optional<Instant> date = parse_imf_fixdate(text)) return date;
  if (const std::optional<Instant> date = parse_rfc850_date(text, now)) return date;
  return parse_asctime_date(text);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> count = parse_unsigned(text.substr(0, digits));
  if (!count || *count > 1'000'000'000) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  std::int64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit == "s") factor = 1000;
  if (unit == "m") factor = 60'000;
  if (unit == "h") factor = 3'600'000;
  if (unit == "d") factor = 86'400'000;
  if (factor == 0) return std::nullopt;
  const std::chrono::milliseconds duration(static_cast<std::int64_t>(*count) * factor);
  return duration <= kLongestDuration ? std::optional(duration) : std::nullopt;
}

std::string format_duration(std::chrono::milliseconds duration) {
  struct Unit {
    std::int64_t factor;
    const char* name;
  };
  const std::int64_t count = duration.count();
  for (const Unit unit : {Unit{86'400'000, "d"}, Unit{3'600'000, "h"}, Unit{60'000, "m"}, Unit{1000, "s"}}) {
    if (count != 0 && count % unit.factor == 0) return std::to_string(count / unit.factor) + unit.name;
  }
  return count == 0 ? "0s" : std::to_string(count) + "ms";
}

std::chrono::nanoseconds processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Instant SystemClock::now() const {
  return floor<microseconds>(std::chrono::system_clock::now());
}
Ticks SystemClock::ticks() const {
  return std::chrono::steady_clock::now();
}

}  // namespace courant
