#include "http/address_guard.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

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

// The IPv4 address that an IPv6 address carries, `offset` bytes from its begin.
Address carried(const Address& address, std::size_t offset) {
  Address inner;
  std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(offset), 4, inner.bytes.begin());
  return inner;
}

// Where a packet to this IPv6 address ends up when it is an IPv4 address in another dress.
std::optional<Address> carried_v4(const Address& address) {
  static const Network kMapped{*Address::parse("::ffff:0:0"), 96};
  static const Network kCompatible{*Address::parse("::"), 96};
  static const Network kTranslated{*Address::parse("64:ff9b::"), 96};
  static const Network kSixToFour{*Address::parse("2002::"), 16};
  if (address.is_v4) return std::nullopt;
  if (kMapped.covers(address) || kTranslated.covers(address) || kCompatible.covers(address)) {
    return carried(address, 12);
  }
  if (kSixToFour.covers(address)) return carried(address, 2);
  return std::nullopt;
}

// A v4-mapped address is the IPv4 address: the kernel connects to that.
Address unmapped(const Address& address) {
  static const Network kMapped{*Address::parse("::ffff:0:0"), 96};
  return !address.is_v4 && kMapped.covers(address) ? carried(address, 12) : address;
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

// One number of an IPv4 address as inet_aton reads it: "127", "0177", "0x7f". nullopt: no number.
std::optional<std::uint64_t> parse_part(std::string_view part) {
  int base = 10;
  if (part.starts_with("0x")) {
    base = 16;
    part.remove_prefix(2);
    if (part.empty()) return 0;
  } else if (part.size() > 1 && part.starts_with('0')) {
    base = 8;
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, base);
  if (part.empty() || error != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return value;
}

// An IPv4 address in one to four numbers, where the last one fills the bytes that are left (inet_aton).
std::optional<Address> parse_v4(std::string_view host) {
  const std::vector<std::string_view> parts = split(host, '.');
  if (parts.size() > 4) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::optional<std::uint64_t> part = parse_part(parts[i]);
    const std::size_t bytes = i + 1 < parts.size() ? 1 : 5 - parts.size();
    if (!part || *part >> (8 * bytes) != 0) return std::nullopt;
    value = value << (8 * bytes) | *part;
  }
  Address address;
  for (std::size_t i = 0; i < 4; ++i) address.bytes[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  return address;
}

// No top-level domain is a number, so such a host is meant as an address.
bool ends_in_number(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  const bool is_digits = std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
  return (!last.empty() && is_digits) || (last.starts_with("0x") && parse_part(last));
}

bool is_name_of_this_machine(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "localhost.localdomain" ||
         host == "localhost6" || host == "localhost6.localdomain6" || host == "ip6-localhost" || host == "ip6-loopback";
}

// The host of "host:port", "[address]:port" or either alone, and the port or 0.
std::pair<std::string, int> split_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool is_bare_v6 = bracket == std::string::npos && text.find(':') != colon;
  const bool has_port = colon != std::string::npos && !is_bare_v6 && (bracket == std::string::npos || colon > bracket);
  std::string host = ascii_lower(has_port ? text.substr(0, colon) : text);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = has_port ? parse_unsigned(std::string_view(text).substr(colon + 1)) : std::nullopt;
  return {std::move(host), port && *port <= 65535 ? static_cast<int>(*port) : 0};
}

std::optional<std::string> refusal_of_port(int port) {
  if (std::ranges::find(kBadPorts, port) == kBadPorts.end() && port > 0 && port <= 65535) return std::nullopt;
  return "port " + std::to_string(port) + " belongs to another protocol than HTTP";
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  const std::string whole(text);
  Address address;
  address.is_v4 = text.find(':') == std::string_view::npos;
  if (::inet_pton(address.is_v4 ? AF_INET : AF_INET6, whole.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return whole.find('\0') == std::string::npos ? std::optional(address) : std::nullopt;
}

std::optional<Address> Address::of(const sockaddr& address) {
  Address result;
  if (address.sa_family == AF_INET) {
    std::memcpy(result.bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
    return result;
  }
  if (address.sa_family != AF_INET6) return std::nullopt;
  result.is_v4 = false;
  std::memcpy(result.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  return result;
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<Address> address = Address::parse(text.substr(0, slash));
  const std::string name(text);
  if (!address) return Fault{"network " + name + " does not begin with an IPv4 or IPv6 address"};
  const std::uint64_t bits = address->is_v4 ? 32 : 128;
  const auto prefix = slash == std::string_view::npos ? std::optional(bits) : parse_unsigned(text.substr(slash + 1));
  if (!prefix || *prefix > bits) {
    return Fault{"network " + name + " needs a prefix of 0 to " + std::to_string(bits) + " bits"};
  }
  for (std::uint64_t bit = *prefix; bit < bits; ++bit) {
    if ((address->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      return Fault{"network " + name + " has bits set after its prefix"};
    }
  }
  const Address inner = unmapped(*address);
  const bool is_mapped = !(inner == *address) && *prefix >= 96;
  return Network{is_mapped ? inner : *address, static_cast<int>(is_mapped ? *prefix - 96 : *prefix)};
}

bool Network::covers(const Address& candidate) const {
  if (candidate.is_v4 != address.is_v4) return false;
  const std::size_t whole = static_cast<std::size_t>(prefix) / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  candidate.bytes.begin())) {
    return false;
  }
  const int rest = prefix % 8;
  return rest == 0 || (address.bytes[whole] ^ candidate.bytes[whole]) >> (8 - rest) == 0;
}

AddressGuard::AddressGuard(std::vector<Network> allowed, std::vector<std::string> own_addresses)
    : allowed_(std::move(allowed)) {
  for (const std::string& text : own_addresses) {
    auto [host, port] = split_port(text);
    std::optional<Address> address = Address::parse(host);
    if (address) address = unmapped(*address);
    own_.push_back(Own{address ? std::string() : std::move(host), address, port});
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
    const std::optional<std::string> why = refusal_of_kind(*inner);
    return why ? std::optional(address.text() + " stands for " + *why) : std::nullopt;
  }
  // All global unicast addresses of IPv6 lie in 2000::/3 (RFC 4291 section 2.4, IANA); the rest is not assigned.
  if (!address.is_v4 && address.bytes[0] >> 5 != 1) return address.text() + " is not a global unicast address";
  return std::nullopt;
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
  if (url.host.starts_with('[')) {
    const std::optional<Address> address = Address::parse(std::string_view(url.host).substr(1, url.host.size() - 2));
    return address ? refusal(*address, port) : "host " + url.host + " is not an IPv6 address without zone";
  }
  // Clients decode a host's triplets before they look it up, and one final dot changes nothing.
  std::optional<std::string> decoded = percent_decode(url.host);
  std::string host = decoded ? ascii_lower(*decoded) : std::string();
  if (host.ends_with('.')) host.pop_back();
  if (host.empty()) return "the URL names no host";
  if (std::ranges::any_of(host, [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '/' || c == '@'; })) {
    return "host " + url.host + " has characters that no name has";
  }
  for (const Own& own : own_) {
    if (own.name == host && (own.port == 0 || own.port == port)) return "host " + host + " is this server itself";
  }
  if (const std::optional<Address> address = parse_v4(host)) return refusal(*address, port);
  if (ends_in_number(host)) return "host " + host + " is neither an address nor a name";
  if (!is_name_of_this_machine(host)) return std::nullopt;
  const std::optional<std::string> why = refusal(*Address::parse("127.0.0.1"), port);
  if (!why || !refusal(*Address::parse("::1"), port)) return std::nullopt;
  return "host " + host + ": " + *why;
}

}  // namespace courant::http
