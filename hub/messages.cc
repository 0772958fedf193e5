#include "hub/messages.h"

#include "kernel/trace_context.h"
#include "kernel/uri.h"

namespace courant::hub {
namespace {

void append_parameter(std::string& url, std::string_view name, std::string_view value) {
  url += url.find('?') == std::string::npos ? '?' : '&';
  url.append(name).append("=").append(percent_encode(value));
}

// The same range of the same log for the same subscription has the same id: a receiver that has seen an id has seen all
// of it. Each test has its own. A generation may give positions again, and numbers of tests: from the second one on it
// stands in the id.
std::string webhook_id(const Delivery& delivery) {
  const PushDocument& document = *delivery.document;
  std::string id = "msg_" + std::to_string(delivery.subscription);
  if (delivery.test > 0) {
    id += "_test_" + std::to_string(delivery.test);
  } else {
    id += "_" + std::to_string(delivery.previous) + "_" + std::to_string(document.to);
  }
  if (document.generation > 1) id += "_g" + std::to_string(document.generation);
  return id;
}

// The document that all subscribers share says where it begins; to a subscriber it says what that one was told last.
http::Bytes body_of(const Delivery& delivery) {
  const PushDocument& document = *delivery.document;
  if (delivery.previous == document.from || document.previous_at == std::string::npos) return document.body;
  std::string body = *document.body;
  body.replace(document.previous_at, std::to_string(document.from).size(), std::to_string(delivery.previous));
  return std::make_shared<const std::string>(std::move(body));
}

// Standard Webhooks writes the bytes of a secret as "whsec_<base64>"; WebSub knows texts of any kind.
std::string webhook_key(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (!secret.starts_with(kPrefix)) return std::string(secret);
  const std::optional<std::string> key = from_base64(secret.substr(kPrefix.size()));
  return key && !key->empty() ? *key : std::string(secret);
}

}  // namespace

http::ClientRequest verification_request(const Verification& verification, std::chrono::milliseconds deadline) {
  http::ClientRequest request;
  request.deadline = deadline;
  request.url = verification.callback;
  append_parameter(request.url, "hub.mode", verification.is_subscribe ? "subscribe" : "unsubscribe");
  append_parameter(request.url, "hub.topic", verification.topic);
  append_parameter(request.url, "hub.challenge", verification.challenge);
  if (verification.is_subscribe) {
    append_parameter(request.url, "hub.lease_seconds", std::to_string(verification.lease.count()));
  }
  if (verification.verify_token) append_parameter(request.url, "hub.verify_token", *verification.verify_token);
  request.headers = {{"Feed-Position", std::to_string(verification.position)}};
  if (!verification.page_url.empty()) request.headers.emplace_back("Subscription-Page", verification.page_url);
  request.max_body = verification.challenge.size() + 1;
  return request;
}

bool confirms(const http::ClientReply& reply, std::string_view challenge) {
  return reply.outcome == http::ClientReply::Outcome::kAnswered && reply.status / 100 == 2 && reply.body == challenge;
}

http::ClientRequest denial_request(const std::string& callback, std::string_view topic, std::string_view reason,
                                   std::chrono::milliseconds deadline) {
  http::ClientRequest request;
  request.deadline = deadline;
  request.url = callback;
  append_parameter(request.url, "hub.mode", "denied");
  append_parameter(request.url, "hub.topic", topic);
  append_parameter(request.url, "hub.reason", reason);
  return request;
}

std::string webhook_signature(std::string_view secret, std::string_view id, std::string_view timestamp,
                              std::string_view body) {
  std::string begin;
  begin.reserve(id.size() + timestamp.size() + 2);
  begin.append(id).append(".").append(timestamp).append(".");
  return "v1," + to_base64(hmac(HmacAlgorithm::kSha256, webhook_key(secret), begin, body));
}

http::ClientRequest delivery_request(const Delivery& delivery, HmacAlgorithm algorithm, Instant now,
                                     std::chrono::milliseconds deadline) {
  const PushDocument& document = *delivery.document;
  http::ClientRequest request;
  request.method = "POST";
  request.url = delivery.callback;
  request.deadline = deadline;
  request.body = body_of(delivery);
  const std::string id = webhook_id(delivery);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string timestamp = std::to_string(seconds);
  std::string link;
  link.reserve(document.self.size() + delivery.hub_url.size() + 32);
  link.append("<").append(document.self).append(">; rel=\"self\", <").append(delivery.hub_url).append(">; rel=\"hub\"");
  auto& headers = request.headers;
  headers.reserve(10);
  headers.emplace_back("Content-Type", document.content_type);
  headers.emplace_back("Link", std::move(link));
  headers.emplace_back("Feed-Position", std::to_string(document.to));
  headers.emplace_back("Feed-Position-Previous", std::to_string(delivery.previous));
  headers.emplace_back("webhook-id", id);
  headers.emplace_back("webhook-timestamp", timestamp);
  if (const std::optional<TraceContext> trace = trace_from_text(document.trace)) {
    TraceContext of_delivery = continued(*trace);
    headers.emplace_back("traceparent", std::move(of_delivery.parent));
    if (!of_delivery.state.empty()) headers.emplace_back("tracestate", std::move(of_delivery.state));
  }
  if (delivery.secret) {
    const std::string& body = *request.body;
    const std::string_view known = delivery.old_secret ? *delivery.old_secret : *delivery.secret;
    std::string signatures = webhook_signature(*delivery.secret, id, timestamp, body);
    if (delivery.old_secret) signatures += " " + webhook_signature(*delivery.old_secret, id, timestamp, body);
    headers.emplace_back("X-Hub-Signature",
                         std::string(name_of(algorithm)) + "=" + to_hex(hmac(algorithm, known, body)));
    headers.emplace_back("webhook-signature", std::move(signatures));
  }
  return request;
}

}  // namespace courant::hub
