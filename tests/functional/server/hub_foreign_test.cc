// Topics of other servers: fetched when pinged, and pushed as our own are.
#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "http/gzip.h"
#include "kernel/digest.h"
#include "tests/support/any_query.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/origin.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::hub_foreign_test {
namespace {

std::string entry(int number, const std::string& content = "c") {
  return "<entry><id>urn:o:" + std::to_string(number) +
         "</id><title>t</title><updated>2026-01-01T00:00:00Z</updated><content>" + content + "</content></entry>";
}

std::string feed(const std::string& entries, const std::string& more = {}) {
  return "<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:origin</id><title>Elsewhere</title><author><name>a</name>"
         "</author><updated>2026-01-01T00:00:00Z</updated>" +
         more + entries + "</feed>";
}

// The numbers of the entries in a document, in its order.
std::vector<int> entries_of(const std::string& document) {
  const std::string marker = "<id>urn:o:";
  std::vector<int> numbers;
  for (std::size_t at = document.find(marker); at != std::string::npos; at = document.find(marker, at + 1)) {
    numbers.push_back(std::stoi(document.substr(at + marker.size())));
  }
  return numbers;
}

const std::string kConfig = COURANT_SOURCE_DIR "/tests/data/foreign.toml";

// The same, but that a fetch may take as long as a test wants it to.
std::string unhurried_config() {
  constexpr std::string_view kTimeout = "foreign_timeout = \"2s\"";
  std::string text = contents_of(kConfig);
  text.replace(text.find(kTimeout), kTimeout.size(), "foreign_timeout = \"5m\"");
  const std::string path = scratch("unhurried_foreign.toml");
  std::ofstream(path) << text;
  return path;
}

class HubForeignTest : public testing::Test {
 protected:
  explicit HubForeignTest(std::string config = kConfig) : config_(std::move(config)) {}

  std::int64_t number(const std::string& query) { return number_of(session_, query); }
  void subscribe(Subscriber& subscriber, const std::string& topic, const std::string& more = {}) {
    const std::int64_t before = number("select count(*) from subscriptions");
    ASSERT_EQ(subscriber.ask(server_, "subscribe", topic, more), 202);
    ASSERT_TRUE(subscriber.wait_until([&] { return number("select count(*) from subscriptions") > before; }));
  }
  int ping(const std::string& topic) {
    return client_
        .post("/hub", "hub.mode=publish&hub.url=" + percent_encode(topic),
              "Content-Type: application/x-www-form-urlencoded\r\n")
        .status;
  }
  // Nothing is being fetched or will be.
  bool is_settled() {
    return number("select count(*) from foreign_topics where due is not null or fetching_until is not null") == 0;
  }
  void ping_and_settle(const std::string& topic) {
    ASSERT_EQ(ping(topic), 204);
    ASSERT_TRUE(wait_until([&] { return is_settled(); }));
  }
  // The reason that a callback is denied for; empty: it is not.
  static std::string denial(const Subscriber& subscriber) {
    for (const SinkRequest& request : subscriber.verifications()) {
      const Parameters query = *parse_query(request.target.substr(request.target.find('?') + 1));
      if (*find_parameter(query, "hub.mode") == "denied") return *find_parameter(query, "hub.reason");
    }
    return {};
  }
  std::string denial_of(const std::string& topic) {
    Subscriber subscriber;
    EXPECT_EQ(subscriber.ask(server_, "subscribe", topic), 202);
    EXPECT_TRUE(subscriber.wait_until([&] { return !denial(subscriber).empty(); })) << topic;
    EXPECT_TRUE(wait_until([&] { return number("select count(*) from hub_requests") == 0; }));
    return denial(subscriber);
  }

  const std::string config_;
  TestDatabase database_;
  sql::Session session_{database_.url()};
  CourantServer server_{{"--database", database_.url(), "--config", config_}};
  HttpClient client_{server_.port()};
};

class UnhurriedForeignTest : public HubForeignTest {
 protected:
  UnhurriedForeignTest() : HubForeignTest(unhurried_config()) {}
};

TEST_F(HubForeignTest, WhoSubscribesGetsWhatIsNewSinceThen) {
  Origin origin("application/atom+xml;type=feed;charset=utf-8");
  origin.serve(feed(entry(2) + entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url(), "&hub.secret=shh");
  EXPECT_EQ(origin.fetches(), 1U);
  EXPECT_EQ(subscriber.verifications().at(0).header("Feed-Position"), "0");

  origin.serve(feed(entry(3) + entry(2) + entry(1)));
  EXPECT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const SinkRequest delivery = subscriber.deliveries().at(0);
  EXPECT_EQ(entries_of(delivery.body), std::vector<int>{3});
  EXPECT_NE(delivery.body.find("<title>Elsewhere</title>"), std::string::npos);
  EXPECT_EQ(delivery.header("Content-Type"), "application/atom+xml;type=feed;charset=utf-8");
  EXPECT_EQ(delivery.header("Link"), "<" + origin.url() + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
  EXPECT_EQ(delivery.header("Feed-Position"), "1");
  EXPECT_EQ(delivery.header("Feed-Position-Previous"), "0");
  EXPECT_EQ(delivery.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "shh", delivery.body)));
}

// Its page tells where it stands. What only our own topics have is refused in words.
TEST_F(HubForeignTest, TheSubscriptionHasAPage) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Subscriber subscriber([](const SinkRequest&) { return SinkReply{.status = 500}; });
  subscribe(subscriber, origin.url());
  origin.serve(feed(entry(2) + entry(1)));
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const std::string url = subscriber.verifications().at(0).header("Subscription-Page").value_or("");
  ASSERT_TRUE(url.starts_with(server_.url() + "/hub/s/")) << url;
  const std::string page = url.substr(server_.url().size());
  const Reply seen = client_.get(page, "Accept: application/json\r\n");
  EXPECT_EQ(seen.status, 200) << seen.body;
  EXPECT_NE(seen.body.find(origin.url()), std::string::npos);
  const std::string form = "Content-Type: application/x-www-form-urlencoded\r\nAccept: application/json\r\n";
  for (const char* const action : {"test", "filter&search=%2Ba"}) {
    const Reply refused = client_.post(page, "action=" + std::string(action), form);
    EXPECT_EQ(refused.status, 409) << action << refused.body;
    EXPECT_NE(refused.body.find("another server"), std::string::npos);
  }
  EXPECT_EQ(client_.post(page, "action=pause", form).status, 200);
}

TEST_F(HubForeignTest, WithoutNewsNothingIsDelivered) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  ping_and_settle(origin.url());
  EXPECT_TRUE(origin.sink().requests().back().header("If-None-Match")) << "the second fetch is conditional: 304";
  origin.serve_untagged(feed(entry(1)));
  ping_and_settle(origin.url());
  ping_and_settle(origin.url());
  EXPECT_FALSE(origin.sink().requests().back().header("If-None-Match")) << "200 with the same bytes";
  origin.serve(feed(entry(1), "<subtitle>only the feed's metadata has changed</subtitle>"));
  ping_and_settle(origin.url());
  EXPECT_EQ(number("select count(*) from foreign_documents"), 0);

  origin.serve(feed(entry(1) + entry(2)));
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), std::vector<int>{2});
  EXPECT_EQ(subscriber.deliveries().at(0).header("Feed-Position"), "1");
}

TEST_F(HubForeignTest, WhatMayBeModifiedAgainInTheSameSecondIsFetchedWhole) {
  const std::string date = "Tue, 24 Nov 2026 09:30:00 GMT";
  Origin origin;
  const auto serve = [&](const std::string& body, const std::string& modified) {
    origin.answer_instead(
        {.headers = {{"Content-Type", "text/plain"}, {"Date", date}, {"Last-Modified", modified}}, .body = body});
  };
  serve("one", "Tue, 24 Nov 2026 09:30:00 GMT");
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  serve("two", "Tue, 24 Nov 2026 09:29:00 GMT");
  ping_and_settle(origin.url());
  EXPECT_FALSE(origin.sink().requests().back().header("If-Modified-Since"));
  ping_and_settle(origin.url());
  EXPECT_EQ(origin.sink().requests().back().header("If-Modified-Since"), "Tue, 24 Nov 2026 09:29:00 GMT");
}

TEST_F(UnhurriedForeignTest, ManyPingsAreFewFetchesAndOneDuringAFetchIsOneMore) {
  Gate gate;
  std::atomic<int> asked{0};
  Origin origin("application/atom+xml", [&] {
    if (++asked == 2) gate.wait();
  });
  const GateOpener opener{gate};
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve(feed(entry(1) + entry(2)));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(origin.sink().wait_for(2));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(ping(origin.url()), 204);
  gate.open();
  ASSERT_TRUE(wait_until([&] { return is_settled(); }));
  EXPECT_EQ(origin.fetches(), 3U);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), std::vector<int>{2});
}

TEST_F(HubForeignTest, AFormMayNameManyTopics) {
  Origin first, second;
  Subscriber subscriber;
  for (Origin* const origin : {&first, &second}) {
    origin->serve(feed(entry(1)));
    subscribe(subscriber, origin->url());
    origin->serve(feed(entry(1) + entry(2)));
  }
  const std::string form = "hub.mode=publish&hub.url=" + percent_encode(first.url()) +
                           "&hub.url=" + percent_encode(second.url()) +
                           "&hub.topic=" + percent_encode("http://unknown.example/");
  EXPECT_EQ(client_.post("/hub", form, "Content-Type: application/x-www-form-urlencoded\r\n").status, 204);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
}

TEST_F(HubForeignTest, WhatNobodySubscribesToIsNotFetched) {
  Origin origin;
  origin.serve(feed(entry(1)));
  EXPECT_EQ(ping(origin.url()), 204);
  EXPECT_EQ(number("select count(*) from foreign_topics"), 0);
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  ASSERT_EQ(subscriber.ask(server_, "unsubscribe", origin.url()), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return number("select count(*) from subscriptions") == 0; }));
  EXPECT_EQ(ping(origin.url()), 204);
  EXPECT_TRUE(is_settled());
  EXPECT_EQ(origin.fetches(), 1U);

  // What comes meanwhile is no news to who subscribes then.
  origin.serve(feed(entry(1) + entry(2)));
  ASSERT_TRUE(wait_until(
      [&] { return number("select count(*) from foreign_topics where next_fetch > clock_timestamp()") == 0; }));
  subscribe(subscriber, origin.url());
  EXPECT_EQ(origin.fetches(), 2U);
  origin.serve(feed(entry(1) + entry(2) + entry(3)));
  EXPECT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), std::vector<int>{3});
}

TEST_F(HubForeignTest, EditedEntriesAreNewsAndWhatIsBackIsNot) {
  Origin origin;
  origin.serve(feed(entry(1) + entry(2) + entry(3)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve(feed(entry(1) + entry(2, "edited") + entry(3)));
  ping_and_settle(origin.url());
  origin.serve(feed(""));
  ping_and_settle(origin.url());
  origin.serve(feed(entry(1) + entry(2, "edited") + entry(3) + entry(4)));
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), std::vector<int>{2});
  EXPECT_NE(subscriber.deliveries().at(0).body.find("edited"), std::string::npos);
  EXPECT_EQ(entries_of(subscriber.deliveries().at(1).body), std::vector<int>{4});
}

TEST_F(HubForeignTest, RssIsPushedAsRss) {
  Origin origin("application/rss+xml; charset=UTF-8");
  const auto rss = [](const std::string& items) {
    return "<rss version='2.0'><channel><title>T</title><link>http://x.example/</link><description>d</description>" +
           items + "</channel></rss>";
  };
  origin.serve(rss("<item><guid>a</guid><title>one</title></item>"));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve(
      rss("<item><link>http://x.example/2</link><title>two</title></item>"
          "<item><guid>a</guid><title>one</title></item>"));
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const SinkRequest delivery = subscriber.deliveries().at(0);
  EXPECT_EQ(delivery.header("Content-Type"), "application/rss+xml; charset=UTF-8");
  EXPECT_EQ(delivery.body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
                               std::string("<rss version=\"2.0\"><channel><title>T</title><link>http://x.example/"
                                           "</link><description>d</description><item><link>http://x.example/2</link>"
                                           "<title>two</title></item></channel></rss>\n"));
}

TEST_F(HubForeignTest, AnythingElseIsRelayedAsItIsAndTheNewestReplacesWhatWaits) {
  Origin origin("application/vnd.x+json; v=\"1\"");
  origin.serve("{}");
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber, origin.url("/data?a=1&b=%c3%a9"));
  const std::string topic = origin.url("/data?a=1&b=%C3%A9");
  for (int i = 1; i <= 3; ++i) {
    origin.serve("{\"n\": " + std::to_string(i) + "\xFF}\r\n");
    ping_and_settle(topic);
  }
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  gate.open();
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  const SinkRequest delivery = subscriber.deliveries().at(1);
  EXPECT_EQ(delivery.body, "{\"n\": 3\xFF}\r\n");
  EXPECT_EQ(delivery.header("Content-Type"), "application/vnd.x+json; v=\"1\"");
  EXPECT_EQ(delivery.header("Feed-Position"), "3");
  EXPECT_EQ(delivery.header("Feed-Position-Previous"), "1");
  EXPECT_EQ(delivery.header("Link")->find("<" + origin.url("/data?a=1&b=%c3%a9") + ">; rel=\"self\""), 0U)
      << "as it was subscribed to";
}

TEST_F(HubForeignTest, ADocumentThatNamesAnotherHubAndSelfIsPushedUnderTheTopicsUrl) {
  Origin origin;
  const std::string links =
      "<link rel='self' href='http://other.example/feed'/><link rel='hub' href='http://other.example/hub'/>";
  origin.serve(feed(entry(1), links));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve(feed(entry(1) + entry(2), links));
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const SinkRequest delivery = subscriber.deliveries().at(0);
  EXPECT_EQ(delivery.header("Link"), "<" + origin.url() + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
  EXPECT_NE(delivery.body.find("http://other.example/feed"), std::string::npos);
}

TEST_F(HubForeignTest, AFewRedirectsAreFollowed) {
  Sink sink([](const SinkRequest& request) {
    const int hop = std::stoi(request.target.substr(1));
    if (hop > 0) {
      return SinkReply{.status = hop % 2 == 0 ? 302 : 308, .headers = {{"Location", std::to_string(hop - 1) + "#x"}}};
    }
    return SinkReply{.headers = {{"Content-Type", "text/plain"}}, .body = "there"};
  });
  Subscriber subscriber;
  subscribe(subscriber, sink.url("/5"));
  EXPECT_EQ(sink.requests().size(), 6U);
  EXPECT_EQ(denial_of(sink.url("/6")), "The topic cannot be fetched: it redirects more than 5 times");
  EXPECT_EQ(sink.requests().size(), 12U);
}

TEST_F(HubForeignTest, RedirectsLeadNowhereThatATopicMayNotLie) {
  const std::string refused = "The topic cannot be fetched: its address is not allowed";
  std::string location;
  Sink sink([&](const SinkRequest&) { return SinkReply{.status = 301, .headers = {{"Location", location}}}; });
  for (const std::string& target :
       {server_.url() + "/demo/events", std::string("http://10.0.0.1/"), std::string("http://[::1]/"),
        std::string("http://169.254.169.254/latest/"), sink.url("/").substr(0, 17) + "22/"}) {
    location = target;
    EXPECT_EQ(denial_of(sink.url("/to?" + percent_encode(target))), refused) << target;
  }
  location = "/loop";
  EXPECT_EQ(denial_of(sink.url("/loop")), "The topic cannot be fetched: it redirects more than 5 times");
  for (const std::string target : {"file:///etc/passwd", "http://a:b@x.example/", "gopher://x.example/"}) {
    location = target;
    EXPECT_EQ(denial_of(sink.url("/to?" + percent_encode(target))).find("The topic cannot be fetched: it redirects"),
              0U);
  }
}

TEST_F(HubForeignTest, TopicsThatMayNotBeFetchedAreRefusedAtOnce) {
  Subscriber subscriber;
  for (const std::string& topic :
       {std::string("http://10.0.0.1/feed"), std::string("http://0x7f.1:22/"), server_.url() + "/nothing/here",
        "http://localhost:" + std::to_string(server_.port()) + "/demo/events", std::string("ftp://x.example/feed"),
        std::string("http://x.example/feed#part"), std::string("http://u:p@x.example/feed"), std::string("/feed"),
        std::string("http://[fe80::1]/"), std::string("http://x..example/")}) {
    EXPECT_EQ(subscriber.ask(server_, "subscribe", topic), 403) << topic;
    EXPECT_EQ(ping(topic), 403) << topic;
  }
  EXPECT_EQ(number("select count(*) from foreign_topics"), 0);
}

TEST_F(HubForeignTest, HugeAndEndlessAndBrokenBodiesAreNoTopics) {
  const std::string too_long = "The topic cannot be fetched: it is longer than 65536 bytes";
  Origin origin;
  origin.serve(feed(std::string(70'000, ' ')));
  EXPECT_EQ(denial_of(origin.url("/huge")), too_long);
  const SinkReply bomb{.headers = {{"Content-Encoding", "gzip"}}, .body = http::gzip(std::string(10 << 20, 'x'))};
  ASSERT_LT(bomb.body.size(), 60'000U);
  origin.answer_instead(bomb);
  EXPECT_EQ(denial_of(origin.url("/bomb")), too_long);
  origin.answer_instead({.headers = {{"Content-Encoding", "gzip"}}, .body = "no gzip"});
  EXPECT_EQ(denial_of(origin.url("/broken")), "The topic cannot be fetched: its gzip is broken");
  origin.answer_instead({.headers = {{"Content-Encoding", "br"}}, .body = "x"});
  EXPECT_EQ(denial_of(origin.url("/br")),
            "The topic cannot be fetched: it is in a content coding that was not asked for");
  origin.answer_instead({.status = 404});
  EXPECT_EQ(denial_of(origin.url("/none")), "The topic cannot be fetched: it answers 404");
  origin.answer_instead({.status = 204});
  EXPECT_EQ(denial_of(origin.url("/empty")), "The topic cannot be fetched: it answers 204");
  // It drips for longer than a fetch may take.
  origin.answer_instead({.raw = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + std::string(60'000, 'x'),
                         .byte_pause = std::chrono::milliseconds(50)});
  EXPECT_EQ(denial_of(origin.url("/endless")), "The topic cannot be fetched: no answer (timeout)");
}

TEST_F(HubForeignTest, HostileFeedsAreNoTopics) {
  Origin origin;
  for (const std::string body :
       {"<!DOCTYPE x [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;&a;\">]><feed>&c;</feed>",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>\xE9</title></feed>", "<feed>", ""}) {
    origin.serve(body);
    const std::string why = denial_of(origin.url("/" + std::to_string(stable_hash(body))));
    EXPECT_EQ(why.find("The topic cannot be fetched: the document "), 0U) << why;
  }
  // One that becomes so later pushes nothing until it is good again.
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve("<!DOCTYPE x><feed xmlns='http://www.w3.org/2005/Atom'/>");
  ping_and_settle(origin.url());
  origin.serve(feed(entry(1) + entry(2)));
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), std::vector<int>{2});
  EXPECT_EQ(subscriber.deliveries().at(0).header("Feed-Position"), "1");
}

TEST_F(HubForeignTest, GzipIsTakenOff) {
  Origin origin("text/plain");
  origin.serve("one");
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.answer_instead(
      {.headers = {{"Content-Type", "text/plain"}, {"Content-Encoding", "gzip"}}, .body = http::gzip("two")});
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(subscriber.deliveries().at(0).body, "two");
  EXPECT_EQ(subscriber.deliveries().at(0).header("Content-Encoding"), std::nullopt);
}

TEST_F(HubForeignTest, AnOriginThatIsDownIsAskedAgainByItself) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.answer_instead({.status = 503});
  ASSERT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(origin.sink().wait_for(2));
  origin.serve(feed(entry(1) + entry(2)));
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), std::vector<int>{2});

  // In the end it is given up, until somebody says again that there is news.
  origin.answer_instead({.raw = ""});
  ping_and_settle(origin.url());
  origin.serve(feed(entry(1) + entry(2) + entry(3)));
  ping_and_settle(origin.url());
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(1).body), std::vector<int>{3});
}

TEST_F(HubForeignTest, AKillBetweenFetchAndDeliveryLosesNothing) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber, origin.url());
  origin.serve(feed(entry(1) + entry(2)));
  ASSERT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 1; }));
  server_.kill_and_restart();
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  const std::vector<SinkRequest> deliveries = subscriber.deliveries();
  EXPECT_EQ(deliveries[1].body, deliveries[0].body);
  EXPECT_EQ(deliveries[1].header("webhook-id"), deliveries[0].header("webhook-id"));
}

TEST_F(HubForeignTest, AKillDuringAFetchLosesNothing) {
  Gate gate;
  std::atomic<int> asked{0};
  Origin origin("application/atom+xml", [&] {
    if (++asked == 2) gate.wait();
  });
  const GateOpener opener{gate};
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve(feed(entry(1) + entry(2)));
  ASSERT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(origin.sink().wait_for(2));
  server_.kill_and_restart();
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), std::vector<int>{2});
}

TEST_F(HubForeignTest, WhoeverFetchesAllProcessesDeliver) {
  Origin origin;
  origin.serve(feed(entry(1)));
  CourantServer other({"--database", database_.url(), "--public-url", server_.url(), "--config", config_});
  ASSERT_TRUE(wait_until([&] { return number("select count(distinct owner) from hub_shards") == 2; }));
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (int i = 0; i < 8; ++i) {
    subscribers.push_back(std::make_unique<Subscriber>());
    subscribe(*subscribers.back(), origin.url());
  }
  for (int last = 2; last <= 3; ++last) {
    origin.serve(feed(entry(1) + entry(last)));
    ping_and_settle(origin.url());
    for (const auto& subscriber : subscribers) {
      const auto has_all = [&] { return subscriber->deliveries().size() == static_cast<std::size_t>(last) - 1; };
      ASSERT_TRUE(subscriber->wait_until(has_all));
      EXPECT_EQ(entries_of(subscriber->deliveries().back().body), std::vector<int>{last});
    }
  }
  EXPECT_EQ(origin.fetches(), 3U);
}

// A subscriber that is itself a hub says that there is news whenever it gets some.
TEST_F(HubForeignTest, ASubscriberThatPingsBackCausesNoLoop) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Subscriber echo([&](const SinkRequest&) {
    HttpClient(server_.port())
        .post("/hub", "hub.mode=publish&hub.url=" + percent_encode(origin.url()),
              "Content-Type: application/x-www-form-urlencoded\r\n");
    return SinkReply{.status = 204};
  });
  subscribe(echo, origin.url());
  origin.serve(feed(entry(1) + entry(2)));
  ASSERT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(origin.sink().wait_for(3));
  ASSERT_TRUE(wait_until([&] { return is_settled(); }));
  EXPECT_EQ(echo.deliveries().size(), 1U);
  EXPECT_EQ(origin.fetches(), 3U);
}

TEST_F(HubForeignTest, AFeedOfAnotherCourantIsATopic) {
  TestDatabase database;
  CourantServer publisher({"--database", database.url()});
  HttpClient client(publisher.port());
  const auto publish = [&](int number, const std::string& content) {
    return client
        .put("/demo/events/entries/urn:o:" + std::to_string(number),
             "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:o:" + std::to_string(number) +
                 "</id><title>t</title><content>" + content + "</content></entry>",
             "Content-Type: application/atom+xml;type=entry\r\n")
        .status;
  };
  ASSERT_EQ(publish(1, "a"), 201);
  const std::string topic = publisher.url() + "/demo/events";
  Subscriber subscriber;
  subscribe(subscriber, topic);
  ASSERT_EQ(publish(2, "a"), 201);
  ASSERT_EQ(publish(1, "b"), 200);
  ping_and_settle(topic);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(entries_of(subscriber.deliveries().at(0).body), (std::vector<int>{1, 2}));
  ASSERT_EQ(client.remove("/demo/events/entries/urn:o:2").status, 204);
  ping_and_settle(topic);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  EXPECT_NE(subscriber.deliveries().at(1).body.find("deleted-entry"), std::string::npos);
  EXPECT_EQ(entries_of(subscriber.deliveries().at(1).body), std::vector<int>{});
}

TEST_F(HubForeignTest, SwitchedOffNothingIsFetchedAndAllElseGoesOn) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  server_.process().signal(SIGTERM);
  ASSERT_EQ(server_.process().wait(), 0);
  CourantServer without({"--database", database_.url()});
  HttpClient client(without.port());
  ASSERT_EQ(client.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title></entry>").status,
            201);
  EXPECT_EQ(subscriber.ask(without, "subscribe", origin.url()), 403);
  EXPECT_EQ(client
                .post("/hub", "hub.mode=publish&hub.url=" + percent_encode(origin.url()),
                      "Content-Type: application/x-www-form-urlencoded\r\n")
                .status,
            403);
  Subscriber own;
  ASSERT_EQ(own.ask(without, "subscribe", without.url() + "/demo/events"), 202);
  ASSERT_TRUE(own.wait_until([&] { return number("select count(*) from subscriptions") == 2; }));
  ASSERT_EQ(client.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title></entry>").status,
            201);
  ASSERT_TRUE(own.wait_until([&] { return !own.deliveries().empty(); }));
  EXPECT_EQ(origin.fetches(), 1U);
}

}  // namespace
}  // namespace courant::test::hub_foreign_test
