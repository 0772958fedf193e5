#include "hub/messages.h"

#include "kernel/uri.h"

namespace courant::hub {
namespace {

void append_parameter(std::string& url, std::string_view name, std::string_view value) {
  url += url.find('?') == std::string::npos ? '?' : '&';
  url.append(name).append("=").append(percent_encode(value));
}

// The same range for the same subscription has the same id: a receiver that has seen an id has seen all of it.
std::string webhook_id(const Delivery& delivery) {
  return "msg_" + std::to_string(delivery.subscription) + "_" + std::to_string(delivery.document.from) + "_" +
         std::to_string(delivery.document.to);
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
  request.max_body = verification.challenge.size() + 1;
  return request;
}

bool confirms(const http::ClientReply& reply, std::string_view challenge) {
  return reply.outcome == http::ClientReply::Outcome::kAnswered && reply.status / 100 == 2 && reply.body == challenge;
}

http::ClientRequest delivery_request(const Delivery& delivery, HmacAlgorithm algorithm, Instant now,
                                     std::chrono::milliseconds deadline) {
  const PushDocument& document = delivery.document;
  http::ClientRequest request;
  request.method = "POST";
  request.url = delivery.callback;
  request.deadline = deadline;
  request.body = document.body;
  request.headers = {{"Content-Type", document.content_type},
                     {"Link", "<" + document.self + ">; rel=\"self\", <" + delivery.hub_url + ">; rel=\"hub\""},
                     {"Feed-Position", std::to_string(document.to)},
                     {"Feed-Position-Previous", std::to_string(document.from)}};
  const std::string id = webhook_id(delivery);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string timestamp = std::to_string(seconds);
  request.headers.emplace_back("webhook-id", id);
  request.headers.emplace_back("webhook-timestamp", timestamp);
  if (delivery.secret) {
    request.headers.emplace_back("X-Hub-Signature", std::string(name_of(algorithm)) + "=" +
                                                        to_hex(hmac(algorithm, *delivery.secret, *document.body)));
    const std::string signed_text = id + "." + timestamp + "." + *document.body;
    request.headers.emplace_back("webhook-signature",
                                 "v1," + to_base64(hmac(HmacAlgorithm::kSha256, *delivery.secret, signed_text)));
  }
  return request;
}

}  // namespace courant::hub
