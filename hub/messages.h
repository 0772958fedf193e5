// The requests that the hub sends: verifications and deliveries, composed and signed.
// Specification: WebSub sections 5.3 and 7.1, PubSubHubbub 0.4 section 7 and 8, Standard Webhooks 1.0.
// Threads: pure functions.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/client.h"
#include "hub/seam.h"
#include "kernel/digest.h"
#include "kernel/time.h"

namespace courant::hub {

// What a callback is asked, to learn whether its owner wants the subscription.
struct Verification {
  bool is_subscribe = true;
  std::string topic;  // as the subscriber wrote it
  std::string callback;
  std::string challenge;
  std::chrono::seconds lease{0};
  std::optional<std::string> verify_token;
  std::int64_t position = 0;  // from which the subscription will deliver
  std::string page_url = {};  // of the subscription's page (hub/self_service.h); empty: it will have none
};
http::ClientRequest verification_request(const Verification& verification, std::chrono::milliseconds deadline);

// Whether the answer confirms it: 2xx with the challenge and nothing else.
bool confirms(const http::ClientReply& reply, std::string_view challenge);

// What a callback is told whose subscription cannot be (WebSub section 5.2). topic: as the subscriber wrote it.
http::ClientRequest denial_request(const std::string& callback, std::string_view topic, std::string_view reason,
                                   std::chrono::milliseconds deadline);

// Its texts live where the subscription does.
struct Delivery {
  std::int64_t subscription = 0;
  std::string_view callback;
  std::string_view hub_url;
  std::optional<std::string_view> secret;
  std::int64_t previous = 0;  // the position that the subscriber was told last
  // May begin later than that, where what lies between had not to be delivered.
  std::shared_ptr<const PushDocument> document;
  // The secret of before, where it signs, too: see delivery_request.
  std::optional<std::string_view> old_secret = {};
  std::int64_t test = 0;  // the number of a test, whose document holds nothing; 0: no test
};
// While two secrets sign, webhook-signature has both signatures, which Standard Webhooks foresees, and X-Hub-Signature,
// which can hold one, that of the old one: whoever checks it knows that one until the time is over.
// It goes on with the document's trace, each attempt under a parent-id of its own (W3C Trace Context section 3.4).
http::ClientRequest delivery_request(const Delivery& delivery, HmacAlgorithm algorithm, Instant now,
                                     std::chrono::milliseconds deadline);

// The value of webhook-signature. A secret of the form "whsec_<base64>" stands for the bytes that it encodes.
std::string webhook_signature(std::string_view secret, std::string_view id, std::string_view timestamp,
                              std::string_view body);

}  // namespace courant::hub
