// Tokens in the database, and how a process hears of them.
#include "server/admission/access_keeper.h"

#include <atomic>

#include <gtest/gtest.h>

#include "access/token.h"
#include "server/admission/first_token.h"
#include "server/admission/token_store.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::server {
namespace {

// Stands still unless it is moved on: what is found while it stands was heard of.
class KeeperClock final : public Clock {
 public:
  Instant now() const override { return SystemClock().now(); }
  Ticks ticks() const override { return Ticks(std::chrono::hours(1)) + std::chrono::milliseconds(passed); }
  std::atomic<int> passed{0};
};

class AccessKeeperTest : public testing::Test {
 protected:
  std::string make(const std::string& name, std::optional<Instant> expires = std::nullopt) {
    const NewToken token{name, *access::Scopes::parse("read"), *access::Pattern::parse_list("demo/*"), "+a", expires};
    const Result<std::string> made = make_token(session_, token, clock_.now());
    return made ? *made : std::string();
  }
  bool is_known(const AccessKeeper& keeper, const std::string& token) const {
    const std::shared_ptr<const access::Rules> rules = keeper.rules().load();
    const std::shared_ptr<const access::Identity> found = rules->find(token);
    return found && rules->holds(*found, clock_.now());
  }

  const SystemClock clock_;
  test::TestDatabase made_;
  sql::Database database_{made_.options()};
  sql::Session session_{made_.url()};
};

TEST_F(AccessKeeperTest, ATokenIsFoundAsItWasMade) {
  const std::string token = make("ci");
  const AccessKeeper keeper({false, {"news"}, std::nullopt}, database_, clock_);
  const std::shared_ptr<const access::Identity> found = keeper.rules().load()->find(token);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->may(access::Scope::kRead, "demo", "events"));
  EXPECT_FALSE(found->may(access::Scope::kPublish, "demo", "events"));
  EXPECT_FALSE(found->may(access::Scope::kRead, "other", "events"));
  EXPECT_EQ(found->filter(), "+a");
  EXPECT_TRUE(keeper.rules().is_trusted(clock_.ticks()));
}

TEST_F(AccessKeeperTest, ANameIsGivenAgainOnlyAfterItsTokenWasRevoked) {
  const std::string first = make("ci");
  EXPECT_EQ(make("ci"), "");
  EXPECT_TRUE(revoke_token(session_, "ci", clock_.now()));
  EXPECT_FALSE(revoke_token(session_, "ci", clock_.now()));
  const std::string second = make("ci");
  EXPECT_NE(second, "");
  const AccessKeeper keeper({false, {}, std::nullopt}, database_, clock_);
  EXPECT_FALSE(is_known(keeper, first));
  EXPECT_TRUE(is_known(keeper, second));
  EXPECT_EQ(keeper.rules().load()->find(second)->name(), "token:3") << "the number of the one refused was used up";
}

TEST_F(AccessKeeperTest, EveryChangeIsHeardOfAlsoOneThatIsMadeByHand) {
  const AccessKeeper keeper({false, {}, std::nullopt}, database_, clock_);
  const std::string token = make("ci");
  EXPECT_TRUE(test::wait_until([&] { return is_known(keeper, token); }));
  const std::uint64_t revision = keeper.rules().revision();
  session_.execute_script("update access_tokens set revoked = now() where name = 'ci'");
  EXPECT_TRUE(test::wait_until([&] { return !is_known(keeper, token); }));
  EXPECT_NE(keeper.rules().revision(), revision);
}

TEST_F(AccessKeeperTest, ARevocationIsHeardOfWithoutALook) {
  const KeeperClock still;
  const AccessKeeper keeper({false, {}, std::nullopt}, database_, still);
  const std::string first = make("first");
  ASSERT_TRUE(test::wait_until([&] { return is_known(keeper, first); })) << "it listens, and has looked";
  const std::string token = make("ci");
  EXPECT_TRUE(test::wait_until([&] { return is_known(keeper, token); }));
  ASSERT_TRUE(revoke_token(session_, "ci", clock_.now()));
  EXPECT_TRUE(test::wait_until([&] { return !is_known(keeper, token); }));
  EXPECT_TRUE(is_known(keeper, first));
}

TEST_F(AccessKeeperTest, ARevocationThatIsNotHeardOfIsFoundByLooking) {
  session_.execute_script(
      "create or replace function note_access() returns trigger language plpgsql as $$ begin "
      "update access_facts set revision = revision + 1; return null; end $$");
  KeeperClock clock;
  const std::string token = make("ci");
  const AccessKeeper keeper({false, {}, std::nullopt}, database_, clock);
  ASSERT_TRUE(is_known(keeper, token));
  ASSERT_TRUE(revoke_token(session_, "ci", clock_.now()));
  EXPECT_TRUE(test::wait_until([&] {
    clock.passed += 500;  // the next look is due
    return !is_known(keeper, token);
  }));
}

TEST_F(AccessKeeperTest, RulesAreReplacedWhenATokenExpires) {
  const std::string token = make("brief", clock_.now() + std::chrono::seconds(2));
  const AccessKeeper keeper({false, {}, std::nullopt}, database_, clock_);
  const std::uint64_t revision = keeper.rules().revision();
  EXPECT_TRUE(test::wait_until([&] { return keeper.rules().revision() != revision; }));
  EXPECT_FALSE(is_known(keeper, token));
}

TEST_F(AccessKeeperTest, OtherWorkspacesBecomePublicWhileItRuns) {
  AccessKeeper keeper({false, {"one"}, std::nullopt}, database_, clock_);
  EXPECT_TRUE(keeper.rules().load()->is_public("one"));
  keeper.change({"two"});
  EXPECT_TRUE(test::wait_until([&] { return keeper.rules().load()->is_public("two"); }));
  EXPECT_FALSE(keeper.rules().load()->is_public("one"));
}

TEST_F(AccessKeeperTest, WhatIsNotUnderstoodIsNotTaken) {
  const std::string good = make("good");
  const std::string strange = make("strange");
  session_.execute_script("update access_tokens set scopes = 'read,fly' where name = 'strange'");
  const AccessKeeper keeper({false, {}, std::nullopt}, database_, clock_);
  EXPECT_TRUE(is_known(keeper, good));
  EXPECT_FALSE(is_known(keeper, strange));
}

TEST_F(AccessKeeperTest, OpenRulesAskTheDatabaseNothing) {
  const AccessKeeper keeper({true, {}, std::nullopt}, database_, clock_);
  EXPECT_TRUE(keeper.rules().load()->is_open());
}

TEST_F(AccessKeeperTest, ANewInstallationGetsItsFirstTokenOnce) {
  const std::optional<std::string> token = first_token(database_, clock_.now());
  ASSERT_TRUE(token);
  EXPECT_FALSE(first_token(database_, clock_.now()));
  const AccessKeeper keeper({false, {}, std::nullopt}, database_, clock_);
  EXPECT_TRUE(is_known(keeper, *token));
  EXPECT_TRUE(revoke_token(session_, "first", clock_.now()));
  EXPECT_FALSE(first_token(database_, clock_.now())) << "revoked is not never made";
}

TEST_F(AccessKeeperTest, MandatoryFiltersHaveOneSpellingAndRequireACategory) {
  EXPECT_EQ(*mandatory_filter("cat=tid:2882"), "+tid:2882");
  EXPECT_EQ(*mandatory_filter("+b+A"), "+a+b");
  EXPECT_FALSE(mandatory_filter("(NOT(cat=a))"));
  EXPECT_FALSE(mandatory_filter("nonsense"));
  EXPECT_FALSE(mandatory_filter(""));
}

}  // namespace
}  // namespace courant::server
