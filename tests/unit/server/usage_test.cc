// What is counted of whom, in bounded memory.
#include "server/admission/usage.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace courant::server {
namespace {

const SystemClock kUsageClock;

TEST(UsageTest, EachIsCountedByHimselfOnEveryThread) {
  Usage usage("test", std::chrono::seconds(0), kUsageClock);
  Usage::Counts& one = usage.of("token:1", "demo");
  EXPECT_NE(&usage.of("token:2", "demo"), &one);
  EXPECT_NE(&usage.of("token:1", "other"), &one);
  EXPECT_NE(&usage.of("signed:a", "demo"), &usage.of("signed:b", "demo"));
  std::thread([&] { EXPECT_EQ(&usage.of("token:1", "demo"), &one); }).join();
}

// URLs may be signed by the thousand, each for one click.
TEST(UsageTest, SignedUrlsAreBoundedAndPushOutNoToken) {
  Usage usage("test", std::chrono::seconds(0), kUsageClock);
  Usage::Counts& first = usage.of("signed:first", "demo");
  for (std::size_t i = 0; i < 3 * Usage::kMostCounted; ++i) usage.of("signed:" + std::to_string(i), "demo");
  EXPECT_EQ(&usage.of("signed:first", "demo"), &first);
  EXPECT_EQ(&usage.of("signed:one more", "demo"), &usage.of("signed:and another", "demo"));
  Usage::Counts& token = usage.of("token:1", "demo");
  EXPECT_NE(&token, &usage.of("signed:one more", "demo"));
  EXPECT_NE(&token, &usage.of("token:2", "demo")) << "each still by itself";
}

TEST(UsageTest, BeyondWhatIsCountedAllOthersShareACount) {
  Usage usage("test", std::chrono::seconds(0), kUsageClock);
  Usage::Counts& first = usage.of("token:first", "demo");
  for (std::size_t i = 0; i < Usage::kMostCounted; ++i) usage.of("token:" + std::to_string(i), "demo");
  EXPECT_EQ(&usage.of("token:x", "demo"), &usage.of("token:y", "other"));
  EXPECT_EQ(&usage.of("token:first", "demo"), &first);
}

}  // namespace
}  // namespace courant::server
