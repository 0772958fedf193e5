// PubSubHubbub Core 0.3 (Working Draft, 8 February 2010): what a hub must do, where WebSub says it otherwise or not at
// all. What both say alike stands in websub_test.cc. 0.4 has no hub.verify, no hub.verify_token and no renewal by the
// hub; whoever sends none of them is served as WebSub has it. Aggregated distribution (7.5) is optional, and not done.
#include <atomic>
#include <map>

#include "kernel/digest.h"
#include "tests/conformance/server/fixture.h"
#include "tests/support/any_query.h"
#include "tests/support/subscriber.h"

namespace courant::test::pubsubhubbub03_test {
namespace {

class PubSubHubbub03 : public Conformance {
 protected:
  std::string topic() const { return server_.url() + "/demo/events"; }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  bool is_verified(const Subscriber& subscriber, std::size_t requests = 1) {
    return subscriber.wait_until([&] {
      return subscriber.verifications().size() >= requests && number_of("select count(*) from hub_requests") == 0;
    });
  }
  static std::map<std::string, std::string> parameters_of(const SinkRequest& request) {
    const Parameters query = *parse_query(request.target.substr(request.target.find('?') + 1));
    return {query.begin(), query.end()};
  }
  // Answers of a callback, in this order, and the last one again; "": the challenge.
  static Sink::Handler answering(std::vector<SinkReply> replies) {
    const auto asked = std::make_shared<std::atomic<std::size_t>>(0);
    return [replies = std::move(replies), asked](const SinkRequest& request) {
      if (request.method == "POST") return SinkReply{.status = 204};
      SinkReply reply = replies[std::min((*asked)++, replies.size() - 1)];
      if (reply.status == 200 && reply.body.empty()) reply.body = parameters_of(request).at("hub.challenge");
      return reply;
    };
  }
  int ask(const Sink& sink, const std::string& more) {
    const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic()) +
                             "&hub.callback=" + percent_encode(sink.url("/cb")) + more;
    return client_.post("/hub", form, kForm).status;
  }

  sql::Session session_{database_.url()};
};

// 5: "A feed that acts as a topic as per this specification MUST publish, as a child of //atom:feed or
// //rss:rss/channel, an atom:link element whose rel attribute has the value hub and whose href attribute contains the
// hub's endpoint URL." "Hubs MUST use the same URL for both the publishing and subscribing interfaces".
TEST_F(PubSubHubbub03, Section5TheFeedNamesTheOneUrlOfItsHub) {
  publish(1);
  const std::string atom = link_of(parsed(client_.get("/demo/events").body).child("feed"), "hub");
  const pugi::xml_document rss = parsed(client_.get("/demo/events?format=rss").body);
  const pugi::xml_node channel = rss.child("rss").child("channel");
  const std::string in_rss = channel.find_child_by_attribute("atom:link", "rel", "hub").attribute("href").value();
  EXPECT_EQ(atom, server_.url() + "/hub");
  EXPECT_EQ(in_rss, atom);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async"), 202) << "asked at /hub";
  EXPECT_EQ(client_.post("/hub", "hub.mode=publish&hub.url=" + percent_encode(topic()), kForm).status, 204);
}

// 6.1: "hub.verify: REQUIRED ... This parameter may be repeated to indicate multiple supported modes." "Subscribers ...
// MAY include additional keywords defined by extension specifications. Hubs MUST ignore verify mode keywords that they
// do not understand." 6.1.2: "If the subscription has yet to be verified (i.e., the hub is using asynchronous
// verification), the hub MUST respond with a 202 "Accepted" code."
TEST_F(PubSubHubbub03, Section6_1TheHubVerifiesAsynchronously) {
  publish(1);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async&hub.verify=sync"), 202);
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=carrier-pigeon&hub.verify=async", "cb2"), 202);
  EXPECT_TRUE(is_verified(subscriber, 2));
}

// 6.1.2: "In synchronous mode, the verification MUST be completed before the hub returns a response." It is the one
// thing of 0.3 that this hub does not do: the answer would tell whoever asks what a callback of somebody else said, and
// how fast, and would hold its connection for as long; WebSub 5.1.2 therefore has 202 alone. A subscriber that asks for
// it finds out that it is not done by the 202, and is verified all the same.
TEST_F(PubSubHubbub03, Section6_1_2SynchronousVerificationIsAnsweredAsAsynchronous) {
  publish(1);
  Gate gate;
  Subscriber subscriber(nullptr, [&] { gate.wait(); });
  const GateOpener opener{gate};
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=sync"), 202) << "before the callback has said";
  gate.open();
  EXPECT_TRUE(is_verified(subscriber));
  EXPECT_EQ(number_of("select count(*) from subscriptions"), 1);
}

// 6.1.1: "The topic and callback URLs MUST NOT contain an anchor fragment."
TEST_F(PubSubHubbub03, Section6_1_1UrlsHaveNoFragment) {
  publish(1);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic() + "#x", "&hub.verify=async"), 403);
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async", "cb#x"), 400);
}

// 6.1.1: "Existing parameters with names that overlap with those used by verification requests will not be overwritten;
// Hubs MUST only append verification parameters to the existing list, if any."
TEST_F(PubSubHubbub03, Section6_1_1ParametersOfTheCallbackAreNotOverwritten) {
  publish(1);
  Subscriber subscriber;
  EXPECT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async", "cb?hub.mode=mine&a=b"), 202);
  ASSERT_TRUE(subscriber.sink().wait_for(1));
  EXPECT_EQ(subscriber.verifications().at(0).target.find("/cb?hub.mode=mine&a=b&hub.mode=subscribe&hub.topic="), 0U);
}

// 6.1: "hub.verify_token: OPTIONAL. A subscriber-provided opaque token that will be echoed back in the verification
// request ... If this is not included, no token will be included in the verification request." 6.2: the parameters.
TEST_F(PubSubHubbub03, Section6_2TheTokenIsEchoed) {
  publish(1);
  Subscriber subscriber;
  const std::string token = "a b&c=\xc3\xa4";
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(),
                           "&hub.verify=async&hub.lease_seconds=600&hub.verify_token=" + percent_encode(token)),
            202);
  ASSERT_TRUE(is_verified(subscriber));
  std::map<std::string, std::string> asked = parameters_of(subscriber.verifications().at(0));
  EXPECT_EQ(asked["hub.mode"], "subscribe");
  EXPECT_EQ(asked["hub.topic"], topic());
  EXPECT_EQ(asked["hub.lease_seconds"], "600");
  EXPECT_EQ(asked["hub.verify_token"], token);
  EXPECT_GE(asked["hub.challenge"].size(), 22U);
  ASSERT_EQ(subscriber.ask(server_, "unsubscribe", topic(), "&hub.verify=async&hub.verify_token=other"), 202);
  ASSERT_TRUE(is_verified(subscriber, 2));
  asked = parameters_of(subscriber.verifications().at(1));
  EXPECT_EQ(asked["hub.mode"], "unsubscribe");
  EXPECT_EQ(asked["hub.verify_token"], "other");
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async"), 202);
  ASSERT_TRUE(is_verified(subscriber, 3));
  EXPECT_FALSE(parameters_of(subscriber.verifications().at(2)).contains("hub.verify_token"));
}

// 6.2.1: "For asynchronous verification, the hub MUST consider other server response codes (3xx, 4xx, and 5xx) to mean
// that the subscription action was temporarily not verified. If the subscriber returns an HTTP success (2xx) but the
// content body does not match the hub.challenge parameter, the hub MUST consider this to be a temporary failure and
// retry."
TEST_F(PubSubHubbub03, Section6_2_1VerificationIsTriedAgain) {
  publish(1);
  Sink fails(answering({{.status = 500}, {.status = 200}}));
  Sink stammers(answering({{.status = 200, .body = "what?"}, {.status = 200}}));
  ASSERT_EQ(ask(fails, "&hub.verify=async"), 202);
  ASSERT_EQ(ask(stammers, "&hub.verify=async"), 202);
  EXPECT_TRUE(fails.wait_until([&] { return number_of("select count(*) from subscriptions") == 2; }));
}

// 6.2.1: "If the subscriber does not agree with the action, the subscriber MUST respond with a 404 "Not Found"
// response." "until a definite acknowledgement (positive or negative) is received": that is one.
TEST_F(PubSubHubbub03, Section6_2_1NotFoundIsANo) {
  publish(1);
  Sink refuses(answering({{.status = 404}}));
  ASSERT_EQ(ask(refuses, "&hub.verify=async"), 202);
  ASSERT_TRUE(refuses.wait_for(1));
  EXPECT_TRUE(refuses.wait_until([&] { return number_of("select count(*) from hub_requests") == 0; }));
  EXPECT_EQ(number_of("select count(*) from subscriptions"), 0);
}

// 6.3: "Before a subscription expires (i.e., before hub.lease_seconds elapses), Hubs MUST recheck with subscribers to
// see if a continued subscription is desired. Hubs do this by sending the subscriber a verification request with
// hub.mode equal to subscribe. This request MUST match the original verification request sent to the subscriber (but
// with a new hub.challenge)."
TEST_F(PubSubHubbub03, Section6_3TheHubRenewsTheSubscription) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(
      subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async&hub.lease_seconds=20&hub.verify_token=tok"),
      202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.verifications().size() >= 2; }));
  const std::map<std::string, std::string> first = parameters_of(subscriber.verifications().at(0));
  std::map<std::string, std::string> renewal = parameters_of(subscriber.verifications().at(1));
  EXPECT_NE(renewal.at("hub.challenge"), first.at("hub.challenge"));
  renewal.at("hub.challenge") = first.at("hub.challenge");
  EXPECT_EQ(renewal, first);
  publish(2);
  EXPECT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{2}; }));
}

// 6.3: "this refresh request MUST behave like an initial subscription request; this means that if an auto-refresh
// response from the subscriber constantly returns an error, the hub MUST give up on the subscription verification
// action altogether and remove the subscription."
TEST_F(PubSubHubbub03, Section6_3WhoeverDoesNotConfirmARenewalIsRemoved) {
  publish(1);
  Sink leaves(answering({{.status = 200}, {.status = 404}}));
  ASSERT_EQ(ask(leaves, "&hub.verify=async&hub.lease_seconds=16"), 202);
  ASSERT_TRUE(leaves.wait_until([&] { return number_of("select count(*) from subscriptions") == 1; }));
  EXPECT_TRUE(leaves.wait_until([&] { return number_of("select count(*) from subscriptions") == 0; }));
  EXPECT_EQ(leaves.requests().size(), 2U);
}

// 6.1: "hub.lease_seconds: OPTIONAL ... If not present or an empty value, the subscription will be permanent (or active
// until automatic refreshing removes the subscription)." 6.3: "In the case of permanent subscriptions ... the
// hub.lease_seconds value supplied by the hub in the verification request to the subscriber SHOULD represent how many
// seconds until the hub expects it will next initiate automatic subscription refreshing" (three quarters of it).
TEST_F(PubSubHubbub03, Section6_3APermanentSubscriptionIsOneThatIsRenewed) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async&hub.lease_seconds="), 202);
  ASSERT_TRUE(is_verified(subscriber));
  EXPECT_EQ(parameters_of(subscriber.verifications().at(0)).at("hub.lease_seconds"), "864000");
  EXPECT_EQ(number_of("select count(*) from subscriptions where renews"), 1);
}

// 7.1: "hub.url: REQUIRED. The topic URL of the topic that has been updated. This field may be repeated to indicate
// multiple topics that have been updated." "If the notification was acceptable, the hub MUST return a 204 No Content
// response. If the notification is not acceptable for some reason, the hub MUST return an appropriate HTTP error
// response code (4xx and 5xx). Hubs MUST return a 204 No Content response even when they do not have any subscribers
// for all of the specified topic URLs."
TEST_F(PubSubHubbub03, Section7_1PublishersPing) {
  publish(1);
  client_.post("/demo/other", entry(1), kEntryType);
  const std::string one = "&hub.url=" + percent_encode(topic());
  const std::string two = one + "&hub.url=" + percent_encode(server_.url() + "/demo/other");
  for (const std::string& urls : {one, two}) {
    const Reply reply = client_.post("/hub", "hub.mode=publish" + urls, kForm);
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(reply.body, "");
  }
  EXPECT_EQ(client_.post("/hub", "hub.mode=publish", kForm).status, 400);
  EXPECT_EQ(client_.post("/hub", "hub.mode=publish" + one + "&hub.url=http%3A%2F%2Felsewhere.example%2F", kForm).status,
            403);
  EXPECT_EQ(client_.post("/hub", "hub.mode=publish" + one, "Content-Type: text/plain\r\n").status, 415);
}

// 7.3: "This request MUST have a Content-Type of application/atom+xml when the request body is an Atom [RFC4287] feed
// document, or a Content-Type of application/rss+xml when the request body is an RSS [RSS20] feed document." "the
// atom:id element MUST be reproduced exactly. The other atom:updated and atom:title elements required by the Atom
// specification SHOULD be present." "For event notification, the callback URL will be POSTed to including any
// query-string parameters in the URL portion of the request" (6.1.1).
TEST_F(PubSubHubbub03, Section7_3WhatIsNewComesInTheFormOfTheTopic) {
  publish(1);
  Subscriber atom, rss;
  ASSERT_EQ(atom.ask(server_, "subscribe", topic(), "&hub.verify=async", "cb?a=b"), 202);
  ASSERT_EQ(rss.ask(server_, "subscribe", topic() + "?format=rss", "&hub.verify=async"), 202);
  ASSERT_TRUE(is_verified(atom) && is_verified(rss));
  const pugi::xml_document original = parsed(client_.get("/demo/events").body);
  publish(2);
  ASSERT_TRUE(atom.wait_until([&] { return !atom.deliveries().empty() && !rss.deliveries().empty(); }));
  const SinkRequest pushed = atom.deliveries().at(0);
  EXPECT_EQ(pushed.target, "/cb?a=b");
  EXPECT_EQ(pushed.header("Content-Type").value_or("").find("application/atom+xml"), 0U);
  EXPECT_EQ(rss.deliveries().at(0).header("Content-Type").value_or("").find("application/rss+xml"), 0U);
  const pugi::xml_document document = parsed(pushed.body);
  const pugi::xml_node feed = document.child("feed");
  EXPECT_STREQ(feed.child_value("id"), original.child("feed").child_value("id"));
  EXPECT_STREQ(feed.child_value("title"), original.child("feed").child_value("title"));
  EXPECT_STRNE(feed.child_value("updated"), "");
  EXPECT_STREQ(feed.child("entry").child_value("id"), "urn:x:2");
  EXPECT_FALSE(feed.child("entry").next_sibling("entry")) << "with old content removed";
}

// 7.3: "The successful response from the subscriber's callback URL MUST be an HTTP success (2xx) code. The hub MUST
// consider all other subscriber response codes as failures". "Hubs SHOULD retry notifications repeatedly until
// successful". "The response body from the subscriber MUST be ignored by the hub."
TEST_F(PubSubHubbub03, Section7_3WhatFailsIsSentAgain) {
  publish(1);
  std::atomic<int> posts{0};
  Subscriber subscriber([&](const SinkRequest&) {
    return ++posts == 1 ? SinkReply{.status = 500} : SinkReply{.status = 299, .body = "<what/>"};
  });
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic(), "&hub.verify=async"), 202);
  ASSERT_TRUE(is_verified(subscriber));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return posts == 2; }));
  publish(3);
  ASSERT_TRUE(subscriber.wait_until([&] { return posts == 3; }));
  EXPECT_EQ(subscriber.positions(), (std::vector<int>{2, 2, 3}));
}

// 7.4: "The X-Hub-Signature header's value MUST be in the form sha1=signature where signature is a 40-byte, hexadecimal
// representation of a SHA1 signature [RFC3174]. The signature MUST be computed using the HMAC algorithm [RFC2104] with
// the request body as the data and the hub.secret as the key." Whoever says hub.verify speaks 0.3, and knows no other;
// WebSub has the hub choose, and Standard Webhooks' signature, which is made with SHA-256, comes beside it.
TEST_F(PubSubHubbub03, Section7_4SignaturesAreMadeWithSha1) {
  publish(1);
  Subscriber old, current;
  ASSERT_EQ(old.ask(server_, "subscribe", topic(), "&hub.secret=k&hub.verify=async"), 202);
  ASSERT_EQ(current.ask(server_, "subscribe", topic(), "&hub.secret=k"), 202);
  ASSERT_TRUE(is_verified(old) && is_verified(current));
  publish(2);
  ASSERT_TRUE(old.wait_until([&] { return !old.deliveries().empty() && !current.deliveries().empty(); }));
  const SinkRequest pushed = old.deliveries().at(0);
  const std::string signature = to_hex(hmac(HmacAlgorithm::kSha1, "k", pushed.body));
  EXPECT_EQ(signature.size(), 40U);
  EXPECT_EQ(pushed.header("X-Hub-Signature"), "sha1=" + signature);
  EXPECT_EQ(pushed.header("webhook-signature").value_or("").find("v1,"), 0U);
  EXPECT_EQ(current.deliveries().at(0).header("X-Hub-Signature").value_or("").find("sha256="), 0U);
}

}  // namespace
}  // namespace courant::test::pubsubhubbub03_test
