#include "schema/breach.h"

#include <algorithm>

#include "schema/tags.h"

namespace courant::schema {
namespace {

Place place_of_byte(std::string_view bytes, std::size_t offset) {
  const std::string_view before = bytes.substr(0, offset);
  const std::size_t line_end = before.rfind('\n');
  const std::string_view line = line_end == std::string_view::npos ? before : before.substr(line_end + 1);
  // Columns are counted in characters: continuation bytes of UTF-8 are none.
  const auto characters =
      std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return {static_cast<int>(std::ranges::count(before, '\n')) + 1, static_cast<int>(characters) + 1};
}

}  // namespace

Place place_of(std::string_view bytes, std::size_t element) {
  for (std::size_t at = next_tag(bytes, 0); at < bytes.size(); at = next_tag(bytes, at)) {
    const bool is_start = !bytes.substr(at).starts_with("</");
    if (is_start && element-- == 0) return place_of_byte(bytes, at);
    at = read_tag(bytes, at).end;
  }
  return {};
}

}  // namespace courant::schema
