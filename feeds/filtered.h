// Filtered pages: the entries of a feed that match, found through the index of terms where the filter requires one.
// No page looks at more than a bounded number of entries: where that is not enough its links go on from there.
// Threads: database threads.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "feeds/directory.h"
#include "feeds/feed_snapshot.h"
#include "feeds/page.h"
#include "feeds/render.h"
#include "sql/database.h"

namespace courant::feeds {

inline constexpr std::int64_t kEndless = std::numeric_limits<std::int64_t>::max();  // positions, or bytes: no bound

struct FilteredSlice {
  LogBounds bounds;
  FeedSnapshot feed;
  PageRange range;                   // what was looked at, not only what matched
  std::vector<StoredEntry> entries;  // newest first
};

// query.filter is set; marker: the position that query.marker or startingAt means. Throws Problem as the ranges of
// page.h.
FilteredSlice read_filtered(sql::Session& session, const LiveFeed& feed, const PageQuery& query,
                            std::optional<std::int64_t> marker, std::int64_t max_bytes);

// Adds the terms, the sets that they belong to, and the predicate of a filter, as match_entries takes them; null: every
// entry matches.
void add_filter(sql::Parameters& parameters, const Filter* filter);

// The oldest matches of the positions (after, upto], whatever of these is kept: at most limit of them, and max_bytes,
// but one at least. Throws Problem 404 where the feed does not exist any more.
struct MatchingPiece {
  std::int64_t upto = 0;             // how far was looked; not beyond `after`: there is nothing yet
  std::int64_t generation = 1;       // of the log, in the same snapshot
  std::vector<StoredEntry> entries;  // newest first
};
MatchingPiece read_matching(sql::Session& session, FeedKey feed, const Filter& filter, std::int64_t after,
                            std::int64_t upto, std::int64_t limit, std::int64_t max_bytes);

}  // namespace courant::feeds
