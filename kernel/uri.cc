#include "kernel/uri.h"

#include "kernel/text.h"

namespace courant {
namespace {

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
bool is_unreserved(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Characters that may stand somewhere in an IRI, and percent signs only as triplets (RFC 3986 section 2, RFC 3987
// section 2.2; private-use and non-character code points are not looked at).
bool has_only_iri_characters(std::string_view text) {
  constexpr std::string_view kReserved = ":/?#[]@!$&'()*+,;=";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_unreserved(c) || kReserved.find(c) != std::string_view::npos) continue;
    if (static_cast<unsigned char>(c) >= 0x80) continue;
    if (c != '%' || i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
    i += 2;
  }
  return is_valid_utf8(text);
}

// The length of a leading "scheme:" without the colon; 0 where there is none.
std::size_t scheme_length(std::string_view text) {
  if (text.empty() || !is_alpha(text.front())) return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') return i;
    if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return 0;
  }
  return 0;
}

bool parse_authority(std::string_view authority, Uri& uri) {
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    uri.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  std::size_t host_end = authority.find(':');
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    host_end = close + 1 < authority.size() ? close + 1 : std::string_view::npos;
    if (host_end != std::string_view::npos && authority[host_end] != ':') return false;
  }
  uri.host = ascii_lower(authority.substr(0, host_end));
  if (!uri.host.starts_with('[') && uri.host.find_first_of("[]") != std::string::npos) return false;
  if (host_end == std::string_view::npos || host_end + 1 == authority.size()) return true;
  const std::optional<std::uint64_t> port = parse_unsigned(authority.substr(host_end + 1));
  if (!port || *port == 0 || *port > 65535) return false;
  uri.port = static_cast<int>(*port);
  return true;
}

}  // namespace

int Uri::effective_port() const {
  if (port != 0) return port;
  if (scheme == "http") return 80;
  return scheme == "https" ? 443 : 0;
}

std::optional<Uri> parse_uri(std::string_view text) {
  const std::size_t scheme = scheme_length(text);
  if (scheme == 0 || !has_only_iri_characters(text)) return std::nullopt;
  Uri uri;
  uri.scheme = ascii_lower(text.substr(0, scheme));
  text.remove_prefix(scheme + 1);
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    uri.fragment = std::string(text.substr(hash + 1));
    text = text.substr(0, hash);
  }
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    uri.query = std::string(text.substr(mark + 1));
    text = text.substr(0, mark);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    uri.has_authority = true;
    const std::size_t end = std::min(text.find('/'), text.size());
    if (!parse_authority(text.substr(0, end), uri)) return std::nullopt;
    text.remove_prefix(end);
  }
  uri.path = text;
  return uri;
}

bool is_absolute_iri(std::string_view text) {
  const std::size_t scheme = scheme_length(text);
  return scheme > 0 && text.size() > scheme + 1 && has_only_iri_characters(text);
}

bool is_iri_reference(std::string_view text) {
  return has_only_iri_characters(text);
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

std::string with_bars_encoded(std::string url) {
  for (std::size_t at = url.find('|'); at != std::string::npos; at = url.find('|', at)) url.replace(at, 1, "%7C");
  return url;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 0x0F];
    }
  }
  return out;
}

std::optional<Parameters> parse_query(std::string_view query) {
  Parameters parameters;
  if (query.empty()) return parameters;
  for (const std::string_view piece : split(query, '&')) {
    if (piece.empty()) continue;
    std::string spaced(piece);
    for (char& c : spaced) {
      if (c == '+') c = ' ';
    }
    const std::size_t equals = spaced.find('=');
    std::optional<std::string> name = percent_decode(std::string_view(spaced).substr(0, equals));
    std::optional<std::string> value =
        equals == std::string::npos ? std::string() : percent_decode(std::string_view(spaced).substr(equals + 1));
    if (!name || !value) return std::nullopt;
    parameters.emplace_back(std::move(*name), std::move(*value));
  }
  return parameters;
}

const std::string* find_parameter(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters) {
    if (key == name) return &value;
  }
  return nullptr;
}

}  // namespace courant
