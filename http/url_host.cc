#include "http/url_host.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::http {
namespace {

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

bool has_only_name_characters(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

bool has_good_labels(std::string_view host) {
  constexpr std::size_t kMaxName = 253;
  constexpr std::size_t kMaxLabel = 63;
  return host.size() <= kMaxName && std::ranges::all_of(split(host, '.'), [](std::string_view label) {
           return !label.empty() && label.size() <= kMaxLabel;
         });
}

Result<UrlHost> address_host(const Address& address) {
  return UrlHost{address.text(), address};
}

}  // namespace

Result<UrlHost> read_host(std::string_view host) {
  const std::string as_sent(host);
  if (host.starts_with('[')) {
    const std::optional<Address> address = Address::parse(host.substr(1, host.size() - 2));
    if (!address || address->is_v4) return Fault{"host " + as_sent + " is not an IPv6 address without zone"};
    return address_host(unmapped(*address));
  }
  // Clients decode a host's triplets before they look it up, and one final dot changes nothing.
  const std::optional<std::string> decoded = percent_decode(host);
  std::string name = decoded ? ascii_lower(*decoded) : std::string();
  if (name.ends_with('.')) name.pop_back();
  if (name.empty()) return Fault{"the URL names no host"};
  if (!has_only_name_characters(name)) {
    return Fault{"host " + as_sent + " has characters that no name has (other scripts are written as xn--...)"};
  }
  if (!has_good_labels(name)) return Fault{"host " + as_sent + " has a part that is empty or too long"};
  if (const std::optional<Address> address = parse_v4(name)) return address_host(*address);
  if (ends_in_number(name)) return Fault{"host " + as_sent + " is neither an address nor a name"};
  return UrlHost{std::move(name), std::nullopt};
}

}  // namespace courant::http
