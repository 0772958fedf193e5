#include "access/signed_url.h"

#include <gtest/gtest.h>

#include "access/rules.h"

namespace courant::access {
namespace {

constexpr Instant kUntil{std::chrono::seconds(1'795'737'600)};

std::optional<SignedPage> read(const std::string& target, const std::vector<std::string>& keys) {
  const std::size_t mark = target.find('?');
  return read_signed(target.substr(0, mark), target.substr(mark + 1), keys);
}

TEST(SignedUrls, SayWhatTheyWereSignedFor) {
  for (const char* const target : {"/demo/events", "/demo/events?format=rss&search=%2Ba"}) {
    for (const char* const filter : {"", "+tid:2882", "(AND(cat=a)(cat=b&c))"}) {
      const std::string made = sign_target(target, filter, kUntil, "key");
      EXPECT_TRUE(made.starts_with(target));
      EXPECT_TRUE(is_signed(made.substr(made.find('?') + 1)));
      const std::optional<SignedPage> page = read(made, {"other", "key"});
      ASSERT_TRUE(page) << made;
      EXPECT_EQ(page->filter, filter);
      EXPECT_EQ(page->expires, kUntil);
      EXPECT_EQ(page->key, "key");
    }
  }
}

TEST(SignedUrls, WhateverIsChangedOfThemBreaksThem) {
  const std::string made = sign_target("/demo/events?format=rss", "+a", kUntil, "key");
  EXPECT_FALSE(read(made, {"other"}));
  EXPECT_FALSE(read(made, {}));
  EXPECT_FALSE(read(made + "&format=atom", {"key"}));
  EXPECT_FALSE(read(made.substr(0, made.size() - 1), {"key"}));
  for (std::size_t i = 0; i < made.size(); ++i) {
    std::string other = made;
    other[i] = other[i] == 'x' ? 'y' : 'x';
    if (other.find('?') == std::string::npos) continue;
    EXPECT_FALSE(read(other, {"key"})) << other;
  }
}

TEST(SignedUrls, AreNamedEachDifferentlyByWhatDoesNotReadThem) {
  const std::string one = sign_target("/demo/events", "", kUntil, "key");
  const std::string name = Identity::of_signed_page(*read(one, {"key"})).name();
  EXPECT_TRUE(name.starts_with("signed:"));
  EXPECT_EQ(name, Identity::of_signed_page(*read(one, {"other", "key"})).name());
  EXPECT_EQ(one.find(name.substr(7)), std::string::npos);
  for (const char* const target : {"/demo/events?format=rss", "/demo/other"}) {
    EXPECT_NE(name, Identity::of_signed_page(*read(sign_target(target, "", kUntil, "key"), {"key"})).name());
  }
}

TEST(SignedUrls, OnlyWhatClaimsToBeSignedIsJudged) {
  EXPECT_FALSE(is_signed(""));
  EXPECT_FALSE(is_signed("format=rss"));
  EXPECT_FALSE(is_signed("format=rss&signature=abc"));
  EXPECT_TRUE(is_signed("expires=1&signature="));
}

TEST(SignedUrls, HoldWhileTheirKeyIsKeptAndTheirTimeHasNotCome) {
  const Identity identity = Identity::of_signed_page({"+a", kUntil, "key"});
  const Rules with_key({false, {}, {}, {"newer", "key"}});
  const Rules without({false, {}, {}, {"newer"}});
  EXPECT_TRUE(with_key.holds(identity, kUntil - std::chrono::seconds(1)));
  EXPECT_FALSE(with_key.holds(identity, kUntil));
  EXPECT_FALSE(without.holds(identity, kUntil - std::chrono::seconds(1)));
  EXPECT_TRUE(identity.may(Scope::kRead, "demo", "events"));
  EXPECT_FALSE(identity.may(Scope::kPublish, "demo", "events"));
  EXPECT_EQ(identity.filter(), "+a");
}

}  // namespace
}  // namespace courant::access
