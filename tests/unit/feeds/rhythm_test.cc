#include "feeds/rhythm.h"

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

constexpr Ticks kBegin{1000h};

long hint(const Rhythm& rhythm, Ticks now, std::chrono::seconds most = 60s) {
  return rhythm.poll_interval(now, most).count();
}

TEST(Rhythm, AFeedThatIsQuietBecomesIdleStepByStep) {
  Rhythm rhythm(kBegin);
  EXPECT_EQ(hint(rhythm, kBegin), 0);
  EXPECT_EQ(hint(rhythm, kBegin + 1s), 0);
  EXPECT_EQ(hint(rhythm, kBegin + 2s), 1);
  EXPECT_EQ(hint(rhythm, kBegin + 9s), 1);
  EXPECT_EQ(hint(rhythm, kBegin + 10s), 5);
  EXPECT_EQ(hint(rhythm, kBegin + 30s), 15);
  EXPECT_EQ(hint(rhythm, kBegin + 119s), 15);
  EXPECT_EQ(hint(rhythm, kBegin + 120s), 60);
  EXPECT_EQ(hint(rhythm, kBegin + 1000h), 60);
  EXPECT_EQ(hint(rhythm, kBegin + 3h, 24h), 3600);
}

TEST(Rhythm, WhoHasJustMovedMayMoveAgain) {
  Rhythm rhythm(kBegin);
  rhythm.beat(kBegin + 1h);
  EXPECT_EQ(hint(rhythm, kBegin + 1h), 0);
  EXPECT_EQ(hint(rhythm, kBegin + 1h + 10s), 5) << "its hours between moves do not count against that";
  EXPECT_EQ(hint(rhythm, kBegin + 1h + 120s), 60);
}

TEST(Rhythm, TheFirstMoveOfAFeedSaysNothingOfTheNext) {
  Rhythm rhythm(kBegin);
  rhythm.beat(kBegin + 1ms);
  EXPECT_EQ(hint(rhythm, kBegin + 1ms), 0);
  EXPECT_EQ(hint(rhythm, kBegin + 3s), 1);
  rhythm.beat(kBegin + 3s);
  EXPECT_EQ(hint(rhythm, kBegin + 20s), 1) << "its moves were three seconds apart";
}

TEST(Rhythm, AFeedThatMovesOftenStaysFastForAWhile) {
  Rhythm rhythm(kBegin);
  Ticks now = kBegin;
  for (int i = 0; i < 100; ++i) rhythm.beat(now += 500ms);
  EXPECT_EQ(hint(rhythm, now + 500ms), 0);
  EXPECT_EQ(hint(rhythm, now + 5s), 0) << "one pause";
  EXPECT_EQ(hint(rhythm, now + 10s), 1);
  EXPECT_EQ(hint(rhythm, now + 60s), 5);
  EXPECT_EQ(hint(rhythm, now + 10min), 60) << "it has stopped";
}

TEST(Rhythm, FollowsTheMeanOfAFeedThatMovesNowAndThen) {
  Rhythm rhythm(kBegin);
  Ticks now = kBegin;
  for (int i = 0; i < 20; ++i) rhythm.beat(now += 20s);
  EXPECT_EQ(hint(rhythm, now + 20s), 5) << "twice for each entry, with steps below ten";
  for (int i = 0; i < 20; ++i) rhythm.beat(now += 1s);
  EXPECT_EQ(hint(rhythm, now + 2s), 0) << "older times are forgotten";
}

TEST(Rhythm, IsNeverMoreThanTheMost) {
  const Rhythm rhythm(kBegin);
  EXPECT_EQ(hint(rhythm, kBegin + 1h, 10s), 10);
  EXPECT_EQ(hint(rhythm, kBegin + 10s, 10s), 5);
  EXPECT_EQ(hint(rhythm, kBegin + 1h, 1s), 1);
  // Clocks of two threads may be a little apart.
  EXPECT_EQ(hint(rhythm, kBegin - 1s), 0);
}

}  // namespace
}  // namespace courant::feeds
