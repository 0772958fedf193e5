#include "hub/capability.h"

#include <algorithm>

namespace courant::hub {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenCharacters = 43;

bool is_base64url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::string make_token() {
  return to_base64url(random_bytes(kTokenBytes));
}

std::optional<Sha256> capability_of(std::string_view token) {
  if (token.size() != kTokenCharacters || !std::all_of(token.begin(), token.end(), is_base64url)) return std::nullopt;
  return sha256(token);
}

std::string page_url(const std::string& hub_url, std::string_view token) {
  return hub_url + "/s/" + std::string(token);
}

}  // namespace courant::hub
