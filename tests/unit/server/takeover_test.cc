#include "server/processes/takeover.h"

#include <gtest/gtest.h>

namespace courant::server {
namespace {

TEST(UnitOf, IsTheLastPartOfTheCgroup) {
  EXPECT_EQ(unit_of("0::/system.slice/courant.service\n"), "courant.service");
  EXPECT_EQ(unit_of("0::/system.slice/system-courant.slice/courant@a.service"), "courant@a.service");
}

TEST(UnitOf, IsNoneForWhoWasStartedByHand) {
  EXPECT_EQ(unit_of("0::/user.slice/user-0.slice/session-3.scope\n"), std::nullopt);
  EXPECT_EQ(unit_of("0::/\n"), std::nullopt);
  EXPECT_EQ(unit_of(""), std::nullopt) << "the process has gone";
}

}  // namespace
}  // namespace courant::server
