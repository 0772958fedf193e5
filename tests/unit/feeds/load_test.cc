#include "feeds/load.h"

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

const Ticks kStart{100h};

TEST(Load, IsHighWhileAThreadWorksAlmostAllTheTime) {
  Load load;
  EXPECT_TRUE(load.is_due(kStart));
  load.look(kStart, 90h, false);
  EXPECT_FALSE(load.is_high()) << "nothing is known yet";
  EXPECT_FALSE(load.is_due(kStart + 999ms));
  EXPECT_TRUE(load.is_due(kStart + 1s));
  load.look(kStart + 1s, 90h + 900ms, false);
  EXPECT_TRUE(load.is_high());
  load.look(kStart + 2s, 90h + 1700ms, false);
  EXPECT_FALSE(load.is_high()) << "a fifth of the time it had nothing to do";
  load.look(kStart + 10s, 90h + 9700ms, false);
  EXPECT_TRUE(load.is_high()) << "in all of the time since then";
  load.look(kStart + 1h, 90h + 10s, false);
  EXPECT_FALSE(load.is_high());
}

TEST(Load, IsHighWhileTheDatabaseIsBehind) {
  Load load;
  load.look(kStart, 0s, true);
  EXPECT_TRUE(load.is_high());
  load.look(kStart + 1s, 0s, false);
  EXPECT_FALSE(load.is_high());
}

}  // namespace
}  // namespace courant::feeds
