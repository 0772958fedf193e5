#include "feeds/feed_snapshot.h"

#include <algorithm>

namespace courant::feeds {

std::optional<Modified> FeedSnapshot::page_modified(const FeedState& state, std::int64_t floor,
                                                    std::optional<Instant> recorded) const {
  const bool is_same = state.revision == revision && state.floor == floor && state.redactions == redactions &&
                       state.generation == generation;
  if (!is_same || !modified) return std::nullopt;
  return Modified{std::max(*modified, recorded.value_or(*modified)), now};
}

FeedSnapshot feed_snapshot(const sql::Row& row, int first) {
  FeedSnapshot snapshot;
  snapshot.redactions = row.integer(first);
  snapshot.generation = row.integer(first + 1);
  snapshot.revision = row.integer(first + 2);
  snapshot.modified = modified_beside_entries(row, first + 3);
  if (!row.is_null(first + 5)) snapshot.head_recorded = row.instant(first + 5);
  snapshot.now = row.instant(first + 6);
  return snapshot;
}

std::optional<Instant> modified_beside_entries(const sql::Row& row, int first) {
  if (row.is_null(first + 1)) return std::nullopt;
  return std::max(row.instant(first), row.instant(first + 1));
}

}  // namespace courant::feeds
