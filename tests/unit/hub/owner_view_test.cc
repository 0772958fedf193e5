#include "hub/owner_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "xslt/page.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr Instant kSeenAt{std::chrono::days(20'000)};

OwnerView current() {
  OwnerView view;
  Subscription& subscription = view.owned.subscription;
  subscription.topic = {"/demo/events", 3, 1};
  subscription.self = "https://here.example/demo/events";
  subscription.callback = "https://x.example/cb";
  subscription.cursor = 8;
  subscription.told = 8;
  subscription.secret = "do-not-show";
  view.backlog.head = 8;
  view.page = "https://here.example/hub/s/token";
  view.now = kSeenAt;
  return view;
}

OwnerView failing() {
  OwnerView view = current();
  Subscription& subscription = view.owned.subscription;
  view.backlog = {2, 12, kSeenAt - 90s};
  subscription.failures = 2;
  subscription.next_attempt = kSeenAt + 30s;
  subscription.record.add({kSeenAt - 60s, 0, 5ms, "no whole answer came in time", 10, 8, 12});
  subscription.record.add({kSeenAt - 30s, 500, 5ms, "the callback answered 500", 10, 8, 12});
  return view;
}

TEST(OwnerView, SaysHowFarBehindItIsAndWhy) {
  const json shown = json::parse(json_of(failing()));
  EXPECT_EQ(shown["state"], "failing");
  EXPECT_EQ(shown["explanation"],
            "The last 2 deliveries failed: the callback answered 500. The next document is tried again at "
            "2024-10-04T00:00:30.000000Z, and nothing else is sent before the callback has taken it.");
  EXPECT_EQ(shown["lag_entries"], 4);
  EXPECT_EQ(shown["lag_seconds"], 90);
  EXPECT_EQ(shown["kept_after"], 2);
  EXPECT_EQ(shown["next_attempt"], "2024-10-04T00:00:30.000000Z");
  EXPECT_EQ(shown["last_failures"].size(), 2U);
}

TEST(OwnerView, HasAStateForEachReasonThatNothingComes) {
  OwnerView view = current();
  EXPECT_EQ(state_of(view), "current");
  view.backlog.head = 9;
  EXPECT_EQ(state_of(view), "behind");
  view = failing();
  EXPECT_EQ(state_of(view), "failing");
  view.owned.subscription.wishes.is_paused = true;
  EXPECT_EQ(state_of(view), "paused");
  EXPECT_TRUE(json::parse(json_of(view))["next_attempt"].is_null()) << "there is none";
  view.owned.subscription.has_lost_secret = true;
  EXPECT_EQ(state_of(view), "no secret");
}

TEST(OwnerView, SaysThatTheHostCannotBeReachedThoughOthersFoundOut) {
  OwnerView view = current();
  view.backlog.head = 9;
  view.owned.subscription.next_attempt = kSeenAt;
  EXPECT_EQ(state_of(view), "failing");
  EXPECT_THAT(explanation_of(view),
              HasSubstr("The callback's host cannot be reached. The next document is tried again soon"));
}

TEST(OwnerView, AFailedTestIsNoReasonThatNothingComes) {
  OwnerView view = failing();
  view.owned.subscription.record.add({kSeenAt, 404, 5ms, "the callback answered 404", 10, 8, 8});
  EXPECT_THAT(explanation_of(view), HasSubstr("the callback answered 500"));
}

TEST(OwnerView, NeverShowsASecret) {
  OwnerView view = current();
  view.owned.subscription.wishes.old_secret = "nor-this";
  view.owned.subscription.wishes.old_secret_until = kSeenAt + 60s;
  for (const std::string& shown : {json_of(view), xml_of(view), xslt::html_page(xml_of(view))}) {
    EXPECT_THAT(shown, Not(HasSubstr("do-not-show")));
    EXPECT_THAT(shown, Not(HasSubstr("nor-this")));
    EXPECT_THAT(shown, HasSubstr("2024-10-04T00:01:00")) << "only until when the old one signs";
  }
}

TEST(OwnerView, ThePageShowsTextsAsTexts) {
  OwnerView view = failing();
  const std::string evil = "\"><script>alert('1')</script>&";
  view.owned.subscription.self += evil;
  view.owned.subscription.callback += evil;
  view.owned.subscription.record.add({kSeenAt, 0, 5ms, evil, 10, 8, 12});
  view.preview = Preview{1, 2, 1, {evil}};
  view.preview_search = evil;
  const std::string page = xslt::html_page(xml_of(view));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert('1')"));
  EXPECT_EQ(json::parse(json_of(view))["callback"], "https://x.example/cb" + evil);
}

}  // namespace
}  // namespace courant::hub
