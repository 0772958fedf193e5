#include "hub/foreign_url.h"

#include "http/url_host.h"
#include "kernel/text.h"

namespace courant::hub {
namespace {

constexpr std::size_t kMaxForeignUrl = 2048;  // PostgreSQL's indexes hold rows up to 2.7 KB

// Triplets of unreserved characters are decoded, others written in upper case; what is not ASCII becomes triplets.
std::string one_spelling(std::string_view text) {
  constexpr std::string_view kReserved = ":/?#[]@!$&'()*+,;=";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += percent_encode(text.substr(i, 1), kReserved);
      continue;
    }
    // parse_uri takes a '%' only before two hexadecimal digits. What is decoded here and has to be encoded is encoded
    // again, in upper case.
    out += percent_encode(*percent_decode(text.substr(i, 3)));
    i += 2;
  }
  return out;
}

}  // namespace

Result<ForeignUrl> read_foreign_url(std::string_view url) {
  const std::optional<Uri> parts = parse_uri(url);
  if (!parts || (parts->scheme != "http" && parts->scheme != "https") || parts->host.empty()) {
    return Fault{"it is not an absolute http or https URL"};
  }
  if (parts->fragment) return Fault{"it has a fragment"};
  if (!parts->user_info.empty()) return Fault{"it holds a user name or password"};
  const Result<http::UrlHost> host = http::read_host(parts->host);
  if (!host) return host.fault();
  const bool is_v6 = host->address && !host->address->is_v4;
  ForeignUrl read;
  read.host = host->name;
  read.text = parts->scheme + "://" + (is_v6 ? "[" + host->name + "]" : host->name);
  const bool is_usual_port = parts->effective_port() == (parts->scheme == "http" ? 80 : 443);
  if (!is_usual_port) read.text += ":" + std::to_string(parts->port);
  read.text += parts->path.empty() ? "/" : one_spelling(parts->path);
  if (parts->query) read.text += "?" + one_spelling(*parts->query);
  if (read.text.size() > kMaxForeignUrl) {
    return Fault{"it is longer than " + std::to_string(kMaxForeignUrl) + " bytes"};
  }
  read.parts = *parse_uri(read.text);
  return read;
}

}  // namespace courant::hub
