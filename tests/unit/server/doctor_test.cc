#include "server/commands/doctor.h"

#include <gtest/gtest.h>

namespace courant::server {
namespace {

TEST(Doctor, KnowsProcessorsWithInstructionsForAes) {
  EXPECT_TRUE(has_aes("processor\t: 0\nflags\t\t: fpu vme aes sse2\n"));
  EXPECT_TRUE(has_aes("Features\t: fp asimd aes pmull sha1\n"));
  EXPECT_FALSE(has_aes("model name\t: an aes machine\nflags\t\t: fpu vaes sse2\n"));
  EXPECT_FALSE(has_aes(""));
}

TEST(Doctor, SaysOneLineEach) {
  const Findings findings = {ok("a", "is well"), warning("b", "is not", "do this"), problem("c", "is bad", "do that")};
  EXPECT_EQ(as_text(findings), "ok       a: is well\nwarning  b: is not -> do this\nproblem  c: is bad -> do that\n");
  EXPECT_TRUE(has_problem(findings));
  EXPECT_FALSE(has_problem({findings[0], findings[1]}));
}

}  // namespace
}  // namespace courant::server
