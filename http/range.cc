#include "http/range.h"

#include <algorithm>
#include <string>

#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::http {

std::optional<ByteRange> read_range(std::string_view field, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  field = trim(field);
  if (field.size() <= kUnit.size() || !equal_ignoring_case(field.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  const std::string_view range = trim(field.substr(kUnit.size()));
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> first = parse_unsigned(range.substr(0, dash));
  const std::optional<std::uint64_t> last = parse_unsigned(range.substr(dash + 1));
  const bool is_suffix = dash == 0;
  const bool is_open = dash + 1 == range.size();
  if ((!first && !is_suffix) || (!last && !is_open) || (is_suffix && is_open)) return std::nullopt;
  if (first && last && *last < *first) return std::nullopt;
  const std::uint64_t begin = is_suffix ? size - std::min(*last, size) : *first;
  if (begin >= size) {
    throw Problem(416, "There are only " + std::to_string(size) + " bytes")
        .with("Content-Range", "bytes */" + std::to_string(size));
  }
  const std::uint64_t end = is_suffix || is_open || *last >= size ? size : *last + 1;
  return ByteRange{begin, end - begin};
}

}  // namespace courant::http
