#include "hub/shards.h"

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

constexpr Ticks kStart{1h};

TEST(Shards, AreOwnedOnlyWhileTheLeaseSurelyLasts) {
  Shards shards(4s);
  EXPECT_TRUE(shards.update({{{1, 7}}, 1}, kStart).empty());
  EXPECT_FALSE(shards.owned(1, kStart)) << "its subscriptions are not in memory yet";
  shards.set_loaded(1);
  EXPECT_EQ(shards.owned(1, kStart + 3s)->epoch, 7);
  EXPECT_FALSE(shards.owned(1, kStart + 4s)) << "a process that was stopped must not send";
  EXPECT_FALSE(shards.owned(2, kStart));
}

TEST(Shards, AreHeldUntilAnotherProcessIsKnownToHaveThem) {
  Shards shards(4s);
  shards.update({{{1, 7}, {2, 7}}, 2}, kStart);
  EXPECT_FALSE(shards.held(1)) << "its subscriptions are not in memory yet";
  shards.set_loaded(1);
  shards.set_loaded(2);
  EXPECT_FALSE(shards.owned(1, kStart + 1h));
  EXPECT_EQ(shards.held(1), (ShardEpoch{1, 7})) << "the database knows whether the epoch has passed";
  shards.update({{{1, 7}, {2, 8}}, 2}, kStart + 1h);
  EXPECT_TRUE(shards.held(1));
  EXPECT_FALSE(shards.held(2));
}

TEST(Shards, ANewEpochMeansToLoadAgain) {
  Shards shards(4s);
  shards.update({{{1, 7}, {2, 7}}, 2}, kStart);
  shards.set_loaded(1);
  shards.set_loaded(2);
  EXPECT_EQ(shards.update({{{1, 7}, {2, 8}}, 2}, kStart + 1s), std::vector<std::int64_t>{2})
      << "another process had it meanwhile";
  EXPECT_EQ(shards.unloaded(), (std::vector<ShardEpoch>{{2, 8}}));
  EXPECT_FALSE(shards.has({2, 7})) << "what was read of it before that is old";
  EXPECT_TRUE(shards.has({2, 8}));
  EXPECT_TRUE(shards.owned(1, kStart + 2s));
  EXPECT_EQ(shards.update({{{2, 8}}, 2}, kStart + 2s), std::vector<std::int64_t>{1});
}

}  // namespace
}  // namespace courant::hub
