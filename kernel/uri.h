// URIs and IRIs: parts, percent-encoding, query strings.
// Specification: RFC 3986 (URI), RFC 3987 (IRI), HTML form encoding for queries ('+' is a space).
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace courant {

// The five parts of RFC 3986 section 3, undecoded. Scheme and host are in lower case.
struct Uri {
  std::string scheme;
  bool has_authority = false;
  std::string user_info;
  std::string host;  // an IPv6 literal with its brackets
  int port = 0;      // 0: not given
  std::string path;
  std::optional<std::string> query;
  std::optional<std::string> fragment;

  int effective_port() const;  // port, or 80 and 443 for http and https
};

// Parts of an absolute URI; nullopt where the text is relative or no URI at all (spaces, controls, bad port,
// bad percent triplets, characters that RFC 3986 excludes). Non-ASCII characters are taken as an IRI's.
std::optional<Uri> parse_uri(std::string_view text);

// Whether text is an absolute IRI with nothing that RFC 3987 excludes; what atom:id must be.
bool is_absolute_iri(std::string_view text);

// Whether text may stand as an IRI reference, absolute or relative.
bool is_iri_reference(std::string_view text);

// nullopt: a '%' not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

// Everything but unreserved characters and those in `keep` becomes %XX.
std::string percent_encode(std::string_view text, std::string_view keep = {});

// A URL with each '|' as "%7C": filters are written with it as it is, and no URI or IRI holds it.
std::string with_bars_encoded(std::string url);

// The decoded parameters of a query in order ("a=1&b=%2B+x" -> {a,1}, {b,"+ x"}); a malformed triplet is
// nullopt. Also reads application/x-www-form-urlencoded bodies.
using Parameters = std::vector<std::pair<std::string, std::string>>;
std::optional<Parameters> parse_query(std::string_view query);

// The first value of a name; nullptr where it is not given.
const std::string* find_parameter(const Parameters& parameters, std::string_view name);

}  // namespace courant
