#include "access/token.h"

#include <set>

#include <gtest/gtest.h>

#include "access/credentials.h"
#include "access/failure_limit.h"

namespace courant::access {
namespace {

TEST(Tokens, AreLongRandomAndOfTheirForm) {
  std::set<std::string> made;
  std::set<char> characters;
  for (int i = 0; i < 500; ++i) {
    const std::string token = make_token();
    EXPECT_EQ(token.size(), 36U);
    EXPECT_TRUE(has_token_form(token)) << token;
    EXPECT_TRUE(made.insert(token).second);
    characters.insert(token.begin() + 4, token.end());
  }
  EXPECT_EQ(characters.size(), 62U);
}

TEST(Tokens, WhatIsNoneHasNotTheirForm) {
  const std::string good = "crt_" + std::string(32, 'a');
  EXPECT_TRUE(has_token_form(good));
  EXPECT_FALSE(has_token_form(""));
  EXPECT_FALSE(has_token_form("crt_short"));
  EXPECT_FALSE(has_token_form("CRT_" + std::string(32, 'a')));
  EXPECT_FALSE(has_token_form(good + " "));
  EXPECT_FALSE(has_token_form(good + std::string(300, 'a')));
}

// RFC 6750 section 2.1, RFC 9110 section 11.1: schemes ignore case.
TEST(Credentials, AreTakenFromBearerAndBasic) {
  const std::string token = "crt_" + std::string(32, 'a');
  EXPECT_EQ(token_in("Bearer " + token), token);
  EXPECT_EQ(token_in("bearer   " + token + " "), token);
  EXPECT_EQ(token_in("Basic " + to_base64("anyone:" + token)), token);
  EXPECT_EQ(token_in("BASIC " + to_base64(":" + token)), token);
}

TEST(Credentials, WhatHoldsNoTokenGivesNone) {
  const std::string token = "crt_" + std::string(32, 'a');
  EXPECT_FALSE(token_in(""));
  EXPECT_FALSE(token_in(token));
  EXPECT_FALSE(token_in("Bearer"));
  EXPECT_FALSE(token_in("Bearer x"));
  EXPECT_FALSE(token_in("Digest " + token));
  EXPECT_FALSE(token_in("Basic " + to_base64(token)));
  EXPECT_FALSE(token_in("Basic " + to_base64(token + ":password")));
  EXPECT_FALSE(token_in("Basic !!!"));
}

TEST(FailureLimit, CountsEachAddressForAMinute) {
  FailureLimit limit(2);
  const Ticks begin = Ticks() + std::chrono::hours(1);
  EXPECT_FALSE(limit.failed("a", begin));
  EXPECT_FALSE(limit.failed("a", begin));
  EXPECT_EQ(limit.failed("a", begin + std::chrono::seconds(20)), std::chrono::seconds(40));
  EXPECT_FALSE(limit.failed("b", begin + std::chrono::seconds(20)));
  EXPECT_FALSE(limit.failed("a", begin + std::chrono::seconds(60)));
}

TEST(FailureLimit, IsBoundedHoweverManyAddressesFail) {
  FailureLimit limit(1, 2);
  const Ticks begin = Ticks() + std::chrono::hours(1);
  EXPECT_FALSE(limit.failed("a", begin));
  EXPECT_FALSE(limit.failed("b", begin));
  EXPECT_FALSE(limit.failed("c", begin));
  EXPECT_TRUE(limit.failed("d", begin)) << "c and d share one count";
  EXPECT_TRUE(limit.failed("a", begin)) << "who is known has its own";
  EXPECT_FALSE(limit.failed("e", begin + std::chrono::seconds(61))) << "old counts are gone";
}

}  // namespace
}  // namespace courant::access
