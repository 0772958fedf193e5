// URLs of topics that are other servers': each has one spelling.
// Specification: RFC 3986 section 6.2.2 (normalization), RFC 3987 section 3.1 (from IRIs).
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "kernel/result.h"
#include "kernel/uri.h"

namespace courant::hub {

struct ForeignUrl {
  std::string text;  // in its one spelling, in ASCII
  Uri parts;         // of that
  std::string host;  // as http::read_host names it
};

// A fault says why it can be no topic, in a sentence without the final stop: it is no absolute http(s) URL, has a
// fragment, a user name or password, or is longer than 2048 bytes.
Result<ForeignUrl> read_foreign_url(std::string_view url);

}  // namespace courant::hub
