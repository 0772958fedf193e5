#include "feeds/filtered.h"

#include <limits>

#include "feeds/queries.h"
#include "feeds/stored_entry.h"
#include "kernel/problem.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kEndless = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostLookedAt = 5000;    // candidates of one page
constexpr std::int64_t kCountedTerms = 10'000;  // how exact the choice of a term has to be

// What match_newest.sql and match_oldest.sql give.
struct Matches {
  LogBounds bounds;
  std::vector<std::int64_t> positions;  // newest first
  std::int64_t looked_to = 0;           // the last candidate looked at
  bool is_exhausted = false;            // there are no more candidates
};

// The terms to look for: those of the rarest set that every match must meet. Empty: all entries are candidates.
std::vector<std::string> rarest(sql::Session& session, FeedKey feed, const Filter& filter) {
  const std::vector<std::vector<std::string>>& sets = filter.required();
  if (sets.size() < 2) return sets.empty() ? std::vector<std::string>() : sets.front();
  std::vector<std::string> terms;
  for (const std::vector<std::string>& set : sets) terms.insert(terms.end(), set.begin(), set.end());
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(terms).add(kCountedTerms);
  const sql::Rows rows = session.run(queries::count_terms, parameters);
  std::vector<std::int64_t> counts(terms.size());
  for (int i = 0; i < rows.size(); ++i)
    counts.at(static_cast<std::size_t>(rows[i].integer(0) - 1)) = rows[i].integer(1);
  const std::vector<std::string>* best = nullptr;
  std::int64_t least = kEndless;
  std::size_t at = 0;
  for (const std::vector<std::string>& set : sets) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < set.size(); ++i) count += counts[at++];
    if (count < least) {
      least = count;
      best = &set;
    }
  }
  return *best;
}

Matches find_matches(sql::Session& session, FeedKey feed, const PageQuery& query, std::int64_t after, std::int64_t upto,
                     bool is_newest) {
  const std::vector<std::string> terms = rarest(session, feed, *query.filter);
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(after).add(upto).add(query.filter->jsonpath());
  if (terms.empty()) {
    parameters.add_null();
  } else {
    parameters.add(terms);
  }
  parameters.add(query.limit).add(kMostLookedAt);
  const sql::Rows rows = session.run(is_newest ? queries::match_newest : queries::match_oldest, parameters);
  if (rows.empty()) throw Problem(404, "The feed does not exist any more");
  Matches matches;
  for (int i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(0)) matches.positions.push_back(rows[i].integer(0));
  }
  if (!rows[0].is_null(1)) matches.looked_to = rows[0].integer(1);
  matches.is_exhausted = rows[0].boolean(2);
  matches.bounds = {rows[0].integer(3), rows[0].integer(4)};
  return matches;
}

std::vector<StoredEntry> read_entries_at(sql::Session& session, FeedKey feed,
                                         const std::vector<std::int64_t>& positions, std::int64_t max_bytes,
                                         bool is_newest) {
  if (positions.empty()) return {};
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(positions).add(max_bytes).add(!is_newest);
  const sql::Rows rows = session.run(queries::read_positions, parameters);
  std::vector<StoredEntry> entries;
  for (int i = 0; i < rows.size(); ++i) entries.push_back(stored_entry(rows[i], 0));
  return entries;
}

}  // namespace

FilteredSlice read_filtered(sql::Session& session, const LiveFeed& feed, const PageQuery& query,
                            std::optional<std::int64_t> marker, std::int64_t max_bytes) {
  const FeedKey key = feed.facts().key;
  const bool is_last = query.marker == "last";
  const bool is_forward = is_last || (marker && query.direction == PageQuery::Direction::kForward);
  const Matches matches = is_forward ? find_matches(session, key, query, is_last ? 0 : *marker, kEndless, false)
                                     : find_matches(session, key, query, 0, marker.value_or(kEndless), true);
  FilteredSlice slice;
  slice.bounds = matches.bounds;
  slice.bounds.generation = feed.state()->generation;
  slice.entries = read_entries_at(session, key, matches.positions, max_bytes, !is_forward);
  // A page that is full ends at its last entry; else it ends where looking ended.
  const bool is_full = !slice.entries.empty() && (static_cast<std::int64_t>(slice.entries.size()) == query.limit ||
                                                  slice.entries.size() < matches.positions.size());
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
