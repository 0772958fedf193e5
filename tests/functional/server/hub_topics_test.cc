// Topics: whatever page of a feed a reader could poll at the head is pushed, in its form and through its filter.
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"

namespace courant::test::hub_topics_test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";

class HubTopicsTest : public testing::Test {
 protected:
  static std::string entry(int number, const std::string& term, const std::string& content = "c") {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) + "</id><title>t" +
           std::to_string(number) + "</title><content>" + content + "</content><category term='" + term + "'/></entry>";
  }
  void publish(int number, const std::string& term = "red", const std::string& content = "c") {
    Reply reply = client_.post("/demo/events", entry(number, term, content));
    // The server may have been started anew since the last request on this connection.
    if (reply.status == 0) reply = client_.post("/demo/events", entry(number, term, content));
    ASSERT_EQ(reply.status, 201);
  }
  void publish_batch(int first, int count, const std::string& term) {
    std::string feed = "<feed xmlns='http://www.w3.org/2005/Atom'>";
    for (int number = first; number < first + count; ++number) feed += entry(number, term);
    ASSERT_EQ(client_.post("/demo/events", feed + "</feed>", "Prefer: return=minimal\r\n").status, 200);
  }
  std::string topic(const std::string& query = {}) const { return server_.url() + "/demo/events" + query; }
  std::int64_t subscriptions() {
    return session_.run(sql::Query{"subscriptions", "select count(*) from subscriptions"})[0].integer(0);
  }
  bool has_requests() {
    return session_.run(sql::Query{"requests", "select count(*) from hub_requests"})[0].integer(0) > 0;
  }
  void subscribe(Subscriber& subscriber, const std::string& topic_url) {
    const std::int64_t before = subscriptions();
    ASSERT_EQ(subscriber.ask(server_, "subscribe", topic_url), 202) << topic_url;
    ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() > before; })) << topic_url;
  }
  static bool wait_for_deliveries(const Subscriber& subscriber, std::size_t count) {
    return subscriber.wait_until([&] { return subscriber.deliveries().size() >= count; });
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

// In both forms that readers filter by; what is pushed is what a reader of the same URL finds.
TEST_F(HubTopicsTest, AFilteredTopicIsPushedWhatMatches) {
  publish(1, "blue");
  const std::vector<std::string> searches = {"?search=%2Bred%2Bgreen", "?search=(OR(cat=Red)(AND(cat=green)))",
                                             "?search=(|(cat=green)(cat=red))", "?search=(NOT(cat=blue))"};
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (const std::string& search : searches) {
    subscribers.push_back(std::make_unique<Subscriber>());
    subscribe(*subscribers.back(), topic(search));
  }
  publish(2, "red");
  publish(3, "blue");
  publish(4, "green");
  publish(5, "blue");
  publish(6, "red");
  for (std::size_t i = 0; i < searches.size(); ++i) {
    ASSERT_TRUE(subscribers[i]->wait_until([&] { return subscribers[i]->positions().size() >= 3; })) << searches[i];
    EXPECT_THAT(subscribers[i]->positions(), ElementsAre(2, 4, 6)) << searches[i];
    const SinkRequest last = subscribers[i]->deliveries().back();
    EXPECT_EQ(last.header("Link"),
              "<" + topic(searches[i]) + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
  }
  EXPECT_THAT(subscribers[2]->deliveries()[0].body, HasSubstr("search=(%7C(cat=green)(cat=red))\"")) << "it is an IRI";
}

// Seven thousand entries that do not match are more than one look may read.
TEST_F(HubTopicsTest, AFilterPassesOverManyEntriesInPieces) {
  publish(1);
  Subscriber filtered;
  subscribe(filtered, topic("?search=(NOT(cat=blue))"));
  for (int batch = 0; batch < 7; ++batch) publish_batch(2 + 1000 * batch, 1000, "blue");
  publish(7002, "red");
  ASSERT_TRUE(wait_for_deliveries(filtered, 1));
  EXPECT_THAT(filtered.positions(), ElementsAre(7002));
  EXPECT_EQ(filtered.deliveries()[0].header("Feed-Position"), "7002");
}

// One document for many: newest first, with what the feed says of itself.
TEST_F(HubTopicsTest, AFilteredDocumentIsThatOfTheFeed) {
  publish(1);
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber, topic("?search=%2Bred"));
  publish(2);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  for (int number = 3; number <= 8; ++number) publish(number, number % 2 == 0 ? "red" : "blue");
  gate.open();
  ASSERT_TRUE(wait_for_deliveries(subscriber, 2));
  EXPECT_THAT(subscriber.positions(), ElementsAre(2, 4, 6, 8));
  pugi::xml_document pushed, pulled;
  ASSERT_TRUE(pushed.load_string(subscriber.deliveries()[1].body.c_str()));
  ASSERT_TRUE(pulled.load_string(client_.get("/demo/events?search=%2Bred").body.c_str()));
  for (const char* const name : {"id", "title", "updated"}) {
    EXPECT_STREQ(pushed.child("feed").child_value(name), pulled.child("feed").child_value(name)) << name;
  }
  EXPECT_STREQ(pushed.child("feed").child("author").child_value("name"),
               pulled.child("feed").child("author").child_value("name"));
  EXPECT_STREQ(pushed.child("feed").child("entry").child_value("id"), "urn:x:8");
}

TEST_F(HubTopicsTest, EachFormIsPushedAsItIsPulled) {
  publish(1);
  for (const std::string format : {"json", "rss", "cloudevents", "html", "atom"}) {
    Subscriber subscriber;
    const std::string query = "?format=" + format + "&search=%2Bred";
    subscribe(subscriber, topic(query));
    const int number = static_cast<int>(subscriptions()) + 1;
    publish(number);
    ASSERT_TRUE(wait_for_deliveries(subscriber, 1)) << format;
    const SinkRequest delivery = subscriber.deliveries()[0];
    EXPECT_EQ(delivery.header("Content-Type"), client_.get("/demo/events" + query).header("Content-Type"));
    EXPECT_EQ(delivery.header("Link"),
              "<" + topic(query) + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
    EXPECT_THAT(delivery.body, HasSubstr("urn:x:" + std::to_string(number))) << format;
    EXPECT_THAT(delivery.body, Not(HasSubstr("urn:x:1<"))) << format;
  }
}

TEST_F(HubTopicsTest, AJsonFeedSaysWhereItCameFrom) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, topic("/?search=%2Bred&format=json"));
  publish(2);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  const json feed = json::parse(subscriber.deliveries()[0].body);
  EXPECT_EQ(feed["version"], "https://jsonfeed.org/version/1.1");
  EXPECT_EQ(feed["title"], "events");
  EXPECT_EQ(feed["home_page_url"], topic());
  EXPECT_EQ(feed["feed_url"], topic("/?search=%2Bred&format=json")) << "exactly as sent";
  EXPECT_EQ(feed["hubs"][0]["type"], "WebSub");
  EXPECT_EQ(feed["hubs"][0]["url"], server_.url() + "/hub");
  EXPECT_EQ(feed["_courant"]["range"]["previous"], 1);
  EXPECT_EQ(feed["_courant"]["range"]["position"], 2);
  EXPECT_FALSE(feed.contains("next_url"));
  ASSERT_EQ(feed["items"].size(), 1U);
  EXPECT_EQ(feed["items"][0]["_courant"]["position"], 2);
}

TEST_F(HubTopicsTest, AnRssChannelSaysWhereItCameFrom) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, topic("?format=rss&limit=7"));
  publish(2);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(subscriber.deliveries()[0].body.c_str()));
  const pugi::xml_node channel = document.child("rss").child("channel");
  const auto link = [&](const char* rel) {
    return std::string(channel.find_child_by_attribute("atom:link", "rel", rel).attribute("href").value());
  };
  EXPECT_EQ(link("self"), topic("?format=rss&limit=7"));
  EXPECT_EQ(link("hub"), server_.url() + "/hub");
  EXPECT_EQ(channel.child_value("link"), topic());
  EXPECT_EQ(channel.child("c:range").attribute("previous").as_int(), 1);
  EXPECT_EQ(channel.child("c:range").attribute("position").as_int(), 2);
  EXPECT_STREQ(channel.child("item").child_value("guid"), "urn:x:2");
  EXPECT_FALSE(channel.child("item").next_sibling("item"));
}

TEST_F(HubTopicsTest, EventsArePushedAsTheyCame) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, topic("?format=cloudevents"));
  const json event = {
      {"specversion", "1.0"}, {"id", "7"}, {"source", "urn:s"}, {"type", "x.made"}, {"data", {{"a", 1}}}};
  ASSERT_EQ(client_.post("/demo/events", event.dump(), "Content-Type: application/cloudevents+json\r\n").status, 201);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  const SinkRequest delivery = subscriber.deliveries()[0];
  EXPECT_EQ(delivery.header("Content-Type"), "application/cloudevents-batch+json");
  EXPECT_EQ(json::parse(delivery.body), json::array({event}));
}

// As on pages: forms other than Atom know neither older revisions nor what was deleted.
TEST_F(HubTopicsTest, OtherFormsThanAtomHoldTheNewestRevisionOnly) {
  publish(1);
  publish(2);
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber, topic("?format=json"));
  publish(3);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry(1, "red", "older")).status, 200);
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry(1, "red", "newest")).status, 200);
  ASSERT_EQ(client_.remove("/demo/events/entries/urn:x:2").status, 204);
  gate.open();
  ASSERT_TRUE(wait_for_deliveries(subscriber, 2));
  const SinkRequest second = subscriber.deliveries()[1];
  const json feed = json::parse(second.body);
  ASSERT_EQ(feed["items"].size(), 1U);
  EXPECT_EQ(feed["items"][0]["content_text"], "newest");
  EXPECT_EQ(second.header("Feed-Position"), "6") << "the deletion is covered";
}

TEST_F(HubTopicsTest, ALimitBoundsTheEntriesOfADocument) {
  publish(1);
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber, topic("?limit=2"));
  publish(2);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  for (int number = 3; number <= 6; ++number) publish(number);
  gate.open();
  ASSERT_TRUE(wait_for_deliveries(subscriber, 3));
  EXPECT_THAT(subscriber.positions(), ElementsAre(2, 3, 4, 5, 6));
  EXPECT_EQ(subscriber.deliveries()[1].header("Feed-Position"), "4");
}

TEST_F(HubTopicsTest, SpellingsOfATopicAreOneSubscriptionAndSelfIsAsSent) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, topic("?search=%2Bred%2Bblue&format=json"));
  const std::string other = server_.url() + "/d%65mo/events/?format=json&limit=25&search=(OR(cat=blue)(cat=RED))";
  ASSERT_EQ(subscriber.ask(server_, "subscribe", other), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.verifications().size() == 2 && !has_requests(); }));
  EXPECT_THAT(subscriber.verifications()[1].target, HasSubstr("hub.topic=" + percent_encode(other)));
  EXPECT_EQ(subscriptions(), 1);
  publish(2);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  EXPECT_EQ(json::parse(subscriber.deliveries()[0].body)["feed_url"], other);
  EXPECT_THAT(*subscriber.deliveries()[0].header("Link"), HasSubstr("<" + other + ">; rel=\"self\""));

  subscribe(subscriber, topic("?format=json"));
  EXPECT_EQ(subscriptions(), 2) << "without the filter it is another topic";
  ASSERT_EQ(subscriber.ask(server_, "unsubscribe", topic("/?format=json&search=%2bBLUE%2bred")), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() == 1; }));
}

TEST_F(HubTopicsTest, ARestartKeepsFilterAndForm) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber, topic("?format=json&search=%2Bred"));
  server_.kill_and_restart();
  publish(2, "blue");
  publish(3, "red");
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  const json feed = json::parse(subscriber.deliveries()[0].body);
  ASSERT_EQ(feed["items"].size(), 1U);
  EXPECT_EQ(feed["items"][0]["id"], "urn:x:3");
}

TEST_F(HubTopicsTest, OnlyPagesOfTheHeadAreTopics) {
  publish(1);
  struct Case {
    std::string url;
    int status;
    std::string words;
  };
  std::string long_filter = "(%26";
  for (int term = 0; term < 99; ++term) long_filter += "(!(cat=" + std::to_string(term) + "))";
  const std::vector<Case> cases = {
      {topic("?marker=1"), 403, "marker"},
      {topic("?marker=last&search=%2Bred"), 403, "marker"},
      {topic("?startingAt=2026-11-24T09:30:00Z"), 403, "startingAt"},
      {topic("/archive/1"), 403, "archive page"},
      {topic("/archive"), 403, "archive page"},
      {topic("?format=events"), 403, "stream"},
      {topic("/entries/urn:x:1"), 403, "not a topic"},
      {topic("?search=%2B\xEF\xBF\xBF"), 403, "not a topic"},
      {topic("?search=" + long_filter + ")"), 400, "too long"},
      {topic("#part"), 403, "not a topic"},
      {topic("x?format=json"), 403, "not a topic"},
      {server_.url() + "/demo", 403, "not a topic"},
      {"https" + topic().substr(4), 403, "not a topic"},
      {topic("?format=pdf"), 400, "format must be"},
      {topic("?limit=0"), 400, "Limit parameter not valid"},
      {topic("?search=red"), 400, "Search must begin with a '+' or a '('"},
      {topic("?search=(OR(cat=a)"), 400, "Invalid LDAP Search Parameter"},
  };
  for (const Case& one : cases) {
    const std::string url = "&hub.topic=" + percent_encode(one.url);
    for (const std::string& form :
         {"hub.mode=subscribe&hub.callback=http%3A%2F%2F127.0.0.1%3A1234%2Fcb" + url, "hub.mode=publish" + url}) {
      const Reply reply = client_.post("/hub", form, kForm);
      EXPECT_EQ(reply.status, one.status) << form;
      EXPECT_THAT(reply.body, HasSubstr(one.words)) << form;
    }
  }
  EXPECT_FALSE(has_requests());
}

// A ping names as many topics as it likes, under either name.
TEST_F(HubTopicsTest, PublishersMayPingButNeedNot) {
  publish(1);
  const auto ping = [this](const std::string& topics) {
    return client_.post("/hub", "hub.mode=publish" + topics, kForm);
  };
  const std::string one = "&hub.url=" + percent_encode(topic());
  const std::string filtered = "&hub.topic=" + percent_encode(topic("?search=%2Bred&format=rss"));
  for (const std::string& topics : {one, one + one + filtered, filtered}) {
    const Reply reply = ping(topics);
    EXPECT_EQ(reply.status, 204) << topics;
    EXPECT_EQ(reply.body, "");
  }
  EXPECT_EQ(ping(one + "&hub.url=http%3A%2F%2Felsewhere.example%2Ffeed").status, 403);
  EXPECT_EQ(ping("").status, 400);
}

// After an outage the first document is short, the next ones are longer, and all are in order.
TEST_F(HubTopicsTest, OneThatIsFarBehindGetsSeveralDocumentsThatGrow) {
  publish(1);
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber, topic());
  publish(2);
  ASSERT_TRUE(wait_for_deliveries(subscriber, 1));
  for (int number = 3; number <= 32; ++number) publish(number, "red", std::string(100'000, 'x'));
  gate.open();
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 31; }));
  std::vector<int> expected;
  for (int number = 2; number <= 32; ++number) expected.push_back(number);
  EXPECT_EQ(subscriber.positions(), expected);
  const std::vector<SinkRequest> deliveries = subscriber.deliveries();
  ASSERT_GE(deliveries.size(), 4U);
  for (std::size_t i = 1; i < deliveries.size(); ++i) {
    EXPECT_EQ(deliveries[i].header("Feed-Position-Previous"), deliveries[i - 1].header("Feed-Position"));
    if (i > 1 && i + 1 < deliveries.size()) {
      EXPECT_GT(deliveries[i].body.size(), deliveries[i - 1].body.size()) << i;
    }
  }
}

}  // namespace
}  // namespace courant::test::hub_topics_test
