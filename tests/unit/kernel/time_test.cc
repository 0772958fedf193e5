#include "kernel/time.h"

#include <gtest/gtest.h>

namespace courant {
namespace {

using namespace std::chrono_literals;

const Instant kInstant = Instant(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)) + 9h + 30min + 123456us;

TEST(Rfc3339, IsWrittenWithSixDecimalsInUtc) {
  EXPECT_EQ(format_rfc3339(kInstant), "2026-11-24T09:30:00.123456Z");
}

TEST(Rfc3339, ReadsWhatItWrites) {
  EXPECT_EQ(parse_rfc3339(format_rfc3339(kInstant)), kInstant);
}

TEST(Rfc3339, ReadsOffsetsShortFractionsAndLowerCase) {
  EXPECT_EQ(parse_rfc3339("2026-11-24T11:00:00.123456789+01:30"), kInstant);
  EXPECT_EQ(parse_rfc3339("2026-11-24t09:30:00z"), kInstant - 123456us);
}

TEST(Rfc3339, RefusesWhatIsNoDateTimeWithZone) {
  for (const char* text : {"", "2026-11-24", "2026-11-24T09:30:00", "2026-11-24T09:30Z", "2026-13-01T00:00:00Z",
                           "2026-02-30T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T09:30:00.Z",
                           "2026-11-24T09:30:00Z ", "2026-11-24 09:30:00Z", "2026-11-24T09:30:00+1:00"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
}

// Whatever is taken can be written again in the same form, and stored: PostgreSQL has no year 0, RFC 3339 none of five
// digits.
TEST(Rfc3339, RefusesWhatCouldNotBeWritten) {
  for (const char* text : {"0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:60Z",
                           "9999-12-31T23:59:59-23:59", "9999-12-31T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).has_value()) << text;
  }
  EXPECT_EQ(format_rfc3339(*parse_rfc3339("0001-01-01T00:00:00Z")), "0001-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_rfc3339(*parse_rfc3339("9999-12-30T23:59:59Z")), "9999-12-30T23:59:59.000000Z");
}

TEST(HttpDate, RoundTripsWholeSeconds) {
  EXPECT_EQ(format_http_date(kInstant), "Tue, 24 Nov 2026 09:30:00 GMT");
  EXPECT_EQ(parse_http_date("Tue, 24 Nov 2026 09:30:00 GMT", kInstant), kInstant - 123456us);
}

// RFC 9110 section 5.6.7: "A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date
// formats."
TEST(HttpDate, HasTwoObsoleteForms) {
  EXPECT_EQ(parse_http_date("Tuesday, 24-Nov-26 09:30:00 GMT", kInstant), kInstant - 123456us);
  EXPECT_EQ(parse_http_date("Tue Nov 24 09:30:00 2026", kInstant), kInstant - 123456us);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", kInstant),
            parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kInstant));
}

// The same: "a timestamp that appears to be more than 50 years in the future" is "the most recent year in the past that
// had the same last two digits".
TEST(HttpDate, ReadsYearsOfTwoDigits) {
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kInstant),
            parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kInstant));
  EXPECT_EQ(parse_http_date("Friday, 06-Nov-76 08:49:37 GMT", kInstant),
            parse_http_date("Fri, 06 Nov 2076 08:49:37 GMT", kInstant));
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-77 08:49:37 GMT", kInstant),
            parse_http_date("Sun, 06 Nov 1977 08:49:37 GMT", kInstant));
}

TEST(HttpDate, IsNothingElse) {
  for (const char* text :
       {"", "yesterday", "0", "24 Nov 2026 09:30:00 GMT", "Tue, 24 Nov 2026 09:30:00", "Tue, 24 Nov 2026 09:30:00 CET",
        "Tue, 24 Nov 2026 09:30:00 GMT ", "Tue, 24 nov 2026 09:30:00 GMT", "Tue, 31 Nov 2026 09:30:00 GMT",
        "Tue, 24 Nov 2026 24:30:00 GMT", "Tue, 4 Nov 2026 09:30:00 GMT", "Tue, 24-Nov-26 09:30:00 GMT",
        "Xyz, 24 Nov 2026 09:30:00 GMT", "Tue Nov 24 09:30:00 26", "Tue Nov 4 09:30:00 2026", "2026-11-24T09:30:00Z"}) {
    EXPECT_FALSE(parse_http_date(text, kInstant).has_value()) << text;
  }
}

TEST(Duration, HasUnits) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("10d"), 240h);
  EXPECT_FALSE(parse_duration("10").has_value());
  EXPECT_FALSE(parse_duration("-1s").has_value());
  EXPECT_EQ(parse_duration("36500d"), kLongestDuration);
  EXPECT_FALSE(parse_duration("36501d").has_value());
  EXPECT_FALSE(parse_duration("876001h").has_value());
  EXPECT_FALSE(parse_duration("1000000000d").has_value());
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(240h), "10d");
}

}  // namespace
}  // namespace courant
