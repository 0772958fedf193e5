#include "hub/pace.h"

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

const Ticks kFirstTick = Ticks(1h);

// How many turns a name gets when it asks each millisecond of a time that begins at `begin`.
int turns_taken(Pace& pace, const std::string& name, Ticks begin, std::chrono::milliseconds time) {
  int taken = 0;
  for (Ticks now = begin; now < begin + time; now += 1ms) {
    while (pace.has_turn(name, now)) {
      pace.take(name, now);
      ++taken;
    }
  }
  return taken;
}

TEST(Pace, GivesASecondsWorthAtOnceAndThenTheRate) {
  Pace pace(20);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick, 1ms), 20);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick + 1ms, 999ms), 19);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick + 1s, 10s), 200);
}

TEST(Pace, SavesUpNoMoreThanASecond) {
  Pace pace(5);
  turns_taken(pace, "a", kFirstTick, 3s);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick + 1h, 1ms), 5);
}

TEST(Pace, OneNameDoesNotUseUpAnothers) {
  Pace pace(2);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick, 1ms), 2);
  EXPECT_EQ(turns_taken(pace, "b", kFirstTick, 1ms), 2);
}

TEST(Pace, MayBeSlowerThanOnceASecond) {
  Pace pace(0.25);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick, 1ms), 1);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick + 1ms, 3'990ms), 0);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick + 4s, 1ms), 1);
}

TEST(Pace, ANewRateHoldsAtOnce) {
  Pace pace(1000);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick, 1ms), 1000);
  pace.set_rate(1);
  EXPECT_EQ(turns_taken(pace, "a", kFirstTick + 1s, 10s), 10);
}

TEST(Pace, ForgetsNamesThatAreRested) {
  Pace pace(10);
  for (int i = 0; i < 1000; ++i) pace.take(std::to_string(i), kFirstTick);
  EXPECT_EQ(pace.names(), 1000U);
  pace.take("a", kFirstTick + 2s);
  EXPECT_EQ(pace.names(), 1U);
}

}  // namespace
}  // namespace courant::hub
