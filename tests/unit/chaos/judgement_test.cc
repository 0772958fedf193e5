#include "tests/chaos/judgement.h"

#include <gtest/gtest.h>

namespace courant::chaos {
namespace {

using State = Operation::State;

Operation operation(Kind kind, State state, std::int64_t position) {
  return {kind, 0, "urn:x:1", state, position};
}

TEST(ChaosJudgement, AnswersAreHeldAgainstTheLog) {
  const Operation entry = operation(Kind::kEntry, State::kAnswered, 7);
  EXPECT_EQ(fault_of(entry, 7), std::nullopt);
  EXPECT_EQ(fault_of(entry, 8), "was answered at position 7 and is at 8");
  EXPECT_EQ(fault_of(entry, std::nullopt), "was answered at position 7 and is missing");
  const Operation refused = operation(Kind::kEntry, State::kRefused, 0);
  EXPECT_EQ(fault_of(refused, std::nullopt), std::nullopt);
  EXPECT_EQ(fault_of(refused, 3), "was refused and is at position 3");
  const Operation unsettled = operation(Kind::kRevision, State::kUnsettled, 0);
  EXPECT_EQ(fault_of(unsettled, std::nullopt), std::nullopt);
  EXPECT_EQ(fault_of(unsettled, 3), std::nullopt);
}

TEST(ChaosJudgement, AnAnswerWithoutAPositionIsAFault) {
  for (const std::int64_t none : {-1, 0}) {
    EXPECT_EQ(fault_of(operation(Kind::kEntry, State::kAnswered, none), 7), "was answered without a position");
    EXPECT_EQ(fault_of(operation(Kind::kRevision, State::kAnswered, none), 7), "was answered without a position");
  }
  EXPECT_EQ(fault_of(operation(Kind::kDeletion, State::kAnswered, -1), 7), "was answered without a position");
  const Operation sent_again = operation(Kind::kDeletion, State::kAnswered, 0);
  EXPECT_EQ(fault_of(sent_again, 7), std::nullopt);
  EXPECT_NE(fault_of(sent_again, std::nullopt), std::nullopt);
}

TEST(ChaosJudgement, ARunThatDidTooLittleFails) {
  const Done enough = {.entries = 20, .disturbances = 2, .verified = 10, .commands = 2, .pages = 1, .pushes = 1};
  EXPECT_TRUE(shortfalls(enough, 15, 20, 60).empty());
  EXPECT_EQ(shortfalls({}, 15, 20, 60).size(), 6U);
  Done quiet = enough;
  quiet.disturbances = 0;
  EXPECT_EQ(shortfalls(quiet, 1, 1, 60).size(), 1U);
  Done unverified = enough;
  unverified.verified = 9;
  EXPECT_EQ(shortfalls(unverified, 15, 20, 60).front(),
            "only 9 feeds were verified where at least 10 are needed: such a run shows nothing");
  EXPECT_TRUE(
      shortfalls({.entries = 20, .disturbances = 2, .verified = 1, .commands = 1, .pages = 1, .pushes = 1}, 15, 20, 1)
          .empty());
}

}  // namespace
}  // namespace courant::chaos
