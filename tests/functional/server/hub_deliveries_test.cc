// What deliveries say of their place in the log, and what is kept of how they went.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/any_query.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"

namespace courant::test::hub_deliveries_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kExpired = "Entry-Expires: 2020-01-01T00:00:00Z\r\n";

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

class HubDeliveriesTest : public testing::Test {
 protected:
  // workspace: settings of the workspace demo, in TOML.
  void serve(const std::string& workspace = {}) {
    const std::string config = scratch("hub_deliveries.toml");
    std::ofstream(config) << "[hub]\ncallback_allow = ['127.0.0.0/8']\nretry = ['0s', '50ms']\n"
                          << "delivery_timeout = '3s'\n"
                          << "[[workspaces]]\nname = 'demo'\nauto_create = true\npage_size = 5\n"
                          << workspace << "\n";
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config});
    client_ = std::make_unique<HttpClient>(server_->port());
    publish(1);
  }
  void restart() {
    server_->kill_and_restart();
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  std::string topic() const { return server_->url() + "/demo/events"; }
  void publish(int number, const std::string& headers = {}) {
    ASSERT_EQ(client_->post("/demo/events", entry(number), headers).status, 201) << number;
  }
  void publish_all(int first, int last) {
    for (int number = first; number <= last; ++number) publish(number);
  }
  // Asks, and waits until it is verified.
  void subscribe(const Subscriber& subscriber, const std::string& more = {}) {
    const std::size_t before = subscriber.verifications().size();
    ASSERT_EQ(subscriber.ask(*server_, "subscribe", topic(), more), 202);
    ASSERT_TRUE(subscriber.wait_until([&] {
      return subscriber.verifications().size() > before && number_of("select count(*) from hub_requests") == 0;
    }));
  }
  sql::Rows rows_of(const std::string& query) { return test::rows_of(session_, query); }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  // Of the only subscription, as the database has it.
  json record() {
    const sql::Rows rows = rows_of("select coalesce(record, '{}')::text from subscriptions");
    return rows.empty() ? json() : json::parse(rows[0].text(0));
  }
  std::size_t failures() {
    const json kept = record();
    return kept.contains("failures") ? kept["failures"].size() : 0;
  }
  bool has_cursor(int cursor) {
    return number_of("select count(*) from subscriptions where cursor = " + std::to_string(cursor)) == 1;
  }

  // Of all that came, "1-2 2-5".
  static std::string ranges(const Subscriber& subscriber) {
    std::string all;
    for (const SinkRequest& delivery : subscriber.deliveries()) {
      all += delivery.header("Feed-Position-Previous").value_or("?") + "-" +
             delivery.header("Feed-Position").value_or("?") + " ";
    }
    return all;
  }
  static void expect_range(const SinkRequest& delivery, int previous, int position) {
    EXPECT_EQ(delivery.header("Feed-Position-Previous"), std::to_string(previous));
    EXPECT_EQ(delivery.header("Feed-Position"), std::to_string(position));
    EXPECT_THAT(delivery.body,
                HasSubstr("<c:range xmlns:c=\"urn:courant:log:1\" previous=\"" + std::to_string(previous) +
                          "\" position=\"" + std::to_string(position) + "\"/>"));
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

// What has expired takes positions and is not delivered: the chain of positions goes over it, whoever delivers.
TEST_F(HubDeliveriesTest, ThePreviousPositionIsThatOfTheDeliveryBefore) {
  serve();
  Subscriber early;
  subscribe(early);
  publish(2);
  ASSERT_TRUE(early.wait_until([&] { return early.deliveries().size() == 1 && has_cursor(2); }));
  expect_range(early.deliveries()[0], 1, 2);
  publish(3, kExpired);
  publish(4, kExpired);
  ASSERT_TRUE(early.wait_until([&] { return has_cursor(4); })) << "looked at, though there was nothing to deliver";
  restart();
  Subscriber late;
  subscribe(late);
  EXPECT_EQ(late.verifications().at(0).header("Feed-Position"), "4");
  publish(5);
  ASSERT_TRUE(early.wait_until([&] { return early.deliveries().size() == 2 && late.deliveries().size() == 1; }))
      << ranges(early) << " and " << ranges(late);
  expect_range(early.deliveries()[1], 2, 5);
  expect_range(late.deliveries()[0], 4, 5);
  EXPECT_EQ(early.positions(), (std::vector<int>{2, 5}));
  EXPECT_NE(early.deliveries()[1].header("webhook-id"), late.deliveries()[0].header("webhook-id"));
}

TEST_F(HubDeliveriesTest, ASubscriptionMadeAgainIsToldFromWhereItGoesOn) {
  serve();
  std::atomic<bool> takes{false};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = takes ? 204 : 500}; });
  subscribe(subscriber);
  publish_all(2, 4);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  subscribe(subscriber);
  EXPECT_EQ(subscriber.verifications().at(1).header("Feed-Position"), "1");
  takes = true;
  ASSERT_TRUE(subscriber.wait_until([&] { return has_cursor(4); }));
  EXPECT_EQ(subscriber.deliveries().at(0).header("Feed-Position-Previous"), "1");
}

// A subscriber that was away for longer than entries are kept hears that it misses some.
TEST_F(HubDeliveriesTest, WhatRetentionHasDroppedIsMissingVisibly) {
  serve("retain = '10 entries'");
  std::atomic<bool> takes{false};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = takes ? 204 : 500}; });
  subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  publish_all(3, 23);
  ASSERT_TRUE(subscriber.wait_until([&] { return number_of("select min(position) from " + kPublished) == 11; }));
  takes = true;
  ASSERT_TRUE(subscriber.wait_until([&] { return has_cursor(23); }));
  const std::vector<SinkRequest> deliveries = subscriber.deliveries();
  const auto later = std::find_if(deliveries.begin(), deliveries.end(), [](const SinkRequest& one) {
    return std::stoi(one.header("Feed-Position").value_or("0")) > 10;
  });
  ASSERT_NE(later, deliveries.end());
  // 1, or 2 where the document of 2 was in memory still.
  const std::string previous = later->header("Feed-Position-Previous").value_or("");
  EXPECT_LE(std::stoi(previous), 2) << "far behind the first position that is kept, 11";
  EXPECT_THAT(later->body, HasSubstr(" previous=\"" + previous + "\" "));
  EXPECT_THAT(later->body, Not(HasSubstr("<id>urn:x:10</id>")));
  EXPECT_EQ(client_->get("/demo/events?marker=" + previous + "&direction=forward").status, 410);
}

// The bytes of a range may have arrived: after a restart the same is tried again under the same id.
TEST_F(HubDeliveriesTest, ARangeStaysFrozenAcrossARestart) {
  serve();
  std::atomic<bool> takes{false};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = takes ? 204 : 500}; });
  subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(
      subscriber.wait_until([&] { return number_of("select count(*) from subscriptions where frozen = 2") == 1; }));
  publish(3);
  restart();
  takes = true;
  ASSERT_TRUE(subscriber.wait_until([&] { return has_cursor(3); }));
  for (const SinkRequest& delivery : subscriber.deliveries()) {
    const bool is_first = delivery.header("Feed-Position-Previous") == "1";
    expect_range(delivery, is_first ? 1 : 2, is_first ? 2 : 3);
    EXPECT_EQ(delivery.header("webhook-id") == subscriber.deliveries()[0].header("webhook-id"), is_first);
  }
}

TEST_F(HubDeliveriesTest, ForEachFailureTheRecordSaysWhy) {
  serve();
  Gate gate;
  std::atomic<int> posts{0};
  Subscriber subscriber([&](const SinkRequest&) -> SinkReply {
    switch (++posts) {
      case 1:
        return {.status = 500, .body = "a secret of the callback"};
      case 2:
        return {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"};  // and the connection ends
      case 3:
        gate.wait();
        return {.status = 204};
      case 4:
        return {.status = 307, .headers = {{"Location", "http://127.0.0.1:1/"}}};
      default:
        return {.status = 204};
    }
  });
  const GateOpener opener{gate};
  subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return record().contains("last_success"); }));
  const json kept = record();
  const std::size_t bytes = subscriber.deliveries().at(0).body.size();
  const std::vector<std::pair<int, std::string>> expected = {
      {500, "the callback answered 500"},
      {0, "the connection broke off, or what came was not HTTP"},
      {0, "no whole answer came in time"},
      {307, "the callback answered 307: redirects are not followed"},
  };
  ASSERT_EQ(kept["failures"].size(), expected.size()) << kept;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const json& failure = kept["failures"][i];
    EXPECT_EQ(failure["status"], expected[i].first) << i;
    EXPECT_EQ(failure["error"], expected[i].second) << i;
    EXPECT_EQ(failure["from"], 1) << i;
    EXPECT_EQ(failure["to"], 2) << i;
    EXPECT_EQ(failure["bytes"], bytes) << i;
    EXPECT_TRUE(parse_rfc3339(failure["ended"].get<std::string>())) << i;
  }
  EXPECT_EQ(kept["last_success"]["status"], 204);
  EXPECT_EQ(kept["last_success"]["error"], "");
  EXPECT_EQ(kept["last_success"]["to"], 2);
  EXPECT_THAT(kept.dump(), Not(HasSubstr("secret")));
}

TEST_F(HubDeliveriesTest, TheRecordOutlivesServersAndIsBounded) {
  serve();
  std::atomic<int> status{204};
  auto subscriber = std::make_unique<Subscriber>([&](const SinkRequest&) { return SinkReply{.status = status}; });
  subscribe(*subscriber);
  publish(2);
  ASSERT_TRUE(subscriber->wait_until([&] { return record().contains("last_success"); }));
  const json success = record()["last_success"];
  status = 503;
  publish(3);
  ASSERT_TRUE(subscriber->wait_until([&] { return failures() >= 2; }));
  restart();
  ASSERT_TRUE(subscriber->wait_until([&] { return failures() == 10; }));
  const json first = record()["failures"][0];
  ASSERT_TRUE(subscriber->wait_until([&] { return record()["failures"][0] != first; })) << "the oldest make room";
  EXPECT_EQ(failures(), 10U);
  EXPECT_EQ(record()["last_success"], success);

  // Nobody listens there any more. What the system says of it is in the log, with the address.
  subscriber.reset();
  const Subscriber other;
  ASSERT_TRUE(other.wait_until([&] {
    const json kept = record();
    return kept["failures"].size() == 10 &&
           kept["failures"][0]["error"] == "no connection to the callback's host could be made";
  }));
  EXPECT_THAT(record().dump(), Not(HasSubstr("127.0.0.1")));
}

// 410 ends the subscription, and its record with it.
TEST_F(HubDeliveriesTest, WhoIsGoneLeavesNoRecord) {
  serve();
  std::atomic<int> status{500};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = status}; });
  subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return failures() >= 1; }));
  status = 410;
  ASSERT_TRUE(subscriber.wait_until([&] { return number_of("select count(*) from subscriptions") == 0; }));
}

}  // namespace
}  // namespace courant::test::hub_deliveries_test
