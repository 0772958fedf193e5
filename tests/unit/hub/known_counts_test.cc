#include "hub/known_counts.h"

#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

class KnownCountsTest : public testing::Test {
 protected:
  static NewRequest request(const std::string& host = "a.x.example") {
    NewRequest made;
    made.topic.canonical = "/demo/events";
    made.callback_host = host;
    made.callback_domain = "x.example";
    made.client = "192.0.2.1";
    return made;
  }
  Counts of(const NewRequest& asked, Ticks::duration now) {
    return known_.of(asked, limits_, Ticks(now), [this](const Counts& limits) {
      ++counted_;
      asked_ = limits;
      return stored_;
    });
  }

  const Counts limits_{100, 100, 100, 100, 100, 100};
  Counts stored_{1, 2, 3, 4, 5, 6};
  Counts asked_;
  int counted_ = 0;
  KnownCounts known_;
};

TEST_F(KnownCountsTest, WhatWasCountedHoldsForAWhile) {
  EXPECT_EQ(of(request(), 0s).of_domain, 5);
  EXPECT_EQ(of(request(), 500ms).of_topic, 3);
  EXPECT_EQ(counted_, 1);
  of(request(), 2s);
  EXPECT_EQ(counted_, 2) << "requests that wait are soon others";
  EXPECT_EQ(asked_.pending, 100);
  EXPECT_EQ(asked_.of_topic, 0) << "subscriptions are not";
  of(request(), 61s);
  EXPECT_EQ(asked_.of_topic, 100);
}

TEST_F(KnownCountsTest, OnlyWhatIsNotKnownIsCounted) {
  of(request(), 0s);
  const Counts counts = of(request("b.x.example"), 0s);
  EXPECT_EQ(asked_.of_host, 100);
  EXPECT_EQ(asked_.of_domain, 0);
  EXPECT_EQ(counts.of_domain, 5);
}

TEST_F(KnownCountsTest, WhatIsAddedCounts) {
  of(request(), 0s);
  for (int i = 0; i < 7; ++i) known_.add(request());
  EXPECT_EQ(of(request(), 0s).of_host, 11);
  EXPECT_EQ(counted_, 1);
}

TEST_F(KnownCountsTest, NearALimitItIsCountedEachTime) {
  stored_.of_topic = 90;
  of(request(), 0s);
  of(request(), 0s);
  EXPECT_EQ(counted_, 2);
  EXPECT_EQ(asked_.of_topic, 100);
  EXPECT_EQ(asked_.of_host, 0);
}

TEST_F(KnownCountsTest, ASmallLimitIsKept) {
  const Counts small{5, 5, 1, 5, 5, 5};
  stored_ = {};
  const auto count = [this](const Counts&) {
    ++counted_;
    return stored_;
  };
  known_.of(request(), small, Ticks(0s), count);
  known_.add(request());
  stored_.of_topic = 1;
  EXPECT_EQ(known_.of(request(), small, Ticks(0s), count).of_topic, 1);
  EXPECT_EQ(counted_, 2);
}

TEST_F(KnownCountsTest, AQuotaIsCountedWhereThereIsOne) {
  of(request(), 0s);
  EXPECT_EQ(asked_.of_owner, 0);
  NewRequest owned = request();
  owned.owner = "workspace demo";
  Counts limits = limits_;
  limits.of_owner = 1000;
  stored_.of_owner = 700;
  const auto count = [this](const Counts& asked) {
    ++counted_;
    asked_ = asked;
    return stored_;
  };
  EXPECT_EQ(known_.of(owned, limits, Ticks(0s), count).of_owner, 700);
  EXPECT_EQ(asked_.of_owner, 1000);
  known_.add(owned);
  EXPECT_EQ(known_.of(owned, limits, Ticks(0s), count).of_owner, 701);
  EXPECT_EQ(counted_, 2);
  limits.of_owner = 750;
  known_.of(owned, limits, Ticks(0s), count);
  EXPECT_EQ(counted_, 3) << "near it, it is counted each time";
}

TEST_F(KnownCountsTest, BeyondAQuotaNothingIsAddedAndWhatIsThereStays) {
  const Quota quota{"workspace demo", "max_subscriptions", 5};
  Counts counts;
  counts.of_owner = 5;
  EXPECT_THROW(refuse_beyond(quota, counts, true), Problem);
  EXPECT_NO_THROW(refuse_beyond(quota, counts, false)) << "unsubscribing";
  EXPECT_NO_THROW(refuse_beyond(Quota{}, counts, true));
  counts.is_there = true;
  EXPECT_NO_THROW(refuse_beyond(quota, counts, true)) << "renewing";
}

}  // namespace
}  // namespace courant::hub
