// Numbers that clients may make as large as they like.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kernel/text.h"

namespace courant {

// A whole text of decimal digits, without sign or spaces; UINT64_MAX where it is too large, nullopt where it is none.
inline std::optional<std::uint64_t> parse_capped(std::string_view text) {
  const std::optional<std::uint64_t> number = parse_unsigned(text);
  const bool has_digits_alone = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  return !number && has_digits_alone ? UINT64_MAX : number;
}

}  // namespace courant
