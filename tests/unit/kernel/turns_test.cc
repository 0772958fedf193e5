#include "kernel/turns.h"

#include <gtest/gtest.h>

namespace courant {
namespace {

TEST(Turns, HostsAlternate) {
  Turns<int> turns(10, 10);
  for (const int item : {1, 2, 3}) turns.add("a", item);
  turns.add("b", 4);
  EXPECT_EQ(turns.take(), 1);
  EXPECT_EQ(turns.take(), 4);
  EXPECT_EQ(turns.take(), 2);
  EXPECT_EQ(turns.take(), 3);
  EXPECT_EQ(turns.take(), std::nullopt);
}

TEST(Turns, AHostTakesNoMoreThanItsPlaces) {
  Turns<int> turns(10, 1);
  turns.add("a", 1);
  turns.add("a", 2);
  turns.add("b", 3);
  EXPECT_EQ(turns.take(), 1);
  EXPECT_EQ(turns.take(), 3);
  EXPECT_EQ(turns.take(), std::nullopt) << "2 waits for its host";
  turns.leave("a");
  EXPECT_EQ(turns.take(), 2);
}

TEST(Turns, AllTogetherTakeNoMoreThanThePlaces) {
  Turns<int> turns(2, 2);
  for (const char* const host : {"a", "b", "c"}) turns.add(host, 1);
  EXPECT_TRUE(turns.take());
  EXPECT_TRUE(turns.take());
  EXPECT_FALSE(turns.take());
  turns.leave("b");
  EXPECT_TRUE(turns.take());
  EXPECT_EQ(turns.taken(), 2);
}

TEST(Turns, HostsThatCameOnceAreForgottenAndOthersAreNot) {
  Turns<int> turns(10'000, 1);
  turns.add("taken", 1);
  EXPECT_TRUE(turns.take());
  for (int i = 0; i < 5'000; ++i) {
    const std::string host = std::to_string(i);
    turns.add(host, i);
    EXPECT_EQ(turns.take(), i);
    turns.leave(host);
    EXPECT_LE(turns.hosts(), 1024U);
  }
  turns.add("taken", 2);
  EXPECT_FALSE(turns.take()) << "its place is taken";
  turns.leave("taken");
  EXPECT_EQ(turns.take(), 2);
}

TEST(Turns, WhatWaitsMayBeTakenAway) {
  Turns<int> turns(10, 1);
  for (const int item : {1, 2, 3}) turns.add("a", item);
  EXPECT_EQ(turns.take(), 1);
  EXPECT_EQ(turns.take_waiting(), (std::vector<int>{2, 3}));
  EXPECT_EQ(turns.take_waiting(), std::vector<int>());
  turns.leave("a");
  EXPECT_EQ(turns.take(), std::nullopt);
  turns.add("a", 4);
  EXPECT_EQ(turns.take(), 4);
}

}  // namespace
}  // namespace courant
