// IPv4 and IPv6 addresses and networks, and which IPv4 address an IPv6 one stands for.
// Specification: RFC 4291 (IPv6 addresses), RFC 6052 and 8215 (NAT64), RFC 3056 (6to4), RFC 5214 (ISATAP).
// Threads: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/result.h"

struct sockaddr;

namespace courant::http {

// An IPv4 or IPv6 address without port or zone.
struct Address {
  std::array<std::uint8_t, 16> bytes{};  // in network order; IPv4 takes the first four
  bool is_v4 = true;

  static std::optional<Address> parse(std::string_view text);  // "192.0.2.1" or "2001:db8::1"
  static std::optional<Address> of(const sockaddr& address);   // nullopt: of another family
  std::string text() const;

  bool operator==(const Address&) const = default;
};

// The IPv4 address that a v4-mapped address is, to which the kernel connects; any other address as it is.
Address unmapped(const Address& address);

// Where packets to an IPv6 address end up that is an IPv4 address in another dress: mapped, compatible, NAT64's
// well-known prefix, 6to4, ISATAP. nullopt: in none of these.
std::optional<Address> carried_v4(const Address& address);

// The addresses that share their first `prefix` bits with `address`.
struct Network {
  Address address;
  int prefix = 32;

  // "127.0.0.0/8", "::1/128", or an address for itself alone. A fault where bits after the prefix are set.
  static Result<Network> parse(std::string_view text);
  // The network of that many bits that an address lies in.
  static Network around(const Address& address, int prefix);
  bool covers(const Address& candidate) const;
  std::string text() const;  // "192.0.2.0/24"
};

// Whom what comes from a client's address is counted for: whoever has an IPv6 address has the 2^64 beside it. Any other
// text is itself.
std::string counted_address(std::string_view client_address);

// What usually belongs to one owner: the /24 of an IPv4 address, the /48 of an IPv6 address; of one that stands for an
// IPv4 address the /24 of that.
Network neighbourhood(const Address& address);

}  // namespace courant::http
