// The host of an http(s) URL, read as whoever connects to it reads it, so that each host has one spelling to be judged
// and counted by.
// Specification: RFC 3986 section 3.2.2, RFC 1123 section 2.1, the URL standard's "ends in a number", inet_aton(3).
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/address.h"

namespace courant::http {

struct UrlHost {
  std::string name;                // in lower case, without a final dot; of an address its usual text
  std::optional<Address> address;  // where it is one, in any notation that resolvers read ("0x7f.1", "2130706433")
};

// host: as Uri has it, an IPv6 address in brackets. A fault says why it is none, in a sentence without the final stop:
// it is empty, has a zone, looks like an address and is none, or has characters that no name has. Names of other
// scripts are taken in ASCII only ("xn--..."): what else they may be turned into ("１２７.0.0.1") is never looked at.
Result<UrlHost> read_host(std::string_view host);

}  // namespace courant::http
