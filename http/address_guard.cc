#include "http/address_guard.h"

#include <algorithm>
#include <array>

#include <ifaddrs.h>

#include "http/url_host.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

// The Fetch standard's "bad ports": services that speak no HTTP and could be made to act on a request's text.
constexpr std::array kBadPorts = {0,    1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,
                                  37,   42,   43,   53,   69,   77,   79,   87,   95,   101,  102,  103,  104,  109,
                                  110,  111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,  179,  389,
                                  427,  465,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,
                                  563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659, 4045,
                                  4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080};

struct Special {
  const char* network;
  const char* what;
};

// Refused ranges; the first that covers an address names it.
constexpr Special kSpecial[] = {
    {"0.0.0.0/8", "an address of \"this network\""},
    {"127.0.0.0/8", "a loopback address"},
    {"10.0.0.0/8", "a private address"},
    {"172.16.0.0/12", "a private address"},
    {"192.168.0.0/16", "a private address"},
    {"169.254.0.0/16", "a link-local address"},
    {"100.64.0.0/10", "a carrier's internal address"},
    {"192.0.0.0/24", "an address for protocol assignments"},
    {"192.0.2.0/24", "an address for documentation"},
    {"198.51.100.0/24", "an address for documentation"},
    {"203.0.113.0/24", "an address for documentation"},
    {"192.88.99.0/24", "a 6to4 relay"},
    {"198.18.0.0/15", "an address for benchmarks"},
    {"168.63.129.16/32", "a cloud platform's internal address"},
    {"224.0.0.0/4", "a multicast address"},
    {"255.255.255.255/32", "the broadcast address"},
    {"240.0.0.0/4", "a reserved address"},
    {"::/128", "the unspecified address"},
    {"::1/128", "a loopback address"},
    {"fc00::/7", "a private address"},
    {"fe80::/10", "a link-local address"},
    {"fec0::/10", "a site-local address"},
    {"ff00::/8", "a multicast address"},
    {"100::/64", "a discard address"},
    {"64:ff9b:1::/48", "a local translation address"},
    {"2001::/32", "a Teredo address"},
    {"2001::/23", "an address for protocol assignments"},
    {"2001:db8::/32", "an address for documentation"},
    {"3fff::/20", "an address for documentation"},
};

struct SpecialNetwork {
  Network network;
  const char* what;
};

const std::vector<SpecialNetwork>& special_networks() {
  static const std::vector<SpecialNetwork> networks = [] {
    std::vector<SpecialNetwork> parsed;
    for (const Special& special : kSpecial) parsed.push_back({*Network::parse(special.network), special.what});
    return parsed;
  }();
  return networks;
}

bool is_zero(const Address& address) {
  return std::ranges::all_of(address.bytes, [](std::uint8_t byte) { return byte == 0; });
}

bool is_address_of_this_machine(const Address& address) {
  static const Network kLoopback{*Address::parse("127.0.0.0"), 8};
  static const Address kLoopback6 = *Address::parse("::1");
  if (is_zero(address) || address == kLoopback6 || kLoopback.covers(address)) return true;
  ifaddrs* interfaces = nullptr;
  if (::getifaddrs(&interfaces) != 0) return true;  // better to refuse what cannot be judged
  bool is_found = false;
  for (const ifaddrs* one = interfaces; one != nullptr && !is_found; one = one->ifa_next) {
    is_found = one->ifa_addr != nullptr && Address::of(*one->ifa_addr) == address;
  }
  ::freeifaddrs(interfaces);
  return is_found;
}

bool is_name_of_this_machine(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "localhost.localdomain" ||
         host == "localhost6" || host == "localhost6.localdomain6" || host == "ip6-localhost" || host == "ip6-loopback";
}

// The host of "host:port", "[address]:port" or either alone, as a URL would have it, and the port or 0.
std::pair<std::string, int> split_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool is_bare_v6 = bracket == std::string::npos && text.find(':') != colon;
  const bool has_port = colon != std::string::npos && !is_bare_v6 && (bracket == std::string::npos || colon > bracket);
  const std::string host = has_port ? text.substr(0, colon) : text;
  const auto port = has_port ? parse_unsigned(std::string_view(text).substr(colon + 1)) : std::nullopt;
  return {is_bare_v6 ? "[" + host + "]" : host, port && *port <= 65535 ? static_cast<int>(*port) : 0};
}

std::optional<std::string> refusal_of_port(int port) {
  if (std::ranges::find(kBadPorts, port) == kBadPorts.end() && port > 0 && port <= 65535) return std::nullopt;
  return "port " + std::to_string(port) + " belongs to another protocol than HTTP";
}

}  // namespace

AddressGuard::AddressGuard(std::vector<Network> allowed, std::vector<std::string> own_addresses)
    : allowed_(std::move(allowed)) {
  for (const std::string& text : own_addresses) {
    const auto [host, port] = split_port(text);
    const Result<UrlHost> read = read_host(host);
    if (!read) continue;  // nobody can name it in a URL either
    own_.push_back(Own{read->address ? std::string() : read->name, read->address, port});
  }
}

bool AddressGuard::is_allowed(const Address& address) const {
  return std::ranges::any_of(allowed_, [&](const Network& network) { return network.covers(address); });
}

// Connecting to the unspecified address reaches loopback, so that counts as each of our loopback addresses too.
bool AddressGuard::is_own(const Address& address, int port) const {
  return std::ranges::any_of(own_, [&](const Own& own) {
    if (!own.address || (own.port != 0 && own.port != port)) return false;
    if (is_zero(*own.address)) return is_address_of_this_machine(address);
    return *own.address == address || (is_zero(address) && is_address_of_this_machine(*own.address));
  });
}

std::optional<std::string> AddressGuard::refusal_of_kind(const Address& address) const {
  if (is_allowed(address)) return std::nullopt;
  for (const SpecialNetwork& special : special_networks()) {
    if (special.network.covers(address)) return address.text() + " is " + special.what;
  }
  if (const std::optional<Address> inner = carried_v4(address)) {
    if (const std::optional<std::string> why = refusal_of_kind(*inner)) return address.text() + " stands for " + *why;
  }
  // All global unicast addresses of IPv6 lie in 2000::/3 (RFC 4291 section 2.4, IANA); of the rest only those of NAT64
  // lead anywhere.
  static const Network kTranslated{*Address::parse("64:ff9b::"), 96};
  const bool is_global = address.is_v4 || address.bytes[0] >> 5 == 1 || kTranslated.covers(address);
  return is_global ? std::nullopt : std::optional(address.text() + " is not a global unicast address");
}

std::optional<std::string> AddressGuard::refusal(const Address& address, int port) const {
  if (std::optional<std::string> why = refusal_of_port(port)) return why;
  const Address target = unmapped(address);
  const std::optional<Address> inner = carried_v4(target);
  if (is_own(target, port) || (inner && is_own(*inner, port))) {
    return target.text() + " port " + std::to_string(port) + " is this server itself";
  }
  return refusal_of_kind(target);
}

std::optional<std::string> AddressGuard::refusal_of_literal(const Uri& url) const {
  if (url.scheme != "http" && url.scheme != "https") return "scheme " + url.scheme + " is not http or https";
  const int port = url.effective_port();
  if (std::optional<std::string> why = refusal_of_port(port)) return why;
  const Result<UrlHost> host = read_host(url.host);
  if (!host) return host.fault().detail;
  if (host->address) return refusal(*host->address, port);
  for (const Own& own : own_) {
    if (own.name == host->name && (own.port == 0 || own.port == port)) {
      return "host " + host->name + " is this server itself";
    }
  }
  if (!is_name_of_this_machine(host->name)) return std::nullopt;
  const std::optional<std::string> why = refusal(*Address::parse("127.0.0.1"), port);
  if (!why || !refusal(*Address::parse("::1"), port)) return std::nullopt;
  return "host " + host->name + ": " + *why;
}

}  // namespace courant::http
