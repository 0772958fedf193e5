#include "access/token.h"

namespace courant::access {
namespace {

constexpr std::size_t kCharacters = 32;  // of 62 kinds: 190 bits
constexpr std::size_t kLongest = 256;
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

}  // namespace

std::string make_token() {
  // Bytes beyond the last whole multiple of 62 are thrown away: else some characters would come more often.
  constexpr unsigned kUsable = 256 / kAlphabet.size() * kAlphabet.size();
  std::string token(kTokenPrefix);
  while (token.size() < kTokenPrefix.size() + kCharacters) {
    for (const char byte : random_bytes(kCharacters)) {
      const unsigned value = static_cast<unsigned char>(byte);
      if (value >= kUsable || token.size() == kTokenPrefix.size() + kCharacters) continue;
      token += kAlphabet[value % kAlphabet.size()];
    }
  }
  return token;
}

Sha256 hash_of_token(std::string_view token) {
  return sha256(token);
}

bool has_token_form(std::string_view text) {
  return text.starts_with(kTokenPrefix) && text.size() >= kTokenPrefix.size() + kCharacters &&
         text.size() <= kLongest &&
         text.substr(kTokenPrefix.size()).find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace courant::access
