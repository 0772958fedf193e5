// The requests that the hub sends: verifications and deliveries, composed and signed.
// Specification: WebSub sections 5.3 and 7.1, PubSubHubbub 0.4 section 7 and 8, Standard Webhooks 1.0.
// Threads: pure functions.
#pragma once

#include <chrono>
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
};
http::ClientRequest verification_request(const Verification& verification, std::chrono::milliseconds deadline);

// Whether the answer confirms it: 2xx with the challenge and nothing else.
bool confirms(const http::ClientReply& reply, std::string_view challenge);

struct Delivery {
  std::int64_t subscription = 0;
  std::string callback;
  std::string hub_url;
  std::optional<std::string> secret;
  PushDocument document;
};
http::ClientRequest delivery_request(const Delivery& delivery, HmacAlgorithm algorithm, Instant now,
                                     std::chrono::milliseconds deadline);

}  // namespace courant::hub
