// WebSub (W3C Recommendation, 23 January 2018): what a hub must do for publishers elsewhere.
#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/origin.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"

namespace courant::test::websub_foreign_test {
namespace {

class WebSubForeign : public testing::Test {
 protected:
  static std::string entry(int number) {
    return "<entry><id>urn:o:" + std::to_string(number) +
           "</id><title>t</title><updated>2026-01-01T00:00:00Z</updated><content>c</content></entry>";
  }
  static std::string feed(const std::string& entries) {
    return "<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:origin</id><title>Elsewhere</title><author><name>a</name>"
           "</author><updated>2026-01-01T00:00:00Z</updated>" +
           entries + "</feed>";
  }

  void subscribe(Subscriber& subscriber, const std::string& topic) {
    sql::Session session(database_.url());
    const sql::Query subscribed{"subscribed", "select count(*) from subscriptions"};
    const std::int64_t before = session.run(subscribed)[0].integer(0);
    ASSERT_EQ(subscriber.ask(server_, "subscribe", topic), 202);
    ASSERT_TRUE(subscriber.wait_until([&] { return session.run(subscribed)[0].integer(0) > before; }));
  }
  int ping(const std::string& topic) {
    return client_
        .post("/hub", "hub.mode=publish&hub.url=" + percent_encode(topic),
              "Content-Type: application/x-www-form-urlencoded\r\n")
        .status;
  }
  static Parameters query_of(const SinkRequest& request) {
    return *parse_query(request.target.substr(request.target.find('?') + 1));
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url(), "--config", COURANT_SOURCE_DIR "/tests/data/foreign.toml"}};
  HttpClient client_{server_.port()};
};

// 5.1.2: "since verification and validation of intent are asynchronous steps that logically begin after the HTTP
// response has been returned, the HTTP response MUST NOT depend on the process or outcome of verification or
// validation." 5.2: "If (and when) the subscription is denied, the hub MUST inform the subscriber by sending an HTTP
// GET request to the subscriber's callback URL as given in the subscription request", with hub.mode: "The literal
// string "denied"", hub.topic: "The topic URL given in the corresponding subscription request", and hub.reason, which
// is optional.
TEST_F(WebSubForeign, Section5_2ATopicThatIsNotThereIsDeniedAfterTheResponse) {
  Gate gate;
  Origin origin("text/plain", [&] { gate.wait(); });
  const GateOpener opener{gate};
  origin.answer_instead({.status = 404});
  const std::string topic = origin.url("/%66eed");
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic, "", "cb?token=1"), 202);
  gate.open();
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.verifications().empty(); }));
  const SinkRequest request = subscriber.verifications().at(0);
  EXPECT_EQ(request.target.find("/cb?token=1&hub.mode=denied&"), 0U);
  EXPECT_EQ(*find_parameter(query_of(request), "hub.topic"), topic);
  EXPECT_EQ(*find_parameter(query_of(request), "hub.reason"), "The topic cannot be fetched: it answers 404");
}

// 5.2: "The Hub MAY also check with the publisher whether the subscription should be accepted. If (and when) the
// subscription is accepted, the hub MUST perform the verification of intent of the subscriber."
TEST_F(WebSubForeign, Section5_2AnAcceptedSubscriptionIsVerified) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  EXPECT_EQ(*find_parameter(query_of(subscriber.verifications().at(0)), "hub.mode"), "subscribe");
  EXPECT_EQ(*find_parameter(query_of(subscriber.verifications().at(0)), "hub.topic"), origin.url());
}

// 6: "The publisher MUST inform the hubs it previously designated when a topic has been updated. The hub and the
// publisher can agree on any mechanism, as long as the hub is eventually able send the updated payload to the
// subscribers." The note says what publishers do: "send a POST request with the keys hub.mode="publish" and
// hub.url=(the URL of the resource that was updated)"; as PubSubHubbub 0.3 has it, the answer is 204.
TEST_F(WebSubForeign, Section6APingHasTheUpdatedPayloadSent) {
  Origin origin("application/json");
  origin.serve("{}");
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve("{\"a\": 1}");
  EXPECT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(subscriber.deliveries().at(0).body, "{\"a\": 1}");
}

// 7: "The content distribution request MUST have a Content-Type Header corresponding to the Content-Type of the topic,
// and MUST contain the full contents of the topic URL, with an exception allowed as described below. For Atom
// ([RFC4287]) and RSS ([RSS-2.0]) feeds, the hub MAY remove already-delivered atom:entry or rss:item elements from the
// feed."
TEST_F(WebSubForeign, Section7TheContentTypeIsTheTopics) {
  for (const std::string type : {"application/atom+xml; charset=utf-8", "text/html;charset=ISO-8859-1", "image/png"}) {
    Origin origin(type);
    origin.serve(feed(entry(1)));
    Subscriber subscriber;
    subscribe(subscriber, origin.url());
    origin.serve(feed(entry(2) + entry(1)));
    EXPECT_EQ(ping(origin.url()), 204);
    ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
    const SinkRequest delivery = subscriber.deliveries().at(0);
    EXPECT_EQ(delivery.header("Content-Type"), type);
    const bool is_feed = type.starts_with("application/atom+xml");
    EXPECT_NE(delivery.body.find("<id>urn:origin</id>"), std::string::npos);
    EXPECT_EQ(delivery.body.find("<id>urn:o:1</id>") == std::string::npos, is_feed);
    EXPECT_NE(delivery.body.find("<id>urn:o:2</id>"), std::string::npos);
  }
}

// 7: "The request MUST include at least one Link Header with rel=hub pointing to a Hub associated with the topic being
// updated. It MUST also include one Link Header with rel=self set to the canonical URL of the topic being updated."
TEST_F(WebSubForeign, Section7DeliveriesLinkToHubAndTopic) {
  Origin origin;
  origin.serve(feed(entry(1)));
  Subscriber subscriber;
  subscribe(subscriber, origin.url());
  origin.serve(feed(entry(2)));
  EXPECT_EQ(ping(origin.url()), 204);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(subscriber.deliveries().at(0).header("Link"),
            "<" + origin.url() + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
}

}  // namespace
}  // namespace courant::test::websub_foreign_test
