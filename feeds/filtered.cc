#include "feeds/filtered.h"

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

Matches read_matches(sql::Session& session, FeedKey feed, const PageQuery& query, std::int64_t after, std::int64_t upto,
                     bool is_newest, std::int64_t max_bytes) {
  std::vector<std::string> terms;
  std::vector<std::int64_t> sets;
  for (const std::vector<std::string>& set : query.filter->required()) {
    terms.insert(terms.end(), set.begin(), set.end());
    sets.resize(terms.size(), sets.empty() ? 1 : sets.back() + 1);
  }
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(after).add(upto).add(is_newest).add(terms).add(sets);
  if (query.filter->is_any_of_terms()) {
    parameters.add_null();
  } else {
    parameters.add(query.filter->jsonpath());
  }
  parameters.add(query.limit).add(kMostRead).add(max_bytes).add(kRendererVersion);
  const sql::Rows rows = session.run(queries::read_matching, parameters);
  if (rows.empty()) throw Problem(404, "The feed does not exist any more");
  Matches matches;
  matches.bounds = {rows[0].integer(0), rows[0].integer(1)};
  matches.feed = feed_snapshot(rows[0], 18);
  if (!rows[0].is_null(2)) matches.looked_to = rows[0].integer(2);
  matches.is_exhausted = rows[0].boolean(3);
  matches.count = rows[0].integer(4);
  for (int i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(5)) matches.entries.push_back(stored_entry(rows[i], 5));
  }
  return matches;
}

}  // namespace

FilteredSlice read_filtered(sql::Session& session, const LiveFeed& feed, const PageQuery& query,
                            std::optional<std::int64_t> marker, std::int64_t max_bytes) {
  const FeedKey key = feed.facts().key;
  const bool is_last = query.marker == "last";
  const bool is_forward = is_last || (marker && query.direction == PageQuery::Direction::kForward);
  Matches matches = is_forward ? read_matches(session, key, query, is_last ? 0 : *marker, kEndless, false, max_bytes)
                               : read_matches(session, key, query, 0, marker.value_or(kEndless), true, max_bytes);
  FilteredSlice slice;
  slice.bounds = matches.bounds;
  slice.bounds.generation = feed.state()->generation;
  slice.feed = matches.feed;
  slice.entries = std::move(matches.entries);
  // A page that is full ends at its last entry; else it ends where looking ended.
  const bool is_full = !slice.entries.empty() && (static_cast<std::int64_t>(slice.entries.size()) == query.limit ||
                                                  static_cast<std::int64_t>(slice.entries.size()) < matches.count);
  if (is_forward) {
    if (!is_last) forward_range(slice.bounds, *marker, query.limit);  // judges the marker
    slice.range.after = is_last ? slice.bounds.floor : *marker;
    slice.range.upto = is_full                ? slice.entries.front().position
                       : matches.is_exhausted ? slice.bounds.head
                                              : matches.looked_to;
  } else {
    if (marker) backward_range(slice.bounds, *marker, query.limit);  // judges the marker
    slice.range.is_head = !marker;
    slice.range.upto = marker.value_or(slice.bounds.head);
    slice.range.after = is_full                ? slice.entries.back().position - 1
                        : matches.is_exhausted ? slice.bounds.floor
                                               : matches.looked_to - 1;
  }
  return slice;
}

}  // namespace courant::feeds
