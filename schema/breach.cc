#include "schema/breach.h"

#include <algorithm>

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

// The end of the tag that begins at `at`: '>' may stand inside of attribute values.
std::size_t end_of_start_tag(std::string_view bytes, std::size_t at) {
  char quote = 0;
  for (; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      break;
    }
  }
  return at;
}

}  // namespace

Place place_of(std::string_view bytes, std::size_t element) {
  struct Skipped {
    std::string_view begin, end;
  };
  constexpr Skipped kSkipped[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"</", ">"}};
  for (std::size_t at = bytes.find('<'); at < bytes.size(); at = bytes.find('<', at)) {
    const std::string_view rest = bytes.substr(at);
    const auto* const skipped =
        std::ranges::find_if(kSkipped, [rest](const Skipped& one) { return rest.starts_with(one.begin); });
    if (skipped != std::end(kSkipped)) {
      at = bytes.find(skipped->end, at + skipped->begin.size());
      continue;
    }
    if (element-- == 0) return place_of_byte(bytes, at);
    at = end_of_start_tag(bytes, at);
  }
  return {};
}

}  // namespace courant::schema
