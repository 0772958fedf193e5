// WebSub (W3C Recommendation, 23 January 2018): what a hub and a publisher must do.
#include <atomic>
#include <set>

#include <nlohmann/json.hpp>

#include "kernel/digest.h"
#include "tests/conformance/server/fixture.h"
#include "tests/support/subscriber.h"

namespace courant::test::websub_test {
namespace {

class WebSub : public Conformance {
 protected:
  std::string topic() const { return server_.url() + "/demo/events"; }
  bool is_verified(Subscriber& subscriber, std::size_t requests = 1) {
    sql::Session session(database_.url());
    return subscriber.wait_until([&] {
      const sql::Query waiting{"waiting", "select count(*) from hub_requests"};
      return subscriber.verifications().size() >= requests && session.run(waiting)[0].integer(0) == 0;
    });
  }
};

// 4: "Publishers MUST implement at least one of them: Link Headers [RFC5988]: the publisher SHOULD include at least one
// Link Header [RFC5988] with rel=hub (a hub link header) as well as exactly one Link Header [RFC5988] with rel=self
// (the self link header)"; "If the topic is an XML based feed, publishers SHOULD use embedded link elements".
TEST_F(WebSub, Section4DiscoveryByHeaderAndDocument) {
  publish(1);
  const Reply reply = client_.get("/demo/events");
  EXPECT_EQ(reply.header("Link").find("<" + topic() + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\""), 0U);
  const pugi::xml_document document = parsed(reply.body);
  EXPECT_EQ(link_of(document.child("feed"), "hub"), server_.url() + "/hub");
  EXPECT_EQ(link_of(document.child("feed"), "self"), topic());
}

// 4: "Similarly, for HTML pages, publishers SHOULD use embedded link elements as described in Appendix A of Web Linking
// [RFC5988]." "it is more robust to place the <link> tags only in the HTML <head> rather than in the <body>". JSON Feed
// has "hubs" for it; CloudEvents have nothing, so there is the header.
TEST_F(WebSub, Section4EveryFormIsDiscoveredByHeaderAndDocument) {
  publish(1);
  const std::string hub = server_.url() + "/hub";
  for (const std::string format : {"json", "rss", "cloudevents", "html"}) {
    const std::string query = "?search=%2Bx&format=" + format;
    const Reply reply = client_.get("/demo/events" + query);
    EXPECT_EQ(reply.header("Link").find("<" + topic() + query + ">; rel=\"self\", <" + hub + ">; rel=\"hub\""), 0U)
        << reply.header("Link");
  }
  const nlohmann::json json = nlohmann::json::parse(client_.get("/demo/events?format=json").body);
  EXPECT_EQ(json["feed_url"], topic() + "?format=json");
  EXPECT_EQ(json["hubs"][0]["url"], hub);
  const pugi::xml_document rss = parsed(client_.get("/demo/events?format=rss").body);
  const pugi::xml_node channel = rss.child("rss").child("channel");
  const auto rss_link = [&channel](const char* rel) {
    return std::string(channel.find_child_by_attribute("atom:link", "rel", rel).attribute("href").value());
  };
  EXPECT_EQ(rss_link("self"), topic() + "?format=rss");
  EXPECT_EQ(rss_link("hub"), hub);
  const std::string page = client_.get("/demo/events?format=html").body;
  const std::string html = page.substr(0, page.find("</head>"));
  EXPECT_NE(html.find("<link rel=\"self\" href=\"" + topic() + "?format=html\">"), std::string::npos);
  EXPECT_NE(html.find("<link rel=\"hub\" href=\"" + hub + "\">"), std::string::npos);
}

// 4: "Issue a GET or HEAD request to retrieve the topic URL. Subscribers MUST check for HTTP Link headers first." A
// subscriber that has the page already finds them on the 304, too.
TEST_F(WebSub, Section4DiscoveryWorksOnUnchangedPages) {
  publish(1);
  for (const std::string query : {"", "?format=json", "?search=%2Bx", "?limit=7&format=rss"}) {
    const Reply first = client_.get("/demo/events" + query);
    const Reply second = client_.get("/demo/events" + query, "If-None-Match: " + first.header("ETag") + "\r\n");
    EXPECT_EQ(second.status, 304);
    const std::string links = "<" + topic() + query + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"";
    EXPECT_EQ(first.header("Link").find(links), 0U) << first.header("Link");
    EXPECT_EQ(second.header("Link").find(links), 0U) << second.header("Link");
  }
}

// 4.1: "it is important that the rel=self URL only offers a single representation ... It is, however, possible to
// perform content negotiation by returning an appropriate rel=self URL according to the HTTP headers used in the
// initial discovery request."
TEST_F(WebSub, Section4_1ANegotiatedFormHasASelfOfItsOwnWhichIsATopic) {
  publish(1);
  struct Case {
    std::string accept;
    std::string self;
  };
  const std::vector<Case> cases = {{"application/atom+xml", topic()},
                                   {"application/feed+json", topic() + "?format=json"},
                                   {"application/rss+xml", topic() + "?format=rss"},
                                   {"application/cloudevents-batch+json", topic() + "?format=cloudevents"},
                                   {"text/html", topic() + "?format=html"}};
  int number = 1;
  for (const Case& one : cases) {
    const Reply page = client_.get("/demo/events", "Accept: " + one.accept + "\r\n");
    EXPECT_EQ(page.header("Link").find("<" + one.self + ">; rel=\"self\""), 0U) << page.header("Link");
    Subscriber subscriber;
    ASSERT_EQ(subscriber.ask(server_, "subscribe", one.self), 202);
    ASSERT_TRUE(is_verified(subscriber));
    publish(++number);
    ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
    EXPECT_EQ(subscriber.deliveries().at(0).header("Content-Type"), page.header("Content-Type"));
  }
}

// 5.1: "Hubs MUST ignore additional request parameters they do not understand." 5.1.2: "If the hub URL supports WebSub
// and is able to handle the subscription or unsubscription request, it MUST respond to a subscription request with an
// HTTP [RFC7231] 202 "Accepted" response".
TEST_F(WebSub, Section5_1ASoundRequestIsAccepted) {
  publish(1);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.unknown=1&other=2"), 202);
}

// 5.1.1: "The callback URL MAY contain arbitrary query string parameters ... Hubs MUST preserve the query string
// during subscription verification by appending new parameters to the end of the list using the & (ampersand)
// character to join."
TEST_F(WebSub, Section5_1TheCallbacksQueryIsKept) {
  publish(1);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "", "cb?token=a%20b"), 202);
  ASSERT_TRUE(is_verified(subscriber));
  EXPECT_EQ(subscriber.verifications().at(0).target.find("/cb?token=a%20b&hub.mode=subscribe"), 0U);
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  EXPECT_EQ(subscriber.deliveries().at(0).target, "/cb?token=a%20b");
}

// 5.1: "Hubs MUST allow subscribers to re-request subscriptions that are already activated."
TEST_F(WebSub, Section5_1AnActiveSubscriptionMayBeRequestedAgain) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic()), 202);
  ASSERT_TRUE(is_verified(subscriber));
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic()), 202);
  ASSERT_TRUE(is_verified(subscriber, 2));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{2}; }));
}

// 5.1: "Each subsequent request to a hub to subscribe or unsubscribe MUST override the previous subscription state for
// a specific topic URL and callback URL combination, but only once the action is verified ... If verification fails,
// the subscription state MUST be left unchanged."
TEST_F(WebSub, Section5_1AFailedRenewalChangesNothing) {
  publish(1);
  std::atomic<bool> agrees{true};
  Sink sink([&](const SinkRequest& request) {
    if (request.method == "POST") return SinkReply{.status = 204};
    const Parameters query = *parse_query(request.target.substr(request.target.find('?') + 1));
    return agrees ? SinkReply{.status = 200, .body = *find_parameter(query, "hub.challenge")}
                  : SinkReply{.status = 404};
  });
  sql::Session session(database_.url());
  const auto ask = [&](const std::string& secret) {
    const std::string form = "hub.mode=subscribe&hub.secret=" + secret + "&hub.topic=" + percent_encode(topic()) +
                             "&hub.callback=" + percent_encode(sink.url("/cb"));
    ASSERT_EQ(client_.post("/hub", form, kForm).status, 202);
    ASSERT_TRUE(sink.wait_until([&] {
      return session.run(sql::Query{"waiting", "select count(*) from hub_requests"})[0].integer(0) == 0;
    }));
  };
  ask("old");
  agrees = false;
  ask("new");
  publish(2);
  ASSERT_TRUE(sink.wait_for(3));
  const SinkRequest push = sink.requests().back();
  EXPECT_EQ(push.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "old", push.body)));
}

// 5.1: hub.lease_seconds "MAY be present for unsubscription requests and MUST be ignored by the hub in that case."
TEST_F(WebSub, Section5_1TheLeaseOfAnUnsubscriptionIsIgnored) {
  publish(1);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "unsubscribe", topic(), "&hub.lease_seconds=nonsense"), 202);
}

// 5.1.2: "If a hub finds any errors in the subscription request, an appropriate HTTP [RFC7231] error response code (4xx
// or 5xx) MUST be returned. In the event of an error, hubs SHOULD return a description of the error in the response
// body as plain text" (ours is a problem document).
TEST_F(WebSub, Section5_1_2ErrorsAreDescribed) {
  const Reply reply = client_.post("/hub", "hub.mode=subscribe", kForm);
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("hub.topic is missing"), std::string::npos);
}

// 5.1: hub.secret: "This parameter MUST be less than 200 bytes in length."
TEST_F(WebSub, Section5_1SecretsAreShorterThan200Bytes) {
  publish(1);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.secret=" + std::string(199, 's')), 202);
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.secret=" + std::string(200, 's')), 400);
}

// 5.3: hub.mode, hub.topic and hub.challenge are REQUIRED; hub.lease_seconds: "Hubs MUST supply this parameter when
// hub.mode is set to "subscribe"." 8.2: "the hub SHOULD use a random, single-use hub.challenge".
TEST_F(WebSub, Section5_3TheRequestSaysWhatItIsAbout) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic()), 202);
  ASSERT_TRUE(is_verified(subscriber));
  ASSERT_EQ(subscriber.ask(server_, "unsubscribe", topic()), 202);
  ASSERT_TRUE(is_verified(subscriber, 2));
  std::set<std::string> challenges;
  for (const SinkRequest& request : subscriber.verifications()) {
    const Parameters query = *parse_query(request.target.substr(request.target.find('?') + 1));
    EXPECT_EQ(*find_parameter(query, "hub.topic"), topic());
    challenges.insert(*find_parameter(query, "hub.challenge"));
    const bool is_subscribe = *find_parameter(query, "hub.mode") == "subscribe";
    EXPECT_EQ(find_parameter(query, "hub.lease_seconds") != nullptr, is_subscribe);
  }
  EXPECT_EQ(challenges.size(), 2U) << "a challenge is used once";
}

// 5.3.1: "The hub MUST consider other server response codes (3xx, 4xx, 5xx) to mean that the verification request has
// failed. If the subscriber returns an HTTP [RFC7231] success (2xx) but the content body does not match the
// hub.challenge parameter, the hub MUST also consider verification to have failed."
TEST_F(WebSub, Section5_3_1OnlyTheChallengeItselfConfirms) {
  publish(1);
  sql::Session session(database_.url());
  const std::vector<SinkReply> answers = {{.status = 200, .body = "yes"},
                                          {.status = 200, .body = ""},
                                          {.status = 301, .headers = {{"Location", "http://127.0.0.1:1/"}}},
                                          {.status = 500},
                                          {.status = 404}};
  for (const SinkReply& answer : answers) {
    Sink sink([&](const SinkRequest&) { return answer; });
    const std::string form =
        "hub.mode=subscribe&hub.topic=" + percent_encode(topic()) + "&hub.callback=" + percent_encode(sink.url("/cb"));
    ASSERT_EQ(client_.post("/hub", form, kForm).status, 202);
    ASSERT_TRUE(sink.wait_for(1));
  }
  EXPECT_EQ(session.run(sql::Query{"subscribed", "select count(*) from subscriptions"})[0].integer(0), 0);
}

// 5.3.1: "Hubs MUST enforce lease expirations, and MUST NOT issue perpetual lease durations."
TEST_F(WebSub, Section5_3LeasesEnd) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.lease_seconds=99999999999"), 202);
  ASSERT_TRUE(is_verified(subscriber));
  const std::string target = subscriber.verifications().at(0).target;
  EXPECT_NE(target.find("hub.lease_seconds=2592000"), std::string::npos) << "thirty days at most: " << target;
}

// 7: "The content distribution request MUST have a Content-Type Header corresponding to the Content-Type of the
// topic", "the hub MAY remove already-delivered atom:entry ... elements from the feed", "The request MUST include at
// least one Link Header [RFC5988] with rel=hub pointing to a Hub associated with the topic being updated. It MUST also
// include one Link Header [RFC5988] with rel=self set to the canonical URL of the topic being updated."
TEST_F(WebSub, Section7ContentIsDistributedWithItsTypeAndLinks) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic()), 202);
  ASSERT_TRUE(is_verified(subscriber));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const SinkRequest delivery = subscriber.deliveries().at(0);
  EXPECT_EQ(delivery.header("Content-Type"), client_.get("/demo/events").header("Content-Type"));
  EXPECT_EQ(delivery.header("Link"), "<" + topic() + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
}

// 5.1.1: "The topic URL can otherwise be free-form following the URL spec [URL]. Hubs MUST always decode non-reserved
// characters for these URL parameters".
TEST_F(WebSub, Section5_1_1ATopicIsTheSameHoweverItIsEncoded) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", server_.url() + "/%64emo/event%73?search=%2ba%2Db"), 202);
  ASSERT_TRUE(is_verified(subscriber));
  ASSERT_EQ(subscriber.ask(server_, "unsubscribe", topic() + "?search=%2Ba-b"), 202);
  ASSERT_TRUE(is_verified(subscriber, 2));
  sql::Session session(database_.url());
  EXPECT_EQ(session.run(sql::Query{"subscribed", "select count(*) from subscriptions"})[0].integer(0), 0);
}

// 7: "The content distribution request MUST have a Content-Type Header corresponding to the Content-Type of the topic,
// and MUST contain the full contents of the topic URL, with an exception allowed as described below. For Atom
// ([RFC4287]) and RSS ([RSS-2.0]) feeds, the hub MAY remove already-delivered atom:entry or rss:item elements from the
// feed." What a filtered topic contains is what matches.
TEST_F(WebSub, Section7ATopicWithAQueryIsDistributedAsItsOwnContent) {
  publish(1);
  const std::string query = "?search=(cat=a)&format=rss";
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic() + query), 202);
  ASSERT_TRUE(is_verified(subscriber));
  publish(2, "<content>c</content><category term='b'/>");
  publish(3, "<content>c</content><category term='a'/>");
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const SinkRequest delivery = subscriber.deliveries().at(0);
  const Reply pulled = client_.get("/demo/events" + query);
  EXPECT_EQ(delivery.header("Content-Type"), pulled.header("Content-Type"));
  EXPECT_EQ(delivery.header("Link"),
            "<" + topic() + query + ">; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
  const auto guids = [](const std::string& text) {
    const pugi::xml_document document = parsed(text);
    std::vector<std::string> found;
    for (const pugi::xml_node& item : document.child("rss").child("channel").children("item")) {
      found.emplace_back(item.child_value("guid"));
    }
    return found;
  };
  EXPECT_EQ(guids(delivery.body), std::vector<std::string>{"urn:x:3"});
  EXPECT_EQ(guids(delivery.body), guids(pulled.body));
}

// 7.1: "If the subscriber supplied a value for hub.secret in their subscription request, the hub MUST generate an HMAC
// signature of the payload and include that signature in the request headers of the content distribution request. The
// X-Hub-Signature header's value MUST be in the form method=signature".
TEST_F(WebSub, Section7_1ContentIsSignedWithTheSecret) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.secret=k"), 202);
  ASSERT_TRUE(is_verified(subscriber));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const SinkRequest delivery = subscriber.deliveries().at(0);
  EXPECT_EQ(delivery.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "k", delivery.body)));
}

// 7: "The hub MUST consider all other subscriber response codes as failures; that means subscribers MUST NOT use HTTP
// redirects for moving subscriptions." "Hubs SHOULD retry content distribution requests".
TEST_F(WebSub, Section7RedirectsAreFailures) {
  publish(1);
  Sink elsewhere([](const SinkRequest&) { return SinkReply{.status = 204}; });
  std::atomic<int> posts{0};
  Subscriber subscriber([&](const SinkRequest&) {
    if (++posts > 1) return SinkReply{.status = 204};
    return SinkReply{.status = 307, .headers = {{"Location", elsewhere.url("/x")}}};
  });
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic()), 202);
  ASSERT_TRUE(is_verified(subscriber));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return posts >= 2; }));
  EXPECT_TRUE(elsewhere.requests().empty());
}

}  // namespace
}  // namespace courant::test::websub_test
