// Whether anybody can use the hub against others: connections into forbidden places, and floods of a third party.
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>

#include <gtest/gtest.h>
#include <signal.h>

#include "kernel/text.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::hub_safety_test {
namespace {

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";
constexpr const char* kUnlimited =
    "verifications_per_host = 10000\nverifications_per_domain = 10000\nverifications_per_network = 10000\n"
    "verifications_per_client = 10000\n";

class HubSafety : public testing::Test {
 protected:
  // setting: a line of [hub], in the place of the one of that name in kUnlimited. Again: with another one.
  void start(const std::string& setting) {
    if (server_) {
      server_->process().signal(SIGTERM);
      ASSERT_EQ(server_->process().wait(), 0);
      server_.reset();
    }
    const std::string name = setting.substr(0, setting.find(' '));
    std::string hub = "[hub]\ncallback_allow = ['127.0.0.0/8']\n" + setting;
    for (const std::string_view line : split(kUnlimited, '\n')) {
      if (!line.starts_with(name + " ")) hub += std::string(line) + "\n";
    }
    const std::string config = scratch("hub-safety.toml");
    std::ofstream(config) << hub << "[[workspaces]]\nname = 'demo'\nauto_create = true\n";
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config});
    client_ = std::make_unique<HttpClient>(server_->port());
    for (const std::string& topic : kTopics) {
      ASSERT_EQ(
          client_->post("/demo/" + topic, "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title></entry>").status,
          201);
    }
  }

  Reply ask(const std::string& callback, const std::string& topic = "one", const std::string& mode = "subscribe") {
    const std::string form = "hub.mode=" + mode + "&hub.topic=" + percent_encode(server_->url() + "/demo/" + topic) +
                             "&hub.callback=" + percent_encode(callback);
    return client_->post("/hub", form, kForm);
  }
  std::int64_t count(const std::string& table) {
    const bool is_requests = table == "hub_requests";
    return session_
        .run(is_requests ? sql::Query{"requests", "select count(*) from hub_requests"}
                         : sql::Query{"subscriptions", "select count(*) from subscriptions"})[0]
        .integer(0);
  }

  // Asks for many subscriptions of a victim that wants none, each callback made of a number, and looks what the victim
  // sees: in any time not more than `rate` a second and those of one second beforehand, yet all that it may.
  void expect_no_flood(const std::function<std::string(int number, int port)>& callback, int rate) {
    constexpr int kCallbacks = 40;
    const std::size_t enough = static_cast<std::size_t>(3 * rate);
    Sink victim([](const SinkRequest&) { return SinkReply{.status = 500}; });
    const auto begin = std::chrono::steady_clock::now();
    for (int number = 0; number < kCallbacks; ++number) {
      for (const std::string& topic : kTopics) ASSERT_EQ(ask(callback(number, victim.port()), topic).status, 202);
    }
    ASSERT_TRUE(victim.wait_until([&] { return victim.requests().size() >= enough; })) << "others wait, not lost";
    const auto seen = static_cast<double>(victim.requests().size());
    const auto connections = static_cast<double>(victim.connections());
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    EXPECT_LE(seen, rate * (time.count() + 1));
    EXPECT_LE(connections, rate * (time.count() + 1));
    EXPECT_GT(count("hub_requests"), 0);
  }

  const std::vector<std::string> kTopics = {"one", "two", "three"};
  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

std::string at(const std::string& host, int port, const std::string& path = "/cb") {
  return "http://" + host + ":" + std::to_string(port) + path;
}

// Names below localhost lead to loopback, without a name server.
TEST_F(HubSafety, ManySubdomainsOfOneDomainAreNoFlood) {
  start("verifications_per_domain = 3\n");
  expect_no_flood([](int number, int port) { return at("a" + std::to_string(number) + ".victim.localhost", port); }, 3);
}

TEST_F(HubSafety, ManyDomainsThatLeadToOneMachineAreNoFlood) {
  start("verifications_per_network = 3\n");
  expect_no_flood([](int number, int port) { return at("victim" + std::to_string(number) + ".localhost", port); }, 3);
}

TEST_F(HubSafety, ManyPathsOfOneHostHoweverSpelledAreNoFlood) {
  start("verifications_per_host = 3\n");
  constexpr const char* kSpellings[] = {"127.0.0.1",  "2130706433",  "0x7f.1",
                                        "127.0.0.1.", "%3127.0.0.1", "017700000001"};
  expect_no_flood(
      [&](int number, int port) { return at(kSpellings[number % 6], port, "/cb?" + std::to_string(number)); }, 3);
}

TEST_F(HubSafety, OneClientCannotHaveManyAskedEverywhere) {
  start("verifications_per_client = 3\n");
  expect_no_flood([](int number, int port) { return at("victim" + std::to_string(number) + ".localhost", port); }, 3);
}

// Requests for one victim are spread over the processes, each of which takes its part of the rate.
TEST_F(HubSafety, SeveralProcessesTogetherAreNoFlood) {
  start("verifications_per_domain = 4\n");
  const CourantServer other(
      {"--database", database_.url(), "--config", scratch("hub-safety.toml"), "--public-url", server_->url()});
  const sql::Query owners{"owners",
                          "select count(*) from (select from hub_shards where owner <> '' group by owner "
                          "having count(*) = 32) halves"};
  ASSERT_TRUE(wait_until([&] { return session_.run(owners)[0].integer(0) == 2; }));
  expect_no_flood([](int number, int port) { return at("a" + std::to_string(number) + ".victim.localhost", port); }, 4);
}

TEST_F(HubSafety, UnverifiedRequestsOfAClientAndOfAllAreBounded) {
  Sink silent([](const SinkRequest&) { return SinkReply{.status = 500}; });
  for (const char* setting : {"max_pending_per_client = 5\n", "max_pending = 5\n"}) {
    start(setting);
    session_.run(sql::Query{"clear", "delete from hub_requests"});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(silent.url("/" + std::to_string(i))).status, 202);
    const Reply beyond = ask(silent.url("/5"));
    EXPECT_EQ(beyond.status, 429) << setting;
    EXPECT_EQ(beyond.header("Retry-After"), "60");
    EXPECT_NE(beyond.body.find("unverified requests"), std::string::npos) << beyond.body;
    EXPECT_EQ(count("hub_requests"), 5);
  }
}

TEST_F(HubSafety, SubscriptionsAreBoundedAndThoseThatAreThereCanBeRenewed) {
  struct Case {
    std::string setting;
    std::string words;
    std::string refused;  // the host of one more
    std::string refused_topic;
    std::string taken;  // the host of one that shares less
    std::string taken_topic;
  };
  const std::vector<Case> cases = {
      {"max_subscriptions_per_topic", "of this topic", "c.other.localhost", "one", "c.victim.localhost", "two"},
      {"max_subscriptions_per_host", "callback's host", "a.victim.localhost", "two", "c.victim.localhost", "two"},
      {"max_subscriptions_per_domain", "callback's domain", "c.victim.localhost", "two", "c.other.localhost", "one"},
      {"max_subscriptions_per_client", "from this address", "c.other.localhost", "two", "", ""}};
  for (const Case& one : cases) {
    start(one.setting + " = 2\n");
    session_.run(sql::Query{"clear", "delete from subscriptions"});
    Subscriber subscriber;
    const int port = subscriber.sink().port();
    const auto subscribe = [&](const std::string& callback, const std::string& topic) {
      ASSERT_EQ(ask(callback, topic).status, 202) << one.setting << " " << callback;
      ASSERT_TRUE(subscriber.wait_until([&] { return count("hub_requests") == 0; }));
    };
    subscribe(at("a.victim.localhost", port, "/1"), "one");
    subscribe(at("a.victim.localhost", port, "/2"), "one");
    ASSERT_EQ(count("subscriptions"), 2);

    const Reply beyond = ask(at(one.refused, port), one.refused_topic);
    EXPECT_EQ(beyond.status, 429) << one.setting;
    EXPECT_EQ(beyond.header("Retry-After"), "60");
    EXPECT_NE(beyond.body.find(one.words), std::string::npos) << beyond.body;
    subscribe(at("a.victim.localhost", port, "/1"), "one");
    ASSERT_EQ(count("subscriptions"), 2) << "a renewal adds none";
    if (!one.taken.empty()) subscribe(at(one.taken, port), one.taken_topic);
    EXPECT_EQ(ask(at("a.victim.localhost", port, "/1"), "one", "unsubscribe").status, 202);
    ASSERT_TRUE(subscriber.wait_until([&] { return count("hub_requests") == 0; }));
  }
}

TEST_F(HubSafety, AForbiddenCallbackIsRefusedAtOnce) {
  start("");
  const std::string own = std::to_string(server_->port());
  const std::vector<std::string> callbacks = {
      "http://10.0.0.1/", "http://0xA000001/", "http://012.1/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/",
      "http://[64:ff9b:1::1]/", "http://[2002:a00:1::]/", "http://[2001::1]/", "http://[fe80::1%25eth0]/",
      "http://[2606:4700::5efe:10.0.0.1]/", "http://169.254.169.254/", "http://１０.0.0.1/", "http://10。0。0。1/",
      "http://%31%30.0.0.1/", "http://10.0.0.1./", "http://bücher.example/", "https://x.example:6667/",
      // The server itself, which callback_allow does not let in.
      "http://127.0.0.1:" + own + "/hub", "http://2130706433:" + own + "/hub", "http://localhost:" + own + "/hub",
      "http://any.localhost:" + own + "/hub", "http://[::ffff:7f00:1]:" + own + "/hub"};
  for (const std::string& callback : callbacks) {
    const Reply reply = ask(callback);
    EXPECT_EQ(reply.status, 400) << callback;
    EXPECT_NE(reply.body.find("hub.callback cannot be called"), std::string::npos) << callback << ": " << reply.body;
  }
  EXPECT_EQ(count("hub_requests"), 0);
}

}  // namespace
}  // namespace courant::test::hub_safety_test
