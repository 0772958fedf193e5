#include "feeds/load.h"

#include <thread>

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

const Ticks kStart{100h};

TEST(WorkedTime, IsLongWhileAThreadWorksAlmostAllTheTime) {
  WorkedTime worked;
  EXPECT_TRUE(worked.is_due(kStart));
  EXPECT_FALSE(worked.look(kStart, 90h)) << "nothing is known yet";
  EXPECT_FALSE(worked.is_due(kStart + 999ms));
  EXPECT_TRUE(worked.is_due(kStart + 1s));
  EXPECT_TRUE(worked.look(kStart + 1s, 90h + 900ms));
  EXPECT_FALSE(worked.look(kStart + 2s, 90h + 1700ms)) << "a fifth of the time it had nothing to do";
  EXPECT_TRUE(worked.look(kStart + 10s, 90h + 9700ms)) << "in all of the time since then";
  EXPECT_FALSE(worked.look(kStart + 1h, 90h + 10s));
}

// One thread says so, and every other knows; whoever goes on being busy says it again before it is over.
TEST(Load, IsTheBusiestThreads) {
  Load load;
  EXPECT_FALSE(load.is_high(kStart));
  std::thread([&load] { load.note_high(kStart); }).join();
  EXPECT_TRUE(load.is_high(kStart));
  EXPECT_TRUE(load.is_high(kStart + 1s));
  load.note_high(kStart + 1s);
  EXPECT_TRUE(load.is_high(kStart + 2s));
  EXPECT_FALSE(load.is_high(kStart + 3s));
}

}  // namespace
}  // namespace courant::feeds
