#include "access/rate_limiter.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace courant::access {
namespace {

using namespace std::chrono_literals;

constexpr Ticks kBegin{1h};

TEST(RateLimiter, ABucketIsFullAtFirstAndFillsAgainInItsPeriod) {
  RateLimiter limiter(60);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(limiter.take("reader", 1, kBegin).is_granted) << i;
  const RateLimiter::Taken refused = limiter.take("reader", 1, kBegin);
  EXPECT_FALSE(refused.is_granted);
  EXPECT_EQ(refused.left, 0);
  EXPECT_EQ(refused.until, 1s);
  EXPECT_TRUE(limiter.take("reader", 1, kBegin + 1s).is_granted);
  EXPECT_FALSE(limiter.take("reader", 1, kBegin + 1s).is_granted);
  EXPECT_EQ(limiter.take("reader", 30, kBegin + 61s).left, 30);
}

TEST(RateLimiter, WhatIsRefusedTakesNothing) {
  RateLimiter limiter(10);
  EXPECT_TRUE(limiter.take("reader", 8, kBegin).is_granted);
  EXPECT_FALSE(limiter.take("reader", 3, kBegin).is_granted);
  EXPECT_TRUE(limiter.take("reader", 2, kBegin).is_granted);
}

TEST(RateLimiter, MoreThanABucketHoldsIsGrantedWhenItIsFullAndThenOwed) {
  RateLimiter limiter(10);
  EXPECT_TRUE(limiter.take("publisher", 30, kBegin).is_granted);
  EXPECT_FALSE(limiter.take("publisher", 1, kBegin + 2min).is_granted);
  EXPECT_TRUE(limiter.take("publisher", 1, kBegin + 126s).is_granted);
  EXPECT_FALSE(limiter.take("publisher", 30, kBegin + 130s).is_granted) << "it is not full yet";
}

TEST(RateLimiter, EachHasABucketOfHisOwn) {
  RateLimiter limiter(1);
  EXPECT_TRUE(limiter.take("one", 1, kBegin).is_granted);
  EXPECT_TRUE(limiter.take("two", 1, kBegin).is_granted);
  EXPECT_FALSE(limiter.take("one", 1, kBegin).is_granted);
}

TEST(RateLimiter, LookingTakesNothingAndKeepsNobody) {
  RateLimiter limiter(10, std::chrono::minutes(1), 4);
  EXPECT_EQ(limiter.look("reader", kBegin).left, 10);
  EXPECT_EQ(limiter.take("reader", 4, kBegin).left, 6);
  for (int i = 0; i < 1'000; ++i) limiter.look("other" + std::to_string(i), kBegin);
  for (int again = 0; again < 3; ++again) {
    EXPECT_EQ(limiter.look("reader", kBegin).left, 6);
    EXPECT_EQ(limiter.look("reader", kBegin).until, 24s);
  }
  EXPECT_TRUE(limiter.take("reader", 50, kBegin + 24s).is_granted);
  EXPECT_EQ(limiter.look("reader", kBegin + 24s).left, 0) << "something is owed";
}

TEST(RateLimiter, NoLimitGrantsEverything) {
  RateLimiter limiter(0);
  EXPECT_FALSE(limiter.is_limited());
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.take("reader", 1 << 20, kBegin).is_granted);
}

// A flood of names finds its place at the cost of those that are full again the soonest, not of who has used most.
TEST(RateLimiter, AFloodOfNamesForgetsThoseFirstThatAreNearlyFull) {
  RateLimiter limiter(100, 1min, 4);
  EXPECT_TRUE(limiter.take("greedy", 100, kBegin).is_granted);
  for (int i = 0; i < 1000; ++i) limiter.take("name " + std::to_string(i), 1, kBegin);
  EXPECT_FALSE(limiter.take("greedy", 1, kBegin).is_granted);
}

TEST(RateLimiter, ManyThreadsGetWhatTheBucketHoldsTogether) {
  RateLimiter limiter(1000);
  limiter.take("shared", 0, kBegin);  // it has its place
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) granted += limiter.take("shared", 1, kBegin).is_granted ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 1000);
}

}  // namespace
}  // namespace courant::access
