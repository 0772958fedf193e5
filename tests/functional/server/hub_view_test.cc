// What the operator sees of the hub, and what publishers are told: whether what they published has arrived.
#include <atomic>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::hub_view_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::string entry(int number, const std::string& term = "t") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><category term='" + term + "'/><content>c</content></entry>";
}

// A server, and its operator's pages.
class Server {
 public:
  explicit Server(const std::string& database)
      : operations_(free_port()),
        server_({"--database", database, "--config", config(), "--operations",
                 "127.0.0.1:" + std::to_string(operations_)}) {}

  CourantServer& program() { return server_; }
  int port() const { return server_.port(); }
  std::string topic() const { return server_.url() + "/demo/events"; }
  Reply publish(int number, const std::string& term = "t") {
    return HttpClient(server_.port()).post("/demo/events", entry(number, term));
  }
  Reply get(const std::string& target, const std::string& headers = {}) {
    return HttpClient(server_.port()).get(target, headers);
  }
  // {"position", "subscriptions", "confirmed"} as "7 3 2".
  std::string delivered(const std::string& query, const std::string& headers = {}) {
    const Reply reply = get("/demo/events/delivered?" + query, headers);
    if (reply.status != 200) return std::to_string(reply.status);
    const json document = json::parse(reply.body);
    return document.at("position").dump() + " " + document.at("subscriptions").dump() + " " +
           document.at("confirmed").dump();
  }
  Reply operations(const std::string& target, const std::string& headers = {}) {
    return HttpClient(operations_).get(target, headers);
  }
  // What a metric says now, with its labels; nullopt: there is none of that name.
  std::optional<double> metric(const std::string& name) {
    const std::string text = "\n" + operations("/metrics").body;
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? std::nullopt : std::optional(std::stod(text.substr(at + name.size() + 2)));
  }

 private:
  static std::string config() {
    const std::string path = scratch("hub_view.toml");
    std::ofstream(path) << "[hub]\ncallback_allow = ['127.0.0.0/8']\nretry = ['20ms']\n"
                        << "[[workspaces]]\nname = 'demo'\nauto_create = true\n";
    return path;
  }

  const int operations_;
  CourantServer server_;
};

class HubViewTest : public testing::Test {
 protected:
  // Asks, and waits until it is verified.
  void subscribe(Server& server, const Subscriber& subscriber, const std::string& topic,
                 const std::string& name = "cb") {
    const std::int64_t before = subscriptions();
    ASSERT_EQ(subscriber.ask(server.program(), "subscribe", topic, "", name), 202);
    ASSERT_TRUE(wait_until([&] { return subscriptions() == before + 1; }));
  }
  std::int64_t subscriptions() {
    return session_.run({"test.subscriptions", "select count(*) from subscriptions"})[0].integer(0);
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  Server server_{database_.url()};
};

class HubDelivered : public HubViewTest {};

TEST_F(HubDelivered, WithoutSubscriptionsThereIsNobodyToWaitFor) {
  ASSERT_EQ(server_.publish(1).status, 201);
  const Reply reply = server_.get("/demo/events/delivered?position=1", "Prefer: wait=30\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Type"), "application/json");
  EXPECT_EQ(reply.header("Cache-Control"), "no-store");
  EXPECT_EQ(reply.header("Preference-Applied"), "wait=30");
  EXPECT_EQ(reply.body, "{\"position\":1,\"subscriptions\":0,\"confirmed\":0}\n");
  EXPECT_EQ(server_.get("/demo/events/delivered?position=1").header("Preference-Applied"), "");
}

TEST_F(HubDelivered, WhatCannotBeAskedIsRefused) {
  ASSERT_EQ(server_.publish(1).status, 201);
  EXPECT_EQ(server_.get("/demo/nothing/delivered?position=1").status, 404);
  EXPECT_EQ(server_.get("/nowhere/events/delivered?position=1").status, 404);
  for (const char* const query :
       {"", "?position=", "?position=x", "?position=-1", "?position=1.5", "?position=+1",
        "?position=99999999999999999999", "?position=9223372036854775807", "?position=1&wait=x"}) {
    EXPECT_EQ(server_.get(std::string("/demo/events/delivered") + query).status, 400) << query;
  }
  const Reply beyond = server_.get("/demo/events/delivered?position=2", "Prefer: wait=30\r\n");
  EXPECT_EQ(beyond.status, 400) << "as a marker is";
  EXPECT_EQ(beyond.header("Link"), "<" + server_.topic() + ">; rel=\"current\"");
  EXPECT_THAT(beyond.body, HasSubstr("which has position 1"));
  EXPECT_EQ(server_.delivered("position=0"), "0 0 0");
  EXPECT_EQ(HttpClient(server_.port()).post("/demo/events/delivered?position=1", "x").status, 405);
}

TEST_F(HubDelivered, CountsAllTopicsOfTheFeed) {
  ASSERT_EQ(server_.publish(1).status, 201);
  std::atomic<bool> takes{false};
  Subscriber subscriber(
      [&](const SinkRequest& request) { return SinkReply{.status = takes || request.target != "/slow" ? 204 : 500}; });
  subscribe(server_, subscriber, server_.topic(), "quick");
  subscribe(server_, subscriber, server_.topic() + "?format=json", "slow");
  subscribe(server_, subscriber, server_.topic() + "?search=%2Bgold", "filtered");
  HttpClient(server_.port()).post("/demo/other", entry(1));
  subscribe(server_, subscriber, server_.program().url() + "/demo/other", "elsewhere");
  EXPECT_EQ(server_.delivered("position=1"), "1 3 3") << "what there was before they came they need not get";
  ASSERT_EQ(server_.publish(2).status, 201);
  ASSERT_TRUE(wait_until([&] { return server_.delivered("position=2") == "2 3 2"; }));
  EXPECT_EQ(server_.delivered("position=1"), "1 3 3");
  EXPECT_EQ(server_.delivered("position=2&wait=1"), "2 3 2") << "time is up";
  takes = true;
  EXPECT_EQ(server_.delivered("position=2", "Prefer: wait=60\r\n"), "2 3 3");
}

TEST_F(HubDelivered, WhoWaitsIsAnsweredWhenAllHaveIt) {
  ASSERT_EQ(server_.publish(1).status, 201);
  Gate gate;
  Subscriber subscriber([&](const SinkRequest&) {
    gate.wait();
    return SinkReply{.status = 204};
  });
  const GateOpener opener{gate};
  subscribe(server_, subscriber, server_.topic());
  ASSERT_EQ(server_.publish(2).status, 201);
  std::vector<std::unique_ptr<RawClient>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(std::make_unique<RawClient>(static_cast<std::uint16_t>(server_.port())));
    waiting.back()->send(
        "GET /demo/events/delivered?position=2 HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=60\r\n\r\n");
  }
  EXPECT_FALSE(waiting.front()->has_answer_within(300ms));
  EXPECT_EQ(server_.get("/demo/events").status, 200) << "nobody else waits meanwhile";
  waiting.pop_back();  // it goes away
  gate.open();
  for (const auto& client : waiting) EXPECT_THAT(client->read_response(), HasSubstr("\"confirmed\":1}"));
}

// Each of two processes delivers a part of the subscriptions, and either knows of all.
TEST_F(HubDelivered, IsRightWhicheverProcessIsAsked) {
  ASSERT_EQ(server_.publish(1).status, 201);
  Server other(database_.url());
  const Subscriber subscriber;
  for (int i = 0; i < 12; ++i) subscribe(server_, subscriber, server_.topic(), "cb" + std::to_string(i));
  EXPECT_TRUE(wait_until([&] {
    return session_
               .run({"test.owners",
                     "select count(distinct owner) from hub_shards h join subscriptions s using (shard)"})[0]
               .integer(0) == 2;
  }));
  const Reply published = server_.publish(2);
  const std::string position = "position=" + published.header("Feed-Position");
  EXPECT_EQ(other.delivered(position, "Prefer: wait=60\r\n"), "2 12 12") << "that may not even know of the entry yet";
  EXPECT_EQ(server_.delivered(position, "Prefer: wait=60\r\n"), "2 12 12");
  EXPECT_EQ(subscriber.deliveries().size(), 12U);
}

TEST_F(HubDelivered, AServerThatStopsAnswersWhoWaits) {
  ASSERT_EQ(server_.publish(1).status, 201);
  const Subscriber subscriber([](const SinkRequest&) { return SinkReply{.status = 500}; });
  subscribe(server_, subscriber, server_.topic());
  ASSERT_EQ(server_.publish(2).status, 201);
  RawClient client(static_cast<std::uint16_t>(server_.port()));
  client.send("GET /demo/events/delivered?position=2&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_FALSE(client.has_answer_within(300ms));
  server_.program().process().signal(SIGTERM);
  EXPECT_THAT(client.read_response(), HasSubstr("{\"position\":2,\"subscriptions\":1,\"confirmed\":0}"));
  EXPECT_EQ(server_.program().process().wait(), 0);
}

class HubOperations : public HubViewTest {};

TEST_F(HubOperations, ShowWhoIsBehindAndWhy) {
  ASSERT_EQ(server_.publish(1).status, 201);
  const Subscriber subscriber([](const SinkRequest&) {
    return SinkReply{.status = 503, .headers = {{"Retry-After", "3600"}}};
  });
  subscribe(server_, subscriber, server_.topic(), "well");
  subscribe(server_, subscriber, server_.topic(), "ill");
  ASSERT_EQ(server_.publish(2).status, 201);
  ASSERT_TRUE(wait_until([&] { return server_.metric("courant_hub_subscriptions{state=\"resting\"}") == 2; }));
  ASSERT_TRUE(wait_until([&] { return json::parse(server_.operations("/hub").body)["worst"].size() == 2; }));
  const Reply reply = server_.operations("/hub");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Type"), "application/json");
  const json document = json::parse(reply.body);
  const json& worst = document["worst"][0];
  EXPECT_EQ(worst["topic"], "/demo/events");
  EXPECT_EQ(worst["host"], "127.0.0.1");
  EXPECT_EQ(worst["state"], "resting");
  EXPECT_EQ(worst["positions_behind"], 1);
  EXPECT_GE(worst["seconds_behind"], 0);
  EXPECT_EQ(worst["failures"], 1);
  EXPECT_EQ(worst["last_error"], "the callback answered 503");
  EXPECT_EQ(worst["oldest_undelivered"], document["oldest_undelivered"]);
  EXPECT_EQ(document["subscriptions"]["resting"], 2);
  EXPECT_THAT(reply.body, Not(HasSubstr("/ill"))) << "callbacks' URLs may hold secrets";

  const Reply page = server_.operations("/hub", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.header("Content-Type"), HasSubstr("text/html"));
  EXPECT_THAT(page.body, HasSubstr("<td>/demo/events</td><td>127.0.0.1</td><td>resting</td><td>1</td>"));
  EXPECT_THAT(page.body, HasSubstr("the callback answered 503"));
  EXPECT_EQ(server_.get("/hub").header("Content-Type"), "text/plain; charset=utf-8")
      << "the public one shows none of it";
}

TEST_F(HubOperations, CountWhatIsDelivered) {
  ASSERT_EQ(server_.publish(1).status, 201);
  std::atomic<int> attempts{0};
  Subscriber subscriber([&](const SinkRequest&) -> SinkReply {
    switch (++attempts) {
      case 1:
        return {.status = 404};
      case 2:
        return {.status = 302, .headers = {{"Location", "/"}}};
      case 3:
        return {.status = 500};
      case 4:
        return {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"};
      default:
        return {.status = 204};
    }
  });
  subscribe(server_, subscriber, server_.topic());
  ASSERT_EQ(server_.publish(2).status, 201);
  EXPECT_EQ(server_.delivered("position=2", "Prefer: wait=60\r\n"), "2 1 1");
  for (const char* const outcome : {"2xx", "3xx", "4xx", "5xx", "broken"}) {
    EXPECT_EQ(server_.metric(std::string("courant_hub_deliveries_total{outcome=\"") + outcome + "\"}"), 1) << outcome;
  }
  for (const char* const outcome : {"timeout", "connect", "tls", "resolve", "forbidden", "held_back", "other"}) {
    EXPECT_EQ(server_.metric(std::string("courant_hub_deliveries_total{outcome=\"") + outcome + "\"}"), 0) << outcome;
  }
  EXPECT_EQ(server_.metric("courant_hub_delivery_seconds_count"), 5);
  EXPECT_EQ(server_.metric("courant_hub_verification_seconds_count"), 1);
  EXPECT_EQ(server_.metric("courant_hub_documents_delivered_total"), 1);
  EXPECT_EQ(server_.metric("courant_hub_entries_delivered_total"), 1);
  EXPECT_TRUE(wait_until([&] { return server_.metric("courant_hub_lag_positions{le=\"0\"}") == 1; }));
  EXPECT_EQ(server_.metric("courant_hub_lag_seconds{le=\"+Inf\"}"), 1);
  EXPECT_EQ(server_.metric("courant_hub_oldest_undelivered_seconds"), 0);
  EXPECT_EQ(server_.metric("courant_hub_subscriptions{state=\"caught_up\"}"), 1);
}

}  // namespace
}  // namespace courant::test::hub_view_test
