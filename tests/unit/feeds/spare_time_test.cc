#include "feeds/spare_time.h"

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

TEST(SpareTime, IsOneTurnAtATimeAndATenthOfAll) {
  SpareTime spare;
  const Ticks begin{1h};
  EXPECT_TRUE(spare.take(begin));
  EXPECT_FALSE(spare.take(begin + 1h)) << "somebody has the turn";
  // It was queued for a second, which costs nobody anything, and took ten milliseconds.
  spare.give_back(begin + 1s, begin + 1s + 10ms);
  EXPECT_FALSE(spare.take(begin + 1s + 99ms));
  EXPECT_TRUE(spare.take(begin + 1s + 100ms));
  // One that could not be done.
  spare.give_back(begin + 2s, begin + 2s);
  EXPECT_TRUE(spare.take(begin + 2s));
}

}  // namespace
}  // namespace courant::feeds
