#include "feeds/configure.h"

#include <gtest/gtest.h>

#include "feeds/directory.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

using std::chrono::hours;

class ConfigureTest : public testing::Test {
 protected:
  Result<Configured> apply(const std::vector<ConfiguredWorkspace>& workspaces, Instant source_time) {
    return configure(session_, read_lanes(session_), workspaces, source_time, kNow);
  }
  // As a process that starts finds them.
  std::shared_ptr<LiveFeed> feed(const std::string& workspace, const std::string& name) {
    Directory directory(read_lanes(session_));
    directory.load_all(session_);
    return directory.find(workspace, name);
  }

  static ConfiguredWorkspace billing(const std::string& title, std::int64_t page_size = 25) {
    ConfiguredWorkspace workspace;
    workspace.name = "billing";
    workspace.settings.title = title;
    workspace.feeds.push_back({"invoices", page_size, {}});
    workspace.feeds.back().settings.title = title;
    return workspace;
  }

  static constexpr Instant kNow{std::chrono::days(20'000)};
  test::TestDatabase database_;
  sql::Session session_{database_.url()};
};

TEST_F(ConfigureTest, MakesWhatIsMissing) {
  const Result<Configured> configured = apply({billing("One", 40)}, kNow);
  ASSERT_TRUE(configured);
  EXPECT_TRUE(configured->notices.empty());
  EXPECT_EQ(configured->workspaces.at("billing").title, "One");
  const auto live = feed("billing", "invoices");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->facts().page_size, 40);
  EXPECT_EQ(live->state()->settings.title, "One");
  EXPECT_EQ(live->state()->revision, 1);
}

TEST_F(ConfigureTest, ARevisionPassesOnlyWhereSomethingChanged) {
  ASSERT_TRUE(apply({billing("One")}, kNow));
  ASSERT_TRUE(apply({billing("One")}, kNow + hours(1)));
  EXPECT_EQ(feed("billing", "invoices")->state()->revision, 1);
  ASSERT_TRUE(apply({billing("Two")}, kNow + hours(2)));
  EXPECT_EQ(feed("billing", "invoices")->state()->revision, 2);
  EXPECT_EQ(feed("billing", "invoices")->state()->settings.title, "Two");
}

TEST_F(ConfigureTest, AnOlderSourceDoesNotReplaceANewerOne) {
  ASSERT_TRUE(apply({billing("New")}, kNow));
  const Result<Configured> configured = apply({billing("Old")}, kNow - hours(1));
  ASSERT_TRUE(configured);
  EXPECT_EQ(configured->notices.size(), 2U) << "the workspace and its feed";
  EXPECT_EQ(configured->workspaces.at("billing").title, "New");
  EXPECT_EQ(feed("billing", "invoices")->state()->settings.title, "New");
  EXPECT_TRUE(apply({billing("New")}, kNow - hours(1))->notices.empty()) << "older, but the same";
}

TEST_F(ConfigureTest, WhatIsTakenOutOfTheSourceStays) {
  ASSERT_TRUE(apply({billing("One")}, kNow));
  EXPECT_TRUE(apply({}, kNow + hours(1))->workspaces.contains("billing"));
  EXPECT_TRUE(feed("billing", "invoices"));
}

TEST_F(ConfigureTest, APageSizeCannotChangeAndThenNothingDoes) {
  ASSERT_TRUE(apply({billing("One", 25)}, kNow));
  const Result<Configured> refused = apply({billing("Two", 50)}, kNow + hours(1));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.fault().detail.find("billing/invoices has page_size 25"), std::string::npos);
  EXPECT_EQ(apply({}, kNow)->workspaces.at("billing").title, "One");
}

}  // namespace
}  // namespace courant::feeds
