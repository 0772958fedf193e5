#include "hub/capability.h"

#include <set>

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

TEST(Capability, TokensAreLongAndNoTwoAreTheSame) {
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = make_token();
    EXPECT_EQ(token.size() * 6 / 8, 32U) << "bytes";
    EXPECT_TRUE(capability_of(token));
    EXPECT_TRUE(tokens.insert(token).second);
  }
}

TEST(Capability, WhatIsKeptIsNotTheToken) {
  const std::string token = make_token();
  EXPECT_EQ(capability_of(token), sha256(token));
  EXPECT_NE(capability_of(token), capability_of(make_token()));
}

TEST(Capability, OtherTextsAreNoTokens) {
  const std::string token = make_token();
  for (const std::string& wrong :
       {std::string(), token + "A", token.substr(1), token.substr(1) + "=", token.substr(1) + " ",
        token.substr(1) + std::string(1, '\0'), token.substr(1) + "/", token.substr(2) + "\xC3\xA4"}) {
    EXPECT_FALSE(capability_of(wrong)) << wrong;
  }
}

TEST(Capability, ThePageLiesBelowTheHub) {
  EXPECT_EQ(page_url("https://here.example/hub", "abc"), "https://here.example/hub/s/abc");
}

}  // namespace
}  // namespace courant::hub
