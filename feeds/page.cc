#include "feeds/page.h"

#include <algorithm>

#include "kernel/capped.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kMaxLimit = 1000;
constexpr std::uint64_t kLargestPosition = INT64_MAX - 2 * kMaxLimit;  // so that pages behind it can be counted

std::int64_t parse_limit(const std::string& text) {
  const std::optional<std::uint64_t> limit = parse_unsigned(text);
  if (!limit || *limit < 1 || *limit > kMaxLimit) {
    throw Problem(400, "Limit parameter not valid, acceptable values are 1 to 1000");
  }
  return static_cast<std::int64_t>(*limit);
}

PageQuery::Direction parse_direction(const std::string& text) {
  if (text == "forward") return PageQuery::Direction::kForward;
  if (text == "backward") return PageQuery::Direction::kBackward;
  throw Problem(400, "direction must be 'forward' or 'backward', not '" + text + "'");
}

void check_marker(const LogBounds& bounds, std::int64_t marker) {
  if (marker > bounds.head && bounds.generation > 1) {
    throw Problem(410, "The marker is beyond the newest entry, which has position " + std::to_string(bounds.head) +
                           ": it is of a time before the log was restored. Begin again at the current feed");
  }
  if (marker > bounds.head) {
    throw Problem(400, "The marker is beyond the newest entry, which has position " + std::to_string(bounds.head) +
                           ": ask for the feed without a marker");
  }
}

void check_retained(const LogBounds& bounds, std::int64_t first_needed) {
  if (first_needed > bounds.floor) return;
  throw Problem(410, "The entries up to position " + std::to_string(bounds.floor) +
                         " are not kept any more: the oldest one there is has position " +
                         std::to_string(bounds.floor + 1));
}

std::string query_of(std::int64_t marker, std::string_view direction, const std::string& carried) {
  return "?marker=" + std::to_string(marker) + "&direction=" + std::string(direction) + carried;
}

}  // namespace

PageQuery parse_page_query(const Parameters& parameters, std::int64_t page_size) {
  PageQuery query;
  query.limit = page_size;
  if (const std::string* limit = find_parameter(parameters, "limit")) {
    query.limit = parse_limit(*limit);
    query.limit_given = true;
  }
  if (const std::string* marker = find_parameter(parameters, "marker")) {
    if (marker->empty()) throw Problem(400, "marker must be a position, an entry's id, or 'last'");
    query.marker = *marker;
    if (const std::string* direction = find_parameter(parameters, "direction")) {
      query.direction = parse_direction(*direction);
    }
  }
  if (const std::string* instant = find_parameter(parameters, "startingAt")) {
    if (query.marker) throw Problem(400, "startingAt and marker cannot be used together");
    query.starting_at = parse_rfc3339(*instant);
    if (!query.starting_at) {
      throw Problem(400, "startingAt must be an ISO 8601 date and time with zone, such as 2026-11-24T09:30:00Z");
    }
  }
  if (const std::string* search = find_parameter(parameters, "search")) {
    query.search = *search;
    query.filter = Filter::parse(*search);
  }
  return query;
}

std::string canonical_query(const PageQuery& query) {
  std::string text = std::to_string(query.limit);
  text += query.limit_given ? "!" : "";  // its links carry it along
  if (query.marker) {
    text += (query.direction == PageQuery::Direction::kForward ? ">" : "<") + percent_encode(*query.marker);
  }
  if (query.starting_at) text += "@" + format_rfc3339(*query.starting_at);
  return text + "?" + query.search + (query.bound.empty() ? "" : "\n" + query.bound);
}

std::optional<std::int64_t> parse_position(std::string_view text) {
  const std::optional<std::uint64_t> position = parse_capped(text);
  if (!position) return std::nullopt;
  return static_cast<std::int64_t>(std::min(*position, kLargestPosition));
}

Problem with_way_on(Problem problem, const std::string& feed_url) {
  const std::string current = "<" + feed_url + ">; rel=\"current\"";
  if (problem.status() == 410) {
    return std::move(problem).with("Link", "<" + feed_url + "?marker=last>; rel=\"last\", " + current);
  }
  if (problem.status() != 400) return problem;
  return Problem(400, problem.detail() + ", " + feed_url).with("Link", current);
}

PageRange head_range(const LogBounds& bounds, std::int64_t limit) {
  PageRange range;
  range.after = std::max(bounds.floor, bounds.head - limit);
  range.upto = bounds.head;
  range.is_head = true;
  return range;
}

PageRange forward_range(const LogBounds& bounds, std::int64_t marker, std::int64_t limit) {
  check_marker(bounds, marker);
  check_retained(bounds, marker + 1);
  PageRange range;
  range.after = marker;
  range.upto = std::min(bounds.head, marker + limit);
  range.is_full = range.upto - range.after == limit;
  return range;
}

PageRange backward_range(const LogBounds& bounds, std::int64_t marker, std::int64_t limit) {
  check_marker(bounds, marker);
  if (marker > 0) check_retained(bounds, marker);
  PageRange range;
  range.after = std::max(bounds.floor, marker - limit);
  range.upto = marker;
  range.is_full = bounds.floor == 0 || range.upto - range.after == limit;
  return range;
}

PageRange last_range(const LogBounds& bounds, std::int64_t limit) {
  PageRange range;
  range.after = bounds.floor;
  range.upto = std::min(bounds.head, bounds.floor + limit);
  return range;
}

std::int64_t complete_pages(std::int64_t head, std::int64_t page_size) {
  return head / page_size;
}

PageRange archive_range(std::int64_t page, std::int64_t page_size) {
  PageRange range;
  range.after = (page - 1) * page_size;
  range.upto = page * page_size;
  range.is_full = true;
  return range;
}

PageLinks links_of(const PageQuery& query, const PageRange& range, const LogBounds& bounds) {
  std::string carried;
  if (query.limit_given) carried += "&limit=" + std::to_string(query.limit);
  if (!query.search.empty()) carried += "&search=" + percent_encode(query.search);

  PageLinks links;
  if (query.marker || query.starting_at) {
    if (query.marker == "last") {
      links.self = "?marker=last" + carried;
    } else if (query.direction == PageQuery::Direction::kForward) {
      links.self = query_of(range.after, "forward", carried);
    } else {
      links.self = query_of(range.upto, "backward", carried);
    }
  } else if (!carried.empty()) {
    links.self = "?" + carried.substr(1);
  }
  links.previous = query_of(range.upto, "forward", carried);
  if (range.after > bounds.floor) links.next = query_of(range.after, "backward", carried);
  if (range.is_head) links.last = "?marker=last" + carried;
  return links;
}

}  // namespace courant::feeds
