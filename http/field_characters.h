// Of which characters header fields may be made.
// Specification: RFC 9110 sections 5.1, 5.5 and 5.6.2.
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace courant::http {

inline constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> may{};
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~0123456789")) may[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) may[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) may[c] = true;
  return may;
}();

// Of names and methods.
constexpr bool is_token_character(char c) {
  return kTokenCharacters[static_cast<unsigned char>(c)];
}

// Of values: anything but controls; a tab is none.
constexpr bool is_value_character(char c) {
  const auto code = static_cast<unsigned char>(c);
  return (code >= 0x20 || c == '\t') && code != 0x7F;
}

// Whether a header field cannot be taken for more than one, or for something else.
constexpr bool is_sound_field(std::string_view name, std::string_view value) {
  return !name.empty() && std::ranges::all_of(name, is_token_character) &&
         std::ranges::all_of(value, is_value_character);
}

}  // namespace courant::http
