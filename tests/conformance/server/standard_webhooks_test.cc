// Standard Webhooks 1.0.0: what a sender ("producer") must do.
#include <atomic>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "tests/conformance/server/fixture.h"
#include "tests/support/subscriber.h"
#include "tests/support/wait_until.h"

namespace courant::test::standard_webhooks_test {
namespace {

class StandardWebhooks : public Conformance {
 protected:
  // Subscribes with a secret, publishes, and gives the deliveries once there are as many.
  std::vector<SinkRequest> deliveries(Subscriber& subscriber, const std::string& secret, std::size_t count = 1) {
    EXPECT_EQ(publish(1).status, 201);
    EXPECT_EQ(subscriber.ask(server_, "subscribe", server_.url() + "/demo/events", "&hub.secret=" + secret), 202);
    sql::Session session(database_.url());
    EXPECT_TRUE(subscriber.wait_until([&] {
      return session.run(sql::Query{"made", "select count(*) from subscriptions"})[0].integer(0) == 1;
    }));
    EXPECT_EQ(publish(2).status, 201);
    EXPECT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() >= count; }));
    return subscriber.deliveries();
  }
  static std::string signature(const SinkRequest& delivery, const std::string& key) {
    const std::string text =
        *delivery.header("webhook-id") + "." + *delivery.header("webhook-timestamp") + "." + delivery.body;
    return "v1," + to_base64(hmac(HmacAlgorithm::kSha256, key, text));
  }
};

// Webhook headers: "All of the headers should be prefixed with `webhook-` and follow the exact naming as below":
// "`webhook-id`: the unique webhook identifier", "`webhook-timestamp`: integer unix timestamp (seconds since epoch)",
// "`webhook-signature`: the signature(s) of this webhook".
TEST_F(StandardWebhooks, TheThreeHeadersAreSent) {
  Subscriber subscriber;
  const SinkRequest delivery = deliveries(subscriber, "shh").at(0);
  EXPECT_TRUE(delivery.header("webhook-id"));
  EXPECT_TRUE(delivery.header("webhook-signature"));
  const auto timestamp = parse_unsigned(delivery.header("webhook-timestamp").value_or(""));
  ASSERT_TRUE(timestamp);
  const Instant sent{std::chrono::seconds(*timestamp)};
  const Instant now = SystemClock().now();
  EXPECT_LE(sent, now);
  EXPECT_GT(sent, now - std::chrono::hours(1));
}

// Signature scheme: "The content to be signed is therefore: `{msg_id}.{timestamp}.{payload}`"; "a symmetric signature
// will be v1, followed by a comma (`,`), followed by the base64 encoded signature". "It's important that both the
// message id and the timestamp not be user controlled, or at the very least not be allowed to include any `.`".
TEST_F(StandardWebhooks, IdTimestampAndBodyAreSigned) {
  Subscriber subscriber;
  const SinkRequest delivery = deliveries(subscriber, "shh").at(0);
  EXPECT_EQ(delivery.header("webhook-signature"), signature(delivery, "shh"));
  EXPECT_EQ(delivery.header("webhook-id")->find('.'), std::string::npos);
  EXPECT_EQ(delivery.header("webhook-timestamp")->find('.'), std::string::npos);
}

// Signature scheme: "Secret serialization: base64 encoded, prefixed with `whsec_` for easy identification". "Adding
// additional headers without removing the existing ones will prevent any disruption to existing service. You can even
// reuse existing webhook signing secrets between the legacy scheme and Standard Webhooks": X-Hub-Signature is made with
// hub.secret as it was sent (WebSub, 7.1).
TEST_F(StandardWebhooks, ASecretMayBeSerialized) {
  Subscriber subscriber;
  const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const SinkRequest delivery = deliveries(subscriber, secret).at(0);
  EXPECT_EQ(delivery.header("webhook-signature"), signature(delivery, *from_base64(secret.substr(6))));
  EXPECT_EQ(delivery.header("X-Hub-Signature"),
            "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, secret, delivery.body)));
}

// Webhook metadata: "The unique identifier is a unique identifier associated with a specific event triggered, and it
// remains the same no matter how many times a webhook that has failed is retried." "Every time an attempt is retried
// the timestamp of the attempt is updated" (and so the signature).
TEST_F(StandardWebhooks, ARetryHasTheSameId) {
  std::atomic<int> posts{0};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = ++posts < 3 ? 500 : 204}; });
  const std::vector<SinkRequest> tried = deliveries(subscriber, "shh", 3);
  for (const SinkRequest& delivery : tried) {
    EXPECT_EQ(delivery.header("webhook-id"), tried[0].header("webhook-id"));
    EXPECT_EQ(delivery.header("webhook-signature"), signature(delivery, "shh"));
  }
  EXPECT_EQ(publish(3).status, 201);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 4; }));
  EXPECT_NE(subscriber.deliveries()[3].header("webhook-id"), tried[0].header("webhook-id"));
}

// Delivery success and failure: "A webhook delivery is considered successful if it was responded to with a `2xx` status
// code (status codes 200-299), and it is considered a failure in any other scenario."
TEST_F(StandardWebhooks, Any2xxIsSuccess) {
  Subscriber subscriber([](const SinkRequest&) { return SinkReply{.status = 299}; });
  deliveries(subscriber, "shh");
  EXPECT_EQ(publish(3).status, 201);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  EXPECT_EQ(subscriber.positions(), (std::vector<int>{2, 3}));
}

// Webhook headers: "The signature header is a space delimited list of signatures associated with this webhook. The
// reason it is a list, and not just one signature is to support zero downtime secret rotation." "To achieve this, the
// webhook is signed both using the current key, and using an old key (for a set period of time), and both signatures
// are sent, space delimited, in the `webhook-signature` header."
TEST_F(StandardWebhooks, WhileASecretIsRotatedBothSign) {
  Subscriber subscriber;
  deliveries(subscriber, "old");
  const std::string url = subscriber.verifications().at(0).header("Subscription-Page").value_or("");
  ASSERT_TRUE(url.starts_with(server_.url()));
  const std::string page = url.substr(server_.url().size());
  HttpClient client(server_.port());
  EXPECT_EQ(client.post(page, "action=secret&secret=new", "Content-Type: application/x-www-form-urlencoded\r\n").status,
            200);
  ASSERT_TRUE(wait_until([&] { return client.get(page).body.find("\"waiting\": []") != std::string::npos; }));
  EXPECT_EQ(publish(3).status, 201);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  const SinkRequest delivery = subscriber.deliveries()[1];
  EXPECT_EQ(delivery.header("webhook-signature"), signature(delivery, "new") + " " + signature(delivery, "old"));
}

}  // namespace
}  // namespace courant::test::standard_webhooks_test
