#include "schema/tags.h"

#include <algorithm>
#include <iterator>

namespace courant::schema {

std::size_t next_tag(std::string_view bytes, std::size_t at) {
  struct Skipped {
    std::string_view begin, end;
  };
  constexpr Skipped kSkipped[] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
  for (at = bytes.find('<', at); at < bytes.size(); at = bytes.find('<', at)) {
    const std::string_view rest = bytes.substr(at);
    const auto* const skipped =
        std::ranges::find_if(kSkipped, [rest](const Skipped& one) { return rest.starts_with(one.begin); });
    if (skipped == std::end(kSkipped)) return at;
    at = bytes.find(skipped->end, at + skipped->begin.size());
  }
  return std::string_view::npos;
}

Tag read_tag(std::string_view bytes, std::size_t at) {
  Tag tag;
  char quote = 0;
  for (; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      break;
    } else if (c == '=') {
      ++tag.attributes;
    }
  }
  tag.end = at;
  return tag;
}

}  // namespace courant::schema
