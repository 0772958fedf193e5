#include "hub/unreachable.h"

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

class UnreachableTest : public testing::Test {
 protected:
  std::vector<int> due(Ticks::duration after) { return origins_.due(Ticks(after)); }

  const RetryLaw law_{{10s, 60s}};
  Unreachable<int> origins_{law_};
};

TEST_F(UnreachableTest, WhatCanBeReachedIsTried) {
  EXPECT_TRUE(origins_.empty());
  EXPECT_TRUE(origins_.may_try("a", 1));
  EXPECT_TRUE(origins_.answered("a").empty());
}

TEST_F(UnreachableTest, OneProbesForAll) {
  EXPECT_EQ(origins_.failed("a", 1, Ticks(0s), 0.5), 10s);
  EXPECT_FALSE(origins_.may_try("a", 2));
  EXPECT_FALSE(origins_.may_try("a", 3));
  EXPECT_TRUE(origins_.may_try("b", 4));
  EXPECT_EQ(origins_.next(), Ticks(10s));
  EXPECT_TRUE(due(9s).empty());
  const std::vector<int> probers = due(10s);
  ASSERT_EQ(probers.size(), 1U);
  EXPECT_EQ(origins_.next(), std::nullopt) << "it is being probed";
  for (const int item : {1, 2, 3}) EXPECT_EQ(origins_.may_try("a", item), item == probers[0]);
  EXPECT_EQ(origins_.failed("a", probers[0], Ticks(11s), 0.5), 60s);
  EXPECT_EQ(origins_.next(), Ticks(71s));
  ASSERT_EQ(due(71s).size(), 1U);
  EXPECT_EQ(origins_.answered("a").size(), 2U) << "all but the one that has answered";
  EXPECT_TRUE(origins_.empty());
  EXPECT_TRUE(origins_.may_try("a", 3));
}

TEST_F(UnreachableTest, ThoseThatFailTogetherCountOnce) {
  EXPECT_EQ(origins_.failed("a", 1, Ticks(0s), 0.5), 10s);
  EXPECT_EQ(origins_.failed("a", 2, Ticks(4s), 0.5), 6s);
  EXPECT_EQ(origins_.failed("a", 3, Ticks(20s), 0.5), 0s);
  EXPECT_EQ(origins_.answered("a").size(), 3U);
}

TEST_F(UnreachableTest, AProberThatHasNothingToSendLeavesItToAnother) {
  origins_.failed("a", 1, Ticks(0s), 0.5);
  origins_.may_try("a", 2);
  const int first = due(10s).at(0);
  origins_.release("a", first, Ticks(11s));
  const int second = due(11s).at(0);
  EXPECT_NE(first, second);
  origins_.remove("a", second, Ticks(12s));
  EXPECT_TRUE(due(12s).empty());
  EXPECT_TRUE(origins_.empty()) << "nobody is left who would want to know";
}

TEST_F(UnreachableTest, WhoIsNotTheProberReleasesNothing) {
  origins_.failed("a", 1, Ticks(0s), 0.5);
  origins_.release("a", 1, Ticks(1s));
  EXPECT_TRUE(due(1s).empty());
  origins_.remove("a", 1, Ticks(1s));
  EXPECT_TRUE(due(10s).empty());
  EXPECT_TRUE(origins_.empty());
}

}  // namespace
}  // namespace courant::hub
