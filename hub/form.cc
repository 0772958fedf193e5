#include "hub/form.h"

#include "http/url_host.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::hub {
namespace {

constexpr std::size_t kMaxUrl = 2048;    // endless URLs would be stored and sent again and again
constexpr std::size_t kMaxSecret = 199;  // "MUST be less than 200 bytes"
constexpr std::size_t kMaxTopics = 100;  // of one publish
constexpr std::uint64_t kMaxLease = 1'000'000'000;

const std::string& required(const Parameters& form, std::string_view name) {
  const std::string* const value = find_parameter(form, name);
  if (value == nullptr || value->empty()) throw Problem(400, std::string(name) + " is missing");
  return *value;
}

void require_text(std::string_view name, const std::string& value) {
  const bool has_control = value.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos;
  if (has_control || !is_valid_utf8(value)) {
    throw Problem(400, std::string(name) + " must be UTF-8 text without line breaks and NUL");
  }
}

bool is_loopback(const Uri& url) {
  const Result<http::UrlHost> host = http::read_host(url.host);
  if (!host) return false;
  if (!host->address) return host->name == "localhost";
  return host->address->is_v4 ? host->address->bytes[0] == 127 : host->name == "::1";
}

Uri callback_parts(const std::string& callback, bool allow_http) {
  require_text("hub.callback", callback);
  if (callback.size() > kMaxUrl) {
    throw Problem(400, "hub.callback must not be longer than " + std::to_string(kMaxUrl) + " bytes");
  }
  std::optional<Uri> parts = parse_uri(callback);
  if (!parts || (parts->scheme != "http" && parts->scheme != "https") || parts->host.empty()) {
    throw Problem(400, "hub.callback must be an absolute http or https URL");
  }
  if (parts->fragment) throw Problem(400, "hub.callback must not have a fragment");
  if (!parts->user_info.empty()) throw Problem(400, "hub.callback must not hold a user name or password");
  if (parts->scheme == "http" && !allow_http) throw Problem(400, "hub.callback must be an https URL on this hub");
  return *std::move(parts);
}

SubscriberRequest read_subscriber(const Parameters& form, bool is_subscribe, bool allow_http) {
  SubscriberRequest request;
  request.is_subscribe = is_subscribe;
  request.topic = required(form, "hub.topic");
  require_text("hub.topic", request.topic);
  if (request.topic.size() > kMaxUrl) {
    throw Problem(400, "hub.topic must not be longer than " + std::to_string(kMaxUrl) + " bytes");
  }
  request.callback = required(form, "hub.callback");
  request.callback_parts = callback_parts(request.callback, allow_http);
  const std::string* const lease = find_parameter(form, "hub.lease_seconds");
  if (is_subscribe && lease != nullptr && !lease->empty()) {
    const std::optional<std::uint64_t> seconds = parse_unsigned(*lease);
    if (!seconds) throw Problem(400, "hub.lease_seconds must be a whole number of seconds");
    request.lease = std::chrono::seconds(std::min(*seconds, kMaxLease));
  }
  if (const std::string* const secret = find_parameter(form, "hub.secret"); secret && !secret->empty()) {
    require_secret("hub.secret", *secret, request.callback_parts);
    request.secret = *secret;
  }
  if (const std::string* const token = find_parameter(form, "hub.verify_token")) {
    require_text("hub.verify_token", *token);
    if (token->size() > kMaxUrl) throw Problem(400, "hub.verify_token is too long");
    request.verify_token = *token;
  }
  request.is_old_style = find_parameter(form, "hub.verify") != nullptr;
  return request;
}

PublisherRequest read_publisher(const Parameters& form) {
  PublisherRequest request;
  for (const auto& [name, value] : form) {
    if (name == "hub.url" || name == "hub.topic") request.topics.push_back(value);
  }
  if (request.topics.empty()) throw Problem(400, "hub.url is missing");
  if (request.topics.size() > kMaxTopics) {
    throw Problem(400, "one request can publish at most " + std::to_string(kMaxTopics) + " topics");
  }
  return request;
}

}  // namespace

void require_secret(std::string_view name, const std::string& secret, const Uri& callback) {
  if (secret.size() > kMaxSecret) throw Problem(400, std::string(name) + " must be less than 200 bytes");
  if (callback.scheme != "https" && !is_loopback(callback)) {
    throw Problem(400,
                  std::string(name) + " is taken for https callbacks only: signed documents would travel in the clear");
  }
}

bool asks_to_subscribe(std::string_view body) {
  const std::optional<Parameters> form = parse_query(body);
  const std::string* const mode = form ? find_parameter(*form, "hub.mode") : nullptr;
  return mode != nullptr && *mode == "subscribe";
}

HubRequest parse_form(std::string_view body, bool allow_http) {
  const std::optional<Parameters> form = parse_query(body);
  if (!form) throw Problem(400, "The form holds a '%' that no two hexadecimal digits follow");
  const std::string& mode = required(*form, "hub.mode");
  HubRequest request;
  if (mode == "publish") {
    request.publisher = read_publisher(*form);
  } else if (mode == "subscribe" || mode == "unsubscribe") {
    request.subscriber = read_subscriber(*form, mode == "subscribe", allow_http);
  } else {
    throw Problem(400, "hub.mode must be subscribe, unsubscribe or publish");
  }
  return request;
}

}  // namespace courant::hub
