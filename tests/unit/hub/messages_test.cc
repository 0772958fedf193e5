#include "hub/messages.h"

#include <vector>

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

constexpr Instant kSignedAt{std::chrono::days(20'000)};

Delivery delivery(std::int64_t previous) {
  Delivery delivery;
  delivery.subscription = 9;
  delivery.callback = "https://x.example/cb";
  delivery.hub_url = "https://here.example/hub";
  delivery.secret = "shh";
  delivery.previous = previous;
  delivery.document = std::make_shared<const PushDocument>(
      PushDocument{std::make_shared<const std::string>("<range previous='120' position='150'/>"),
                   "application/atom+xml", "https://here.example/demo/events", 120, 150, 30, 17});
  return delivery;
}

// The same with another document.
template <class Change>
Delivery with(Delivery delivery, Change change) {
  PushDocument document = *delivery.document;
  change(document);
  delivery.document = std::make_shared<const PushDocument>(std::move(document));
  return delivery;
}

http::ClientRequest request_of(const Delivery& delivery, Instant now = kSignedAt) {
  return delivery_request(delivery, HmacAlgorithm::kSha256, now, 1s);
}

std::string header(const http::ClientRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "none";
}

TEST(DeliveryRequest, TheDocumentIsSharedByAllWhoWereToldWhereItBegins) {
  const Delivery given = delivery(120);
  EXPECT_EQ(request_of(given).body, given.document->body) << "not a copy";
}

TEST(DeliveryRequest, WhoWasToldAnotherPositionIsToldThatOneInside) {
  const http::ClientRequest request = request_of(delivery(7));
  EXPECT_EQ(*request.body, "<range previous='7' position='150'/>");
  EXPECT_EQ(header(request, "Feed-Position-Previous"), "7");
  EXPECT_EQ(header(request, "Feed-Position"), "150");
  EXPECT_EQ(header(request, "X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "shh", *request.body)))
      << "what is sent is what is signed";
  EXPECT_EQ(header(request, "webhook-signature"),
            webhook_signature("shh", "msg_9_7_150", header(request, "webhook-timestamp"), *request.body));
}

TEST(DeliveryRequest, GoesOnWithTheTraceOfWhatItHolds) {
  Delivery given = delivery(120);
  EXPECT_EQ(header(request_of(given), "traceparent"), "none");
  given = with(given, [](PushDocument& document) {
    document.trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 rojo=1";
  });
  const http::ClientRequest first = request_of(given);
  const std::string parent = header(first, "traceparent");
  EXPECT_TRUE(parent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && parent.ends_with("-01")) << parent;
  EXPECT_EQ(header(first, "tracestate"), "rojo=1");
  EXPECT_NE(parent, header(request_of(given), "traceparent")) << "each attempt is a span of its own";
  EXPECT_EQ(header(first, "webhook-id"), header(request_of(given), "webhook-id"));
}

TEST(DeliveryRequest, ADocumentThatSaysNoPositionIsSentAsItIs) {
  const Delivery given = with(delivery(7), [](PushDocument& document) { document.previous_at = std::string::npos; });
  EXPECT_EQ(request_of(given).body, given.document->body);
}

TEST(DeliveryRequest, TheIdIsThatOfSubscriptionAndRange) {
  const std::string id = header(request_of(delivery(7)), "webhook-id");
  EXPECT_EQ(id, "msg_9_7_150");
  EXPECT_EQ(header(request_of(delivery(7), kSignedAt + 1h), "webhook-id"), id) << "whenever it is tried again";
  EXPECT_EQ(header(request_of(delivery(7), kSignedAt + 1h), "webhook-timestamp"), "1728003600");
  EXPECT_NE(header(request_of(delivery(8)), "webhook-id"), id);
  Delivery others = delivery(7);
  others.subscription = 10;
  EXPECT_NE(header(request_of(others), "webhook-id"), id);
  const Delivery longer = with(delivery(7), [](PushDocument& document) { document.to = 151; });
  EXPECT_NE(header(request_of(longer), "webhook-id"), id);
}

// Positions of a lost tail are given again, to other entries: a receiver that drops ids that it has seen must not drop
// those. docs/OPERATIONS.md, "After a restore or a failover with loss".
TEST(DeliveryRequest, FromTheSecondGenerationOnTheIdNamesIt) {
  const auto of_generation = [](std::int64_t generation) {
    return with(delivery(7), [generation](PushDocument& document) { document.generation = generation; });
  };
  EXPECT_EQ(header(request_of(of_generation(1)), "webhook-id"), "msg_9_7_150");
  const http::ClientRequest request = request_of(of_generation(2));
  EXPECT_EQ(header(request, "webhook-id"), "msg_9_7_150_g2");
  EXPECT_EQ(header(request, "webhook-signature"),
            webhook_signature("shh", "msg_9_7_150_g2", header(request, "webhook-timestamp"), *request.body));
  EXPECT_EQ(header(request_of(of_generation(12)), "webhook-id"), "msg_9_7_150_g12");
  Delivery test = of_generation(2);
  test.test = 7;
  EXPECT_EQ(header(request_of(test), "webhook-id"), "msg_9_test_7_g2") << "numbers of tests are given again, too";
}

TEST(DeliveryRequest, WithoutASecretNothingIsSigned) {
  Delivery given = delivery(120);
  given.secret.reset();
  EXPECT_EQ(header(request_of(given), "X-Hub-Signature"), "none");
  EXPECT_EQ(header(request_of(given), "webhook-signature"), "none");
  EXPECT_EQ(header(request_of(given), "webhook-id"), "msg_9_120_150");
}

// The example that the standard's own libraries are tested with.
TEST(WebhookSignature, IsThatOfStandardWebhooks) {
  EXPECT_EQ(webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                              "{\"test\": 2432232314}"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, OtherSecretsAreTheirOwnBytes) {
  for (const std::string& secret : std::vector<std::string>{"shh", "whsec_", "whsec_not base64", "whsec_MfK"}) {
    EXPECT_EQ(webhook_signature(secret, "a", "1", "b"),
              "v1," + to_base64(hmac(HmacAlgorithm::kSha256, secret, "a.1.b")))
        << secret;
  }
}

// In X-Hub-Signature a secret is what the subscriber sent, whatever it looks like (WebSub, 7.1).
TEST(DeliveryRequest, WebSubKnowsNoForm) {
  Delivery given = delivery(120);
  given.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const http::ClientRequest request = request_of(given);
  EXPECT_EQ(header(request, "X-Hub-Signature"),
            "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, *given.secret, *request.body)));
}

TEST(VerificationRequest, SaysFromWhereTheSubscriptionDelivers) {
  Verification verification;
  verification.callback = "https://x.example/cb";
  verification.position = 42;
  EXPECT_EQ(header(verification_request(verification, 1s), "Feed-Position"), "42");
}

TEST(DeliveryRequest, WhileSecretsOverlapBothSign) {
  Delivery given = delivery(120);
  given.old_secret = "old";
  const http::ClientRequest request = request_of(given);
  const std::string time = header(request, "webhook-timestamp");
  EXPECT_EQ(header(request, "webhook-signature"), webhook_signature("shh", "msg_9_120_150", time, *request.body) + " " +
                                                      webhook_signature("old", "msg_9_120_150", time, *request.body));
  EXPECT_EQ(header(request, "X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "old", *request.body)))
      << "whoever checks this one knows the old one until the time is over";
}

TEST(DeliveryRequest, EachTestHasAnIdOfItsOwn) {
  Delivery given = delivery(120);
  given.test = 7;
  EXPECT_EQ(header(request_of(given), "webhook-id"), "msg_9_test_7");
}

TEST(VerificationRequest, OnlyOfASubscriptionThePageIsTold) {
  Verification verification;
  verification.callback = "https://x.example/cb";
  EXPECT_EQ(header(verification_request(verification, 1s), "Subscription-Page"), "none");
  verification.page_url = "https://here.example/hub/s/token";
  EXPECT_EQ(header(verification_request(verification, 1s), "Subscription-Page"), "https://here.example/hub/s/token");
}

}  // namespace
}  // namespace courant::hub
