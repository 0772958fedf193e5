#include "access/rules.h"

#include <thread>

#include <gtest/gtest.h>

#include "access/token.h"

namespace courant::access {
namespace {

Grant grant(std::int64_t number, const std::string& scopes, const std::string& on) {
  Grant made;
  made.number = number;
  made.name = "n" + std::to_string(number);
  made.scopes = *Scopes::parse(scopes);
  made.on = *Pattern::parse_list(on);
  return made;
}

Rules rules_of(std::vector<KnownToken> tokens) {
  return Rules({false, {"news"}, std::move(tokens), {"key"}});
}

TEST(Patterns, NameFeedsWorkspacesOrAll) {
  EXPECT_TRUE(Pattern::parse("*")->matches("a", "b"));
  EXPECT_TRUE(Pattern::parse("a/*")->matches("a", "b"));
  EXPECT_FALSE(Pattern::parse("a/*")->matches("ab", "b"));
  EXPECT_TRUE(Pattern::parse("a/b")->matches("a", "b"));
  EXPECT_FALSE(Pattern::parse("a/b")->matches("a", "bc"));
  EXPECT_TRUE(Pattern::parse("a/b")->touches("a"));
  EXPECT_FALSE(Pattern::parse("a/b")->touches("b"));
  for (const char* const text : {"*", "a/*", "a/b"}) EXPECT_EQ(Pattern::parse(text)->text(), text);
  for (const char* const text : {"", "a", "*/b", "a/", "/b", "a/b/c", "a*/b", "a/b*", "**"}) {
    EXPECT_FALSE(Pattern::parse(text)) << text;
  }
}

TEST(Scopes, AreAListOfWords) {
  const Result<Scopes> scopes = Scopes::parse("publish, read");
  EXPECT_EQ(scopes->text(), "read,publish");
  EXPECT_TRUE(scopes->has(Scope::kRead));
  EXPECT_FALSE(scopes->has(Scope::kEdit));
  EXPECT_TRUE(Scopes::parse("admin")->has(Scope::kEdit));
  EXPECT_FALSE(Scopes::parse(""));
  EXPECT_FALSE(Scopes::parse("read,write"));
}

TEST(Rules, AStrangerReadsWhatIsPublicAndNothingElse) {
  const Rules rules = rules_of({});
  const Identity stranger = Identity::anonymous();
  EXPECT_EQ(rules.judge(stranger, Scope::kRead, "news", "x"), Verdict::kGranted);
  EXPECT_EQ(rules.judge(stranger, Scope::kSubscribe, "news", "x"), Verdict::kGranted);
  EXPECT_EQ(rules.judge(stranger, Scope::kPublish, "news", "x"), Verdict::kStranger);
  EXPECT_EQ(rules.judge(stranger, Scope::kEdit, "news", "x"), Verdict::kStranger);
  EXPECT_EQ(rules.judge(stranger, Scope::kRead, "closed", "x"), Verdict::kStranger);
  EXPECT_EQ(rules.judge(stranger, Scope::kRead, "unknown", "x"), Verdict::kStranger);
  EXPECT_EQ(rules.judge(stranger, "news"), Verdict::kGranted);
  EXPECT_EQ(rules.judge(stranger, "closed"), Verdict::kStranger);
}

TEST(Rules, ATokenDoesWhatItsScopesSayOnItsFeeds) {
  const Rules rules = rules_of({});
  const Identity writer = Identity::of_token(grant(1, "publish", "closed/a,news/a"));
  EXPECT_EQ(rules.judge(writer, Scope::kPublish, "closed", "a"), Verdict::kGranted);
  EXPECT_EQ(rules.judge(writer, Scope::kRead, "closed", "a"), Verdict::kForbidden);
  EXPECT_EQ(rules.judge(writer, Scope::kPublish, "closed", "b"), Verdict::kHidden);
  EXPECT_EQ(rules.judge(writer, Scope::kPublish, "news", "b"), Verdict::kForbidden);
  EXPECT_EQ(rules.judge(writer, Scope::kRead, "news", "b"), Verdict::kGranted);
  EXPECT_EQ(rules.judge(writer, "closed"), Verdict::kGranted);
  EXPECT_EQ(rules.judge(writer, "other"), Verdict::kHidden);
}

TEST(Rules, WhatTheServerTellsOfItselfIsForWhoManages) {
  const Rules rules = rules_of({});
  const Identity manager = Identity::of_token(grant(1, "admin", "*"));
  const Identity reader = Identity::of_token(grant(2, "read,publish", "*"));
  EXPECT_EQ(rules.judge(manager, Scope::kRead, kManagersWorkspace, "audit"), Verdict::kGranted);
  EXPECT_EQ(rules.judge(manager, kManagersWorkspace), Verdict::kGranted);
  EXPECT_EQ(rules.judge(reader, Scope::kRead, kManagersWorkspace, "audit"), Verdict::kHidden);
  EXPECT_EQ(rules.judge(reader, kManagersWorkspace), Verdict::kHidden);
  EXPECT_EQ(rules.judge(Identity::anonymous(), Scope::kRead, kManagersWorkspace, "audit"), Verdict::kStranger);
  EXPECT_EQ(rules.judge(Identity::anonymous(), kManagersWorkspace), Verdict::kStranger);
}

TEST(Rules, OpenRulesGrantEverything) {
  const Rules rules({true, {}, {}, {}});
  EXPECT_EQ(rules.judge(Identity::anonymous(), Scope::kEdit, "closed", "a"), Verdict::kGranted);
}

TEST(Rules, ATokenIsFoundByItselfAndHoldsUntilItExpires) {
  const std::string token = make_token();
  Grant expiring = grant(7, "read", "*");
  expiring.expires = Instant(std::chrono::seconds(100));
  const Rules rules = rules_of({{hash_of_token(token), expiring}});
  const std::shared_ptr<const Identity> found = rules.find(token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name(), "token:7");
  EXPECT_EQ(rules.named("token:7"), found);
  EXPECT_FALSE(rules.find(make_token()));
  EXPECT_FALSE(rules.named("token:8"));
  EXPECT_TRUE(rules.holds(*found, Instant(std::chrono::seconds(99))));
  EXPECT_FALSE(rules.holds(*found, Instant(std::chrono::seconds(100))));
  EXPECT_EQ(rules.next_expiry(Instant(std::chrono::seconds(99))), expiring.expires);
  EXPECT_FALSE(rules.next_expiry(Instant(std::chrono::seconds(100))));
  EXPECT_FALSE(rules_of({}).holds(*found, Instant(std::chrono::seconds(1)))) << "revoked";
}

TEST(CurrentRules, EachReplacementHasAnotherRevisionAndIsSeenByEveryThread) {
  const auto first = std::make_shared<const Rules>(RulesText{true, {}, {}, {}});
  const auto second = std::make_shared<const Rules>(RulesText{});
  CurrentRules current(first);
  const CurrentRules other(second);
  EXPECT_EQ(current.load(), first);
  EXPECT_EQ(other.load(), second);
  const std::uint64_t revision = current.revision();
  current.replace(second);
  EXPECT_NE(current.revision(), revision);
  EXPECT_NE(current.revision(), other.revision());
  std::shared_ptr<const Rules> elsewhere;
  std::thread([&] { elsewhere = current.load(); }).join();
  EXPECT_EQ(elsewhere, second);
  EXPECT_EQ(current.load(), second);
}

TEST(CurrentRules, AreTrustedOnlyForAWhileAfterTheyWereHeardOf) {
  CurrentRules current(std::make_shared<const Rules>(RulesText{}));
  const Ticks now = Ticks() + std::chrono::hours(1);
  EXPECT_FALSE(current.is_trusted(now));
  current.heard(now);
  EXPECT_TRUE(current.is_trusted(now + CurrentRules::kTrusted - std::chrono::seconds(1)));
  EXPECT_FALSE(current.is_trusted(now + CurrentRules::kTrusted));
}

}  // namespace
}  // namespace courant::access
