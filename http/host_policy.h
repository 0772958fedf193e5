// Which Host names are ours, and which web pages may make unsafe requests: protection against DNS rebinding and
// against other sites acting through a visitor's browser.
// Specification: RFC 9110 section 7.4 (421), the Fetch standard (Origin).
// Threads: immutable.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace courant::http {

// "example.org:8080" -> "example.org", "[::1]:80" -> "[::1]"; in lower case, without a final dot.
std::string host_of(std::string_view authority);

// Whether such a host is this machine to itself.
bool is_loopback(std::string_view host);

class HostPolicy {
 public:
  HostPolicy(const std::string& public_url, const std::vector<std::string>& listen,
             const std::vector<std::string>& hosts);

  // Throws Problem 400, 421 or 403: only HTTP/1.0 may say no host at all. Health probes may name any host. A page is
  // ours whose origin is that of public_url, or has the very host and port that the request names, or a host of the
  // configuration's `hosts` (whose ports are those of proxies): another port of the same machine is somebody else.
  void check(const Request& request, std::string_view authority) const;

 private:
  bool is_own_origin(std::string_view origin, std::string_view authority) const;

  std::set<std::string, std::less<>> hosts_;  // in lower case, without port
  std::set<std::string, std::less<>> named_;  // those of them that the configuration names
  std::string public_origin_;                 // "https://feeds.example:8443"
};

}  // namespace courant::http
