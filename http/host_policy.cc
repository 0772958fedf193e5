#include "http/host_policy.h"

#include "kernel/problem.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::http {
std::string host_of(std::string_view authority) {
  std::string_view host = authority;
  if (host.starts_with('[')) {
    host = host.substr(0, host.find(']') + 1);
  } else {
    host = host.substr(0, host.rfind(':'));
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  return ascii_lower(host);
}

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host == "[::1]" || host == "localhost";
}

HostPolicy::HostPolicy(const std::string& public_url, const std::vector<std::string>& listen,
                       const std::vector<std::string>& hosts) {
  if (const std::optional<Uri> uri = parse_uri(public_url)) hosts_.insert(uri->host);
  for (const std::string& host : hosts) hosts_.insert(host_of(host));
  for (const std::string& address : listen) {
    const std::string host = host_of(address);
    hosts_.insert(host);
    if (is_loopback(host)) hosts_.insert({"localhost", "127.0.0.1", "[::1]"});
  }
}

void HostPolicy::check(const Request& request, std::string_view authority) const {
  if (request.path.starts_with("/-/health/")) return;
  if (!authority.empty() && !hosts_.contains(host_of(authority))) {
    throw Problem(421, "This server does not answer for the host " + std::string(authority) +
                           ": name it in server.hosts or public_url");
  }
  const bool is_safe =
      request.method == Method::kGet || request.method == Method::kHead || request.method == Method::kOptions;
  const std::optional<std::string_view> origin = request.header("origin");
  if (is_safe || !origin) return;
  const std::optional<Uri> uri = parse_uri(*origin);
  if (!uri || !hosts_.contains(uri->host)) {
    throw Problem(403, "A web page of " + std::string(*origin) + " may not change anything here");
  }
}

}  // namespace courant::http
