// What is true of a feed in the snapshot in which rows of it are read, beside where its log stands.
// Threads: database threads.
#pragma once

#include <cstdint>
#include <optional>

#include "feeds/directory.h"
#include "feeds/last_modified.h"
#include "sql/database.h"

namespace courant::feeds {

struct FeedSnapshot {
  std::int64_t redactions = 0;
  std::int64_t generation = 1;
  std::int64_t revision = 0;
  std::optional<Instant> modified;       // but for its entries; nullopt: the log has another renderer
  std::optional<Instant> head_recorded;  // of the newest entry there is
  Instant now;

  // When a page was modified that was made of this snapshot and of `state`; recorded: of the newest entry that it
  // depends on. nullopt: this cannot be told, since what the state says was different by then.
  std::optional<Modified> page_modified(const FeedState& state, std::int64_t floor,
                                        std::optional<Instant> recorded) const;
};

// Of a row with these columns from `first` on: redactions, generation, revision, feeds.modified, log_facts.modified,
// recorded of the head, now.
FeedSnapshot feed_snapshot(const sql::Row& row, int first);

// When a feed and the log were modified, whichever came later: columns `first` and the next; nullopt where the log has
// another renderer than this program, and so other bytes.
std::optional<Instant> modified_beside_entries(const sql::Row& row, int first);

}  // namespace courant::feeds
