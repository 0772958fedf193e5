#include "http/host_policy.h"

#include "http/address.h"
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
  if (host == "localhost" || host == "[::1]") return true;
  const std::optional<Address> address = Address::parse(host);  // 127.0.0.1.example is somebody's
  return address && address->is_v4 && address->bytes[0] == 127;
}

HostPolicy::HostPolicy(const std::string& public_url, const std::vector<std::string>& listen,
                       const std::vector<std::string>& hosts) {
  if (const std::optional<Uri> uri = parse_uri(public_url)) hosts_.insert(uri->host);
  const std::size_t authority = public_url.find("://");
  if (authority != std::string::npos)
    public_origin_ = ascii_lower(public_url.substr(0, public_url.find('/', authority + 3)));
  for (const std::string& host : hosts) named_.insert(host_of(host));
  hosts_.insert(named_.begin(), named_.end());
  for (const std::string& address : listen) {
    const std::string host = host_of(address);
    hosts_.insert(host);
    if (is_loopback(host)) hosts_.insert({"localhost", "127.0.0.1", "[::1]"});
  }
}

bool HostPolicy::is_own_origin(std::string_view origin, std::string_view authority) const {
  const std::string text = ascii_lower(origin);
  const std::optional<Uri> uri = parse_uri(text);
  if (!uri || uri->host.empty()) return false;
  if (text == public_origin_ || named_.contains(uri->host)) return true;
  return !authority.empty() && text == uri->scheme + "://" + ascii_lower(authority);
}

void HostPolicy::check(const Request& request, std::string_view authority) const {
  if (request.path.starts_with("/-/health/")) return;
  if (host_of(authority).empty() && request.header("host")) throw Problem(400, "Host names no host");
  if (!authority.empty() && !hosts_.contains(host_of(authority))) {
    throw Problem(421, "This server does not answer for the host " + std::string(authority) +
                           ": name it in server.hosts or public_url");
  }
  const bool is_safe =
      request.method == Method::kGet || request.method == Method::kHead || request.method == Method::kOptions;
  const std::optional<std::string_view> origin = request.header("origin");
  if (is_safe || !origin) return;
  if (!is_own_origin(*origin, authority)) {
    throw Problem(403, "A web page of " + std::string(*origin) + " may not change anything here");
  }
}

}  // namespace courant::http
