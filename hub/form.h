// What a subscriber or publisher sends to the hub: a form, judged field by field.
// Specification: WebSub (W3C Recommendation 2018) sections 5.1 and 7, PubSubHubbub 0.4 and 0.3 section 6.
// Threads: pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/uri.h"

namespace courant::hub {

struct SubscriberRequest {
  bool is_subscribe = true;  // false: unsubscribe
  std::string topic;         // as sent
  std::string callback;      // as sent: an absolute http(s) URL without fragment
  Uri callback_parts;
  std::optional<std::chrono::seconds> lease;  // as asked for
  std::optional<std::string> secret;
  std::optional<std::string> verify_token;  // PubSubHubbub 0.3
  bool is_old_style = false;                // hub.verify was given: the hub renews the subscription itself
};

struct PublisherRequest {
  std::vector<std::string> topics;  // at least one
};

struct HubRequest {
  std::optional<SubscriberRequest> subscriber;
  std::optional<PublisherRequest> publisher;
};

// Throws Problem 400 that names the field and the rule. allow_http: whether callbacks without TLS are taken.
HubRequest parse_form(std::string_view body, bool allow_http);

// Whether a body asks for a subscription, as far as its hub.mode says.
bool asks_to_subscribe(std::string_view body);

// Throws Problem 400 where a secret is too long (name: of its field), or would be of no use to such a callback.
void require_secret(std::string_view name, const std::string& secret, const Uri& callback);

}  // namespace courant::hub
