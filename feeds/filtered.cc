#include "feeds/filtered.h"

#include <algorithm>

#include "feeds/queries.h"
#include "feeds/render.h"
#include "feeds/stored_entry.h"
#include "kernel/problem.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kMostRead = 5000;  // filter floods: rows that one page may look at, about

// What read_matching.sql gives.
struct Matches {
  LogBounds bounds;
  FeedSnapshot feed;
  std::int64_t looked_to = 0;        // the last candidate looked at
  bool is_exhausted = false;         // there are no more candidates
  std::int64_t count = 0;            // of all matches; entries may be fewer, where they would be too many bytes
  std::vector<StoredEntry> entries;  // newest first
};

Matches read_matches(sql::Session& session, FeedKey feed, const Filter& filter, std::int64_t after, std::int64_t upto,
                     bool is_newest, std::int64_t limit, std::int64_t max_bytes) {
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(after).add(upto).add(is_newest);
  add_filter(parameters, &filter);
  parameters.add(limit).add(kMostRead).add(max_bytes).add(kRendererVersion);
  const sql::Rows rows = session.run(queries::read_matching, parameters);
  if (rows.empty()) throw Problem(404, "The feed does not exist any more");
  Matches matches;
  matches.bounds = {rows[0].integer(0), rows[0].integer(1)};
  matches.feed = feed_snapshot(rows[0], 19);
  if (!rows[0].is_null(2)) matches.looked_to = rows[0].integer(2);
  matches.is_exhausted = rows[0].boolean(3);
  matches.count = rows[0].integer(4);
  for (int i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(5)) matches.entries.push_back(stored_entry(rows[i], 5));
  }
  return matches;
}

// A slice that is full ends at its last entry; else it ends where looking ended.
bool is_full(const Matches& matches, std::int64_t limit) {
  const auto count = static_cast<std::int64_t>(matches.entries.size());
  return count > 0 && (count == limit || count < matches.count);
}

// Where it ends upwards, of those that go forward; upto: where it was to end.
std::int64_t upper_end(const Matches& matches, std::int64_t limit, std::int64_t upto) {
  if (is_full(matches, limit)) return matches.entries.front().position;
  return matches.is_exhausted ? std::min(upto, matches.bounds.head) : matches.looked_to;
}

}  // namespace

void add_filter(sql::Parameters& parameters, const Filter* filter) {
  std::vector<std::string> terms;
  std::vector<std::int64_t> sets;
  if (filter != nullptr) {
    for (const std::vector<std::string>& set : filter->required()) {
      terms.insert(terms.end(), set.begin(), set.end());
      sets.resize(terms.size(), sets.empty() ? 1 : sets.back() + 1);
    }
  }
  parameters.add(terms).add(sets);
  if (filter == nullptr || filter->is_any_of_terms()) {
    parameters.add_null();
  } else {
    parameters.add(filter->jsonpath());
  }
}

FilteredSlice read_filtered(sql::Session& session, const LiveFeed& feed, const PageQuery& query,
                            std::optional<std::int64_t> marker, std::int64_t max_bytes) {
  const FeedKey key = feed.facts().key;
  const bool is_last = query.marker == "last";
  const bool is_forward = is_last || (marker && query.direction == PageQuery::Direction::kForward);
  const std::int64_t after = is_forward && !is_last ? *marker : 0;
  const std::int64_t upto = is_forward ? kEndless : marker.value_or(kEndless);
  Matches matches = read_matches(session, key, *query.filter, after, upto, !is_forward, query.limit, max_bytes);
  FilteredSlice slice;
  slice.bounds = matches.bounds;
  slice.bounds.generation = feed.state()->generation;
  slice.feed = matches.feed;
  if (is_forward) {
    if (!is_last) forward_range(slice.bounds, *marker, query.limit);  // judges the marker
    slice.range.after = is_last ? slice.bounds.floor : *marker;
    slice.range.upto = upper_end(matches, query.limit, kEndless);
  } else {
    if (marker) backward_range(slice.bounds, *marker, query.limit);  // judges the marker
    slice.range.is_head = !marker;
    slice.range.upto = marker.value_or(slice.bounds.head);
    slice.range.after = is_full(matches, query.limit) ? matches.entries.back().position - 1
                        : matches.is_exhausted        ? slice.bounds.floor
                                                      : matches.looked_to - 1;
  }
  slice.entries = std::move(matches.entries);
  return slice;
}

MatchingPiece read_matching(sql::Session& session, FeedKey feed, const Filter& filter, std::int64_t after,
                            std::int64_t upto, std::int64_t limit, std::int64_t max_bytes) {
  Matches matches = read_matches(session, feed, filter, after, upto, false, limit, max_bytes);
  return {upper_end(matches, limit, upto), matches.feed.generation, std::move(matches.entries)};
}

}  // namespace courant::feeds
