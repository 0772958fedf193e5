#include "http/address.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "kernel/text.h"

namespace courant::http {
namespace {

const Network& mapped_network() {
  static const Network kMapped{*Address::parse("::ffff:0:0"), 96};
  return kMapped;
}

// The IPv4 address that an IPv6 address carries, `offset` bytes from its begin.
Address carried_at(const Address& address, std::size_t offset) {
  Address inner;
  std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(offset), 4, inner.bytes.begin());
  return inner;
}

// An interface identifier that names an IPv4 address, of a private or a globally unique one (RFC 5214 section 6.1).
bool is_isatap(const Address& address) {
  const auto& bytes = address.bytes;
  return (bytes[8] & ~0x02) == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe;
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

Network Network::around(const Address& address, int prefix) {
  Network network{address, prefix};
  const std::size_t bits = address.is_v4 ? 32 : 128;
  for (auto bit = static_cast<std::size_t>(prefix); bit < bits; ++bit) {
    network.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  }
  return network;
}

std::string Network::text() const {
  return address.text() + "/" + std::to_string(prefix);
}

Address unmapped(const Address& address) {
  return !address.is_v4 && mapped_network().covers(address) ? carried_at(address, 12) : address;
}

std::optional<Address> carried_v4(const Address& address) {
  static const Network kCompatible{*Address::parse("::"), 96};
  static const Network kTranslated{*Address::parse("64:ff9b::"), 96};
  static const Network kSixToFour{*Address::parse("2002::"), 16};
  if (address.is_v4) return std::nullopt;
  if (kSixToFour.covers(address)) return carried_at(address, 2);
  if (mapped_network().covers(address) || kTranslated.covers(address) || kCompatible.covers(address) ||
      is_isatap(address)) {
    return carried_at(address, 12);
  }
  return std::nullopt;
}

std::string counted_address(std::string_view client_address) {
  const std::optional<Address> parsed = Address::parse(client_address);
  if (!parsed) return std::string(client_address);
  const Address address = unmapped(*parsed);
  return address.is_v4 ? address.text() : Network::around(address, 64).text();
}

Network neighbourhood(const Address& address) {
  const Address place = carried_v4(address).value_or(address);
  return Network::around(place, place.is_v4 ? 24 : 48);
}

}  // namespace courant::http
