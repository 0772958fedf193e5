#include <atomic>
#include <fstream>
#include <numeric>

#include <gtest/gtest.h>

#include "kernel/digest.h"
#include "tests/support/background.h"
#include "tests/support/callbacks.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::hub_test {
namespace {

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";

std::vector<int> from_one_to(int last) {
  std::vector<int> numbers(static_cast<std::size_t>(last));
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

class HubTest : public testing::Test {
 protected:
  std::string topic() const { return server_.url() + "/demo/events"; }
  // As a publisher does it: again, until the server says that it is stored.
  void publish(int number) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    int status = 0;
    while (status != 201 && status != 200) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << number << ": " << status;
      status = client_.post("/demo/events", entry(number)).status;
    }
  }
  void subscribe(Subscriber& subscriber, const std::string& more = {}, const std::string& name = "cb") {
    const std::size_t before = count("subscriptions");
    ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(), more, name), 202);
    ASSERT_TRUE(subscriber.wait_until([&] { return count("subscriptions") > before; }));
  }
  std::size_t count(const std::string& table) {
    const sql::Query query = table == "subscriptions"
                                 ? sql::Query{"subscriptions", "select count(*) from subscriptions"}
                                 : sql::Query{"requests", "select count(*) from hub_requests"};
    return static_cast<std::size_t>(session_.run(query)[0].integer(0));
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(HubTest, ASubscriberThatConfirmsGetsWhatIsPublishedThen) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, "&hub.secret=shh&hub.lease_seconds=3600");
  const SinkRequest asked = subscriber.verifications().at(0);
  EXPECT_EQ(asked.target.find("/cb?hub.mode=subscribe&hub.topic=" + percent_encode(topic()) + "&hub.challenge="), 0U);
  EXPECT_NE(asked.target.find("&hub.lease_seconds=3600"), std::string::npos);
  EXPECT_EQ(asked.header("Feed-Position"), "1");

  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 1; }));
  const SinkRequest delivery = subscriber.deliveries().at(0);
  EXPECT_EQ(subscriber.positions(), std::vector<int>{2});
  EXPECT_EQ(delivery.target, "/cb");
  EXPECT_EQ(delivery.header("Content-Type"), "application/atom+xml;type=feed;charset=utf-8");
  EXPECT_EQ(delivery.header("Link"), "<" + topic() + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
  EXPECT_EQ(delivery.header("Feed-Position"), "2");
  EXPECT_EQ(delivery.header("Feed-Position-Previous"), "1");
  EXPECT_EQ(delivery.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "shh", delivery.body)));
  EXPECT_EQ(delivery.header("webhook-signature"),
            "v1," + to_base64(hmac(HmacAlgorithm::kSha256, "shh",
                                   *delivery.header("webhook-id") + "." + *delivery.header("webhook-timestamp") + "." +
                                       delivery.body)));
  EXPECT_NE(delivery.body.find("<c:range xmlns:c=\"urn:courant:log:1\" previous=\"1\" position=\"2\"/>"),
            std::string::npos);
  EXPECT_NE(delivery.body.find("<link rel=\"self\" href=\"" + topic() + "\"/>"), std::string::npos);
}

// By header or by an element: afterwards it is not pushed any more, and the log keeps it.
TEST_F(HubTest, WhatHasExpiredIsNotPushed) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber);
  EXPECT_EQ(client_.post("/demo/events", entry(2), "Entry-Expires: 0\r\n").status, 201);
  const std::string element = "<x:expires xmlns:x='urn:courant:entry:1'>2020-01-01T00:00:00Z</x:expires></entry>";
  const std::string old = entry(3);
  EXPECT_EQ(client_.post("/demo/events", old.substr(0, old.find("</entry>")) + element).status, 201);
  const Reply later = client_.post("/demo/events", entry(4), "Entry-Expires: 3600\r\n");
  EXPECT_EQ(later.status, 201);
  EXPECT_NE(later.body.find(" expires=\""), std::string::npos);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.positions().empty(); }));
  EXPECT_EQ(subscriber.positions(), std::vector<int>{4});
  EXPECT_NE(client_.get("/demo/events").body.find("<id>urn:x:2</id>"), std::string::npos);
  EXPECT_EQ(client_.post("/demo/events", entry(2)).status, 200) << "when it expires is no content";
  EXPECT_EQ(client_.post("/demo/events", entry(5), "Entry-Expires: soon\r\n").status, 400);
  const Reply bad =
      client_.post("/demo/events", old.substr(0, old.find("</entry>")) +
                                       "<x:expires xmlns:x='urn:courant:entry:1'>soon</x:expires></entry>");
  EXPECT_EQ(bad.status, 422);
  EXPECT_NE(bad.body.find("expires must be an instant"), std::string::npos);
}

// A feed that was deleted, because it was idle or by hand, may be made again: who subscribed to it is told of that. It
// stands in nobody's way meanwhile.
TEST_F(HubTest, SubscriptionsOutliveTheirFeed) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber);
  Gate gate;
  Subscriber slow(nullptr, [&gate] { gate.wait(); });
  const GateOpener opener{gate};
  ASSERT_EQ(slow.ask(server_, "subscribe", topic()), 202);
  ASSERT_TRUE(slow.wait_until([&] { return !slow.verifications().empty(); }));
  const std::vector<std::string> deletion = {courant_program(), "delete-feed", "--database",
                                             database_.url(),   "demo/events", "--yes"};
  ASSERT_EQ(Process(deletion, scratch("delete-feed.log")).wait(), 0);
  ASSERT_TRUE(wait_until([&] { return client_.get("/demo/events").status == 404; }));
  server_.kill_and_restart();  // its shards are read again, and the request that waits is verified again
  gate.open();
  ASSERT_TRUE(slow.wait_until([&] { return count("subscriptions") == 2 && count("requests") == 0; }));
  publish(2);
  for (Subscriber* const one : {&subscriber, &slow}) {
    ASSERT_TRUE(one->wait_until([&] { return !one->positions().empty(); }));
    EXPECT_EQ(one->positions(), std::vector<int>{2});
  }
}

// What is tried again in an hour is tried by whoever has the subscription then.
TEST_F(HubTest, StopsWhileSubscriptionsRest) {
  const std::string config = scratch("resting.toml");
  std::ofstream(config) << "[hub]\ncallback_allow = ['127.0.0.0/8']\nretry = ['1h']\n"
                        << "[[workspaces]]\nname = 'demo'\nauto_create = true\n";
  publish(1);
  CourantServer patient({"--database", database_.url(), "--public-url", server_.url(), "--config", config});
  server_.process().signal(SIGTERM);
  EXPECT_EQ(server_.process().wait(), 0);
  Subscriber refusing([](const SinkRequest&) { return SinkReply{.status = 500}; });
  auto unreachable = std::make_unique<Subscriber>();
  for (Subscriber* const one : {&refusing, unreachable.get()}) {
    ASSERT_EQ(one->ask(patient, "subscribe", topic()), 202);
  }
  ASSERT_TRUE(wait_until([&] { return count("subscriptions") == 2; }));
  unreachable.reset();
  HttpClient client(patient.port());
  ASSERT_EQ(client.post("/demo/events", entry(2)).status, 201);
  const sql::Query resting{"test.resting", "select count(*) from subscriptions where next_attempt is not null"};
  ASSERT_TRUE(wait_until([&] { return session_.run(resting)[0].integer(0) == 2; }));
  patient.process().signal(SIGTERM);
  EXPECT_EQ(patient.process().wait(), 0);
}

TEST_F(HubTest, WithoutASecretNothingIsSigned) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 1; }));
  EXPECT_EQ(subscriber.deliveries()[0].header("X-Hub-Signature"), std::nullopt);
}

TEST_F(HubTest, ACallbackThatDoesNotConfirmGetsNothing) {
  publish(1);
  Sink refusing([](const SinkRequest&) { return SinkReply{.status = 404}; });
  const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic()) +
                           "&hub.callback=" + percent_encode(refusing.url("/cb"));
  EXPECT_EQ(client_.post("/hub", form, kForm).status, 202);
  ASSERT_TRUE(refusing.wait_until([&] { return refusing.requests().size() == 1 && count("hub_requests") == 0; }));
  EXPECT_EQ(count("subscriptions"), 0U);
}

TEST_F(HubTest, UnsoundRequestsAreRefusedInPlainWords) {
  publish(1);
  struct Case {
    std::string form;
    int status;
    std::string words;
  };
  const std::string good_topic = "&hub.topic=" + percent_encode(topic());
  const std::string good_callback = "&hub.callback=" + percent_encode("http://127.0.0.1:1234/cb");
  const std::vector<Case> cases = {
      {"", 400, "hub.mode is missing"},
      {"hub.mode=dance", 400, "hub.mode must be"},
      {"hub.mode=subscribe" + good_callback, 400, "hub.topic is missing"},
      {"hub.mode=subscribe" + good_topic, 400, "hub.callback is missing"},
      {"hub.mode=subscribe&hub.callback=/cb" + good_topic, 400, "absolute"},
      {"hub.mode=subscribe&hub.callback=ftp://x.example/cb" + good_topic, 400, "absolute http or https"},
      {"hub.mode=subscribe&hub.callback=http://x.example/cb%23part" + good_topic, 400, "fragment"},
      {"hub.mode=subscribe&hub.callback=http://10.0.0.1/cb" + good_topic, 400, "10.0.0.1"},
      {"hub.mode=subscribe&hub.callback=http://2130706433:22/cb" + good_topic, 400, "port 22"},
      {"hub.mode=subscribe&hub.callback=" + server_.url() + "/hub" + good_topic, 400, "this server itself"},
      {"hub.mode=subscribe&hub.lease_seconds=soon" + good_topic + good_callback, 400, "hub.lease_seconds"},
      {"hub.mode=subscribe&hub.secret=" + std::string(200, 's') + good_topic + good_callback, 400, "200 bytes"},
      {"hub.mode=subscribe&hub.secret=s&hub.callback=http://x.example/cb" + good_topic, 400, "https callbacks only"},
      {"hub.mode=subscribe&hub.topic=http://elsewhere.example/feed" + good_callback, 403, "not a topic"},
      {"hub.mode=subscribe" + good_topic + "x" + good_callback, 403, "not a topic"},
      {"hub.mode=publish", 400, "hub.url is missing"},
      {"hub.mode=publish&hub.url=http://elsewhere.example/feed", 403, "not a topic"},
  };
  for (const Case& one : cases) {
    const Reply reply = client_.post("/hub", one.form, kForm);
    EXPECT_EQ(reply.status, one.status) << one.form;
    EXPECT_NE(reply.body.find(one.words), std::string::npos) << one.form << " -> " << reply.body;
  }
  EXPECT_EQ(client_.post("/hub", "hub.mode=publish&hub.url=" + percent_encode(topic()), kForm).status, 204);
  EXPECT_NE(client_.get("/hub").body.find("hub.callback"), std::string::npos);
  EXPECT_EQ(client_.post("/hub", "{}", "Content-Type: application/json\r\n").status, 415);
  EXPECT_EQ(count("hub_requests"), 0U);
}

TEST_F(HubTest, WhatIsPublishedWhileACallbackIsSlowComesTogetherAndInOrder) {
  publish(1);
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 1; }));
  for (int number = 3; number <= 20; ++number) publish(number);
  gate.open();
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 19; }));
  EXPECT_EQ(subscriber.deliveries().size(), 2U);
  std::vector<int> expected = from_one_to(20);
  expected.erase(expected.begin());
  EXPECT_EQ(subscriber.positions(), expected);
}

TEST_F(HubTest, AFailedDeliveryIsTriedAgainAsItWas) {
  publish(1);
  std::atomic<int> posts{0};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = ++posts < 4 ? 500 : 200}; });
  subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  publish(3);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() >= 5; }));
  const std::vector<SinkRequest> deliveries = subscriber.deliveries();
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(deliveries[i].body, deliveries[0].body) << "the range is frozen until it is taken";
    EXPECT_EQ(deliveries[i].header("webhook-id"), deliveries[0].header("webhook-id"));
  }
  EXPECT_EQ(deliveries[4].header("Feed-Position-Previous"), deliveries[0].header("Feed-Position"));
}

TEST_F(HubTest, AnUnsubscribedOrGoneSubscriberGetsNothingMore) {
  publish(1);
  Subscriber leaving;
  subscribe(leaving);
  ASSERT_EQ(leaving.ask(server_, "unsubscribe", topic()), 202);
  ASSERT_TRUE(leaving.wait_until([&] { return count("subscriptions") == 0; }));
  EXPECT_NE(leaving.verifications().at(1).target.find("hub.mode=unsubscribe"), std::string::npos);

  Subscriber gone([](const SinkRequest&) { return SinkReply{.status = 410}; });
  subscribe(gone);
  publish(2);
  ASSERT_TRUE(gone.wait_until([&] { return count("subscriptions") == 0; }));
  EXPECT_EQ(gone.deliveries().size(), 1U);
  EXPECT_TRUE(leaving.deliveries().empty());
}

TEST_F(HubTest, ALeaseThatIsNotRenewedEnds) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, "&hub.lease_seconds=1");
  ASSERT_TRUE(subscriber.wait_until([&] { return count("subscriptions") == 0; }));
}

TEST_F(HubTest, AnOldStyleSubscriptionIsRenewedByTheHub) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, "&hub.lease_seconds=20&hub.verify=async&hub.verify_token=tok");
  EXPECT_NE(subscriber.verifications().at(0).target.find("hub.verify_token=tok"), std::string::npos);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.verifications().size() >= 2; }));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{2}; }));
}

TEST_F(HubTest, ASecondSubscriptionReplacesSecretAndLeaseButKeepsTheCursor) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, "&hub.secret=old");
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 1; }));
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.secret=new"), 202);
  ASSERT_TRUE(
      subscriber.wait_until([&] { return subscriber.verifications().size() == 2 && count("hub_requests") == 0; }));
  publish(3);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 2; }));
  const SinkRequest delivery = subscriber.deliveries().at(1);
  EXPECT_EQ(delivery.header("Feed-Position-Previous"), "2");
  EXPECT_EQ(delivery.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "new", delivery.body)));
  EXPECT_EQ(count("subscriptions"), 1U);
}

TEST_F(HubTest, SecretsAreNotReadableInTheDatabase) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, "&hub.secret=visible-secret");
  const sql::Rows rows = session_.run(sql::Query{
      "secrets", "select count(*) from subscriptions where position('visible-secret'::bytea in secret) > 0"});
  EXPECT_EQ(rows[0].integer(0), 0);
}

TEST_F(HubTest, ARestartLosesAndReordersNothing) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber);
  server_.process().signal(SIGTERM);
  EXPECT_EQ(server_.process().wait(), 0);
  server_.start();
  for (int number = 2; number <= 5; ++number) publish(number);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 4; }));
  EXPECT_EQ(subscriber.positions(), (std::vector<int>{2, 3, 4, 5}));
}

// Positions may repeat after a crash; each subscriber's order of first arrivals must be the log's.
void expect_everything(const Subscriber& subscriber, int last) {
  int highest = 1;
  for (const int position : subscriber.positions()) {
    EXPECT_LE(position, highest + 1) << "an entry was passed over";
    highest = std::max(highest, position);
  }
  EXPECT_EQ(highest, last);
}

TEST_F(HubTest, KillsDuringPublishingAndPushingLoseNothing) {
  publish(1);
  Subscriber first, second;
  subscribe(first);
  subscribe(second, "&hub.secret=s");
  std::atomic<int> number{1};
  Background publisher([&] { publish(++number); });
  for (int round = 1; round <= 5; ++round) {
    const int until = number + 15;
    ASSERT_TRUE(first.wait_until([&] { return number >= until; }));
    server_.kill_and_restart();
  }
  publisher.stop();
  for (Subscriber* const subscriber : {&first, &second}) {
    ASSERT_TRUE(subscriber->wait_until([&] {
      const std::vector<int> positions = subscriber->positions();
      return !positions.empty() && positions.back() == number;
    }));
    expect_everything(*subscriber, number);
  }
}

TEST_F(HubTest, KilledBackendsDuringPublishingAndPushingLoseNothing) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber);
  std::atomic<int> number{1};
  Background publisher([&] { publish(++number); });
  constexpr sql::Query kEndAll{"end_all",
                               "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                               "where datname = current_database() and pid <> pg_backend_pid()"};
  for (int round = 1; round <= 6; ++round) {
    const int until = number + 10;
    ASSERT_TRUE(subscriber.wait_until([&] { return number >= until; }));
    session_.run(kEndAll);
  }
  publisher.stop();
  ASSERT_TRUE(subscriber.wait_until([&] {
    const std::vector<int> positions = subscriber.positions();
    return !positions.empty() && positions.back() == number;
  }));
  expect_everything(subscriber, number);
}

TEST_F(HubTest, WhoeverIsFrozenIsReplacedWithinSeconds) {
  publish(1);
  CourantServer other({"--database", database_.url(), "--public-url", server_.url()});
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (int i = 0; i < 4; ++i) {
    subscribers.push_back(std::make_unique<Subscriber>());
    subscribe(*subscribers.back());
  }
  ASSERT_TRUE(subscribers[0]->wait_until([&] {
    return session_.run(sql::Query{"owners", "select count(distinct owner) from hub_shards"})[0].integer(0) == 2;
  })) << "two processes share the shards";
  for (int number = 2; number <= 10; ++number) publish(number);
  server_.process().signal(SIGSTOP);
  HttpClient client(other.port());
  for (int number = 11; number <= 20; ++number) {
    ASSERT_EQ(client.post("/demo/events", entry(number)).status, 201);
  }
  for (const auto& subscriber : subscribers) {
    ASSERT_TRUE(subscriber->wait_until([&] {
      const std::vector<int> positions = subscriber->positions();
      return !positions.empty() && positions.back() == 20;
    }));
    expect_everything(*subscriber, 20);
  }
  server_.process().signal(SIGCONT);
  for (int number = 21; number <= 25; ++number) publish(number);
  for (const auto& subscriber : subscribers) {
    ASSERT_TRUE(subscriber->wait_until([&] { return subscriber->positions().back() == 25; }));
    expect_everything(*subscriber, 25);
  }
}

TEST_F(HubTest, AnotherKeyThanTheDatabasesIsRefused) {
  const std::string folder = scratch("other-key");
  Process other({courant_program(), "serve", "--database", database_.url(), "--data", folder, "--listen",
                 "127.0.0.1:" + std::to_string(free_port()), "--operations", ""},
                scratch("courant-under-test.log"));
  EXPECT_EQ(other.wait(), 1);
}

// The hub looks for requests whenever one comes, while others are being verified and end.
TEST(HubRequests, AreVerifiedOnceEachHoweverManyComeTogether) {
  constexpr int kHosts = 50;
  constexpr int kRequests = 8 * kHosts;
  TestDatabase database;
  sql::Session session(database.url());
  const std::string config = scratch("verified_once.toml");
  std::ofstream(config) << "[hub]\ncallback_allow = ['127.0.0.0/8']\n"
                           "verifications_per_domain = 100000\nverifications_per_network = 100000\n"
                           "verifications_per_client = 100000\n"
                           "[[workspaces]]\nname = 'demo'\nauto_create = true\n";
  CourantServer server({"--database", database.url(), "--config", config});
  HttpClient client(server.port());
  ASSERT_EQ(client.post("/demo/events", entry(1)).status, 201);
  const Callbacks callbacks(kHosts, [](const Delivered&) { return CallbackAnswer{}; });
  for (int i = 0; i < kRequests; ++i) {
    const std::string callback = callbacks.urls()[static_cast<std::size_t>(i % kHosts)] + "/" + std::to_string(i);
    const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(server.url() + "/demo/events") +
                             "&hub.callback=" + percent_encode(callback);
    ASSERT_EQ(client.post("/hub", form, kForm).status, 202);
  }
  const sql::Query count{"subscriptions", "select count(*) from subscriptions"};
  ASSERT_TRUE(wait_until([&] { return session.run(count)[0].integer(0) == kRequests; }));
  EXPECT_EQ(callbacks.confirmed(), kRequests);
}

}  // namespace
}  // namespace courant::test::hub_test
