#include "access/signed_url.h"

#include <chrono>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::access {
namespace {

constexpr std::string_view kFilter = "filter=";
constexpr std::string_view kExpires = "expires=";
constexpr std::string_view kSignature = "&signature=";
constexpr std::size_t kDigestInName = 16;           // 96 bits: no two URLs share a name
constexpr std::uint64_t kLatest = 253'402'300'799;  // seconds: the end of the year 9999

std::string signature_of(std::string_view target, std::string_view key) {
  return to_base64url(hmac(HmacAlgorithm::kSha256, key, target));
}

// The last parameter of a query, which is taken off; nullopt: it has another name.
std::optional<std::string_view> take_last(std::string_view& query, std::string_view name) {
  const std::size_t separator = query.rfind('&');
  const std::string_view last = separator == std::string_view::npos ? query : query.substr(separator + 1);
  if (!last.starts_with(name)) return std::nullopt;
  query = separator == std::string_view::npos ? std::string_view() : query.substr(0, separator);
  return last.substr(name.size());
}

}  // namespace

std::string sign_target(std::string_view target, const std::string& filter, Instant expires, std::string_view key) {
  std::string text(target);
  text += target.find('?') == std::string_view::npos ? '?' : '&';
  if (!filter.empty()) text += std::string(kFilter) + percent_encode(filter) + "&";
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
  text += std::string(kExpires) + std::to_string(seconds);
  const std::string signature = signature_of(text, key);
  return text + std::string(kSignature) + signature;
}

bool is_signed(std::string_view query) {
  const std::size_t at = query.rfind(kSignature);
  return at != std::string_view::npos && query.substr(0, at).find(kExpires) != std::string_view::npos;
}

std::optional<SignedPage> read_signed(std::string_view path, std::string_view query,
                                      const std::vector<std::string>& keys) {
  const std::size_t at = query.rfind(kSignature);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view given = query.substr(at + kSignature.size());
  std::string_view rest = query.substr(0, at);
  const std::string target = std::string(path) + "?" + std::string(rest);
  SignedPage page;
  for (const std::string& key : keys) {
    if (equal_in_constant_time(signature_of(target, key), given)) page.key = key;
  }
  if (page.key.empty()) return std::nullopt;
  const std::optional<std::string_view> expires = take_last(rest, kExpires);
  const std::optional<std::uint64_t> seconds = expires ? parse_unsigned(*expires) : std::nullopt;
  if (!seconds || *seconds > kLatest) return std::nullopt;
  page.expires = Instant(std::chrono::seconds(*seconds));
  page.digest = to_base64url(bytes_of(sha256(given))).substr(0, kDigestInName);
  if (const std::optional<std::string_view> filter = take_last(rest, kFilter)) {
    std::optional<std::string> decoded = percent_decode(*filter);
    if (!decoded) return std::nullopt;
    page.filter = *std::move(decoded);
  }
  return page;
}

}  // namespace courant::access
