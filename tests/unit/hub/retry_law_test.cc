#include "hub/retry_law.h"

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

TEST(RetryLaw, TheLastPauseRepeats) {
  const RetryLaw law({0ms, 5s, 30s});
  EXPECT_EQ(law.pause(1, 0.5), 0ms);
  EXPECT_EQ(law.pause(2, 0.5), 5s);
  EXPECT_EQ(law.pause(3, 0.5), 30s);
  EXPECT_EQ(law.pause(1000, 0.5), 30s);
}

TEST(RetryLaw, PausesAreSpread) {
  const RetryLaw law({10s});
  EXPECT_EQ(law.pause(1, 0.0), 8s);
  EXPECT_EQ(law.pause(1, 0.999999), 11999ms);
}

// RFC 9110 section 10.2.3: "Retry-After = HTTP-date / delay-seconds".
TEST(RetryAfter, IsSecondsOrADate) {
  const Instant now = *parse_rfc3339("2026-01-01T00:00:00Z");
  EXPECT_EQ(retry_after("120", now), 2min);
  EXPECT_EQ(retry_after("Thu, 01 Jan 2026 00:01:00 GMT", now), 1min);
  EXPECT_EQ(retry_after("Wed, 31 Dec 2025 00:01:00 GMT", now), 0ms) << "in the past";
  EXPECT_EQ(retry_after("99999999999", now), 24h) << "no subscriber can silence itself for years";
  EXPECT_EQ(retry_after("soon", now), std::nullopt);
}

}  // namespace
}  // namespace courant::hub
