#include "http/conditional.h"

#include <algorithm>

#include "kernel/text.h"

namespace courant::http {
namespace {

// Takes the entity tag at the front of a list, with "W/" where it is there; empty: none, and the list is at its end or
// malformed from here on. Tags may hold commas, so the list cannot be split at them.
std::string_view take_tag(std::string_view& list) {
  const std::size_t begin = list.find_first_not_of(" \t,");
  if (begin == std::string_view::npos) return {};
  list.remove_prefix(begin);
  const std::size_t open = list.starts_with("W/") ? 2 : 0;
  if (list.size() <= open || list[open] != '"') return {};
  const std::size_t close = list.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  const std::string_view tag = list.substr(0, close + 1);
  list.remove_prefix(close + 1);
  return tag;
}

std::string_view opaque(std::string_view tag) {
  return tag.starts_with("W/") ? tag.substr(2) : tag;
}

}  // namespace

bool if_none_match_matches(std::string_view header, std::string_view etag) {
  if (trim(header) == "*") return true;
  for (std::string_view tag = take_tag(header); !tag.empty(); tag = take_tag(header)) {
    if (opaque(tag) == opaque(etag)) return true;
  }
  return false;
}

bool if_none_match_matches(const Request& request, std::string_view etag) {
  // Line by line: no tag goes on in the next one. A second line makes "*" a malformed member.
  const auto is_such = [](const HeaderView& field) { return equal_ignoring_case(field.name, "if-none-match"); };
  const bool is_single = std::ranges::count_if(request.headers, is_such) == 1;
  return std::ranges::any_of(request.headers, [&](const HeaderView& field) {
    return is_such(field) && (is_single || trim(field.value) != "*") && if_none_match_matches(field.value, etag);
  });
}

std::string_view etag_of(const Response& response) {
  constexpr std::string_view kName = "\r\nETag: ";
  if (response.head) {
    const std::string_view head = *response.head;
    if (const std::size_t at = head.find(kName); at != std::string_view::npos) {
      const std::size_t begin = at + kName.size();
      return head.substr(begin, head.find('\r', begin) - begin);
    }
  }
  const auto found = std::ranges::find_if(response.headers,
                                          [](const auto& field) { return equal_ignoring_case(field.first, "ETag"); });
  return found == response.headers.end() ? std::string_view() : std::string_view(found->second);
}

bool if_match_matches(std::string_view header, std::string_view etag) {
  if (trim(header) == "*") return true;
  if (etag.starts_with("W/")) return false;
  for (std::string_view tag = take_tag(header); !tag.empty(); tag = take_tag(header)) {
    if (tag == etag) return true;
  }
  return false;
}

bool if_modified_since_matches(const Request& request, Instant last_modified) {
  const std::optional<std::string_view> field = request.header("if-modified-since");
  if (!field || (request.method != Method::kGet && request.method != Method::kHead)) return false;
  if (request.header("if-none-match")) return false;
  const auto is_such = [](const HeaderView& other) { return equal_ignoring_case(other.name, "if-modified-since"); };
  if (std::count_if(request.headers.begin(), request.headers.end(), is_such) > 1) return false;
  const auto second = std::chrono::floor<std::chrono::seconds>(last_modified);
  // Not "earlier or equal", which section 13.1.3 has in mind: a clock that was set back, as that of a restored database
  // may be, gives news a time before that of what the client has.
  return parse_http_date(*field, last_modified) == second;
}

}  // namespace courant::http
