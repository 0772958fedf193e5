#include "http/cors.h"

#include <algorithm>

#include "http/url_host.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::http {
namespace {

// Beside those that every page may read: the Fetch standard, "CORS-safelisted response-header name".
constexpr const char* kExposed =
    "Accept-Ranges, Content-Disposition, Content-Location, Content-Range, ETag, Feed-Chain, Feed-Position, Link, "
    "Location, Poll-Interval, Preference-Applied, RateLimit, RateLimit-Policy, Repr-Digest, Retry-After, "
    "WWW-Authenticate, X-Request-Id";

// What requests that read may carry.
constexpr const char* kTaken =
    "Accept, Authorization, Feed-Position-Min, If-Match, If-Modified-Since, If-None-Match, If-Range, Last-Event-ID, "
    "Prefer, Range, Traceparent, Tracestate";

// Seconds. What browsers keep at most; a permission that is kept too long lets a page ask, and each answer says again
// whether it may read.
constexpr const char* kAskedAgain = "7200";

bool is_scheme(std::string_view text) {
  const auto is_of_scheme = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' && std::ranges::all_of(text, is_of_scheme);
}

// 0: it has none.
int default_port(std::string_view scheme) {
  Uri uri;
  uri.scheme = scheme;
  return uri.effective_port();
}

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

HostAndPort split_port(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  const bool is_in_brackets = authority.starts_with('[') && authority.ends_with(']');
  if (colon == std::string_view::npos || is_in_brackets) return {authority, std::nullopt};
  return {authority.substr(0, colon), authority.substr(colon + 1)};
}

std::string bracketed(const UrlHost& host) {
  const bool is_v6 = host.address && !host.address->is_v4;
  return is_v6 ? "[" + host.name + "]" : host.name;
}

std::optional<Fault> fault_of_port(std::string_view port, std::string_view scheme, const std::string& without) {
  const std::optional<std::uint64_t> number = parse_unsigned(port);
  if (!number || *number == 0 || *number > 65535 || port.front() == '0') {
    return Fault{"':' must be followed by a port, 1 to 65535"};
  }
  if (*number == static_cast<std::uint64_t>(default_port(scheme))) {
    return Fault{"browsers leave out the port that " + std::string(scheme) + " has by itself: write " + without};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Fault> fault_of_origin(std::string_view text) {
  if (text == "*") return std::nullopt;
  const std::size_t separator = text.find("://");
  if (separator == std::string_view::npos)
    return Fault{"an origin is written as https://app.example, or \"*\" for all"};
  const std::string_view scheme = text.substr(0, separator);
  if (!is_scheme(scheme)) return Fault{"its scheme is written in lower case, as https"};
  const std::string_view authority = text.substr(separator + 3);
  if (authority.find_first_of("/?#") != std::string_view::npos) {
    return Fault{"an origin ends with its host or port: it has no path and no slash at its end"};
  }
  if (authority.find('@') != std::string_view::npos) return Fault{"an origin has no user"};
  const auto [host, port] = split_port(authority);
  const Result<UrlHost> read = read_host(host);
  if (!read) return Fault{read.fault().detail};
  const std::string usual = std::string(scheme) + "://" + bracketed(*read);
  if (bracketed(*read) != host) {
    return Fault{"browsers write it as " + usual + (port ? ":" + std::string(*port) : std::string())};
  }
  return port ? fault_of_port(*port, scheme, usual) : std::nullopt;
}

Origins::Origins(const std::vector<std::string>& list) {
  for (const std::string& origin : list) {
    is_any_ = is_any_ || origin == "*";
    listed_.insert(origin);
  }
}

void Origins::add(const Origins& others) {
  is_any_ = is_any_ || others.is_any_;
  listed_.insert(others.listed_.begin(), others.listed_.end());
}

std::optional<std::string_view> origin_of(const Request& request) {
  std::optional<std::string_view> origin;
  for (const HeaderView& field : request.headers) {
    if (!equal_ignoring_case(field.name, "origin")) continue;
    if (origin) return std::nullopt;
    origin = field.value;
  }
  return origin;
}

bool asks_to_read(const Request& request) {
  if (request.method != Method::kOptions || !origin_of(request)) return false;
  const std::string method = request.combined_header("access-control-request-method");
  return method == "GET" || method == "HEAD";
}

void let_read(Response& response, std::string_view whose) {
  response.with("Access-Control-Allow-Origin", std::string(whose)).with("Access-Control-Expose-Headers", kExposed);
}

void let_ask(Response& response, std::string_view whose) {
  response.with("Access-Control-Allow-Origin", std::string(whose)).with("Access-Control-Allow-Methods", "GET, HEAD");
  response.with("Access-Control-Allow-Headers", kTaken).with("Access-Control-Max-Age", kAskedAgain);
}

}  // namespace courant::http
