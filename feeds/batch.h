// What was posted to a feed: one entry, or a feed document whose entries are a batch.
// Specification: RFC 4287; docs/API.md ("Batches").
// Threads: pure functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/entry_door.h"
#include "feeds/prepared_entry.h"

namespace courant::feeds {

struct Posted {
  bool is_batch = false;
  std::vector<PreparedEntry> entries;  // one, or those of the batch in their order; some may have no id yet
};

struct PostRules {
  EntryRules entry;
  std::size_t max_batch_bytes = 16 << 20;
  std::size_t max_batch = 1000;  // entries
  // What the feed asks beyond Atom's rules; null: nothing. Where it is there, reading takes the processor long: not on
  // io threads.
  std::shared_ptr<const EntryDoor> door;
  // Of the processor, for all entries of a batch together: each has its bounds, and there may be a thousand of them.
  std::chrono::milliseconds max_batch_time{5'000};
  Circumstances around;  // for the door; what it counts with is there without one, too
};

// One entry as the rules want it, through the door where there is one. Faults and problems are theirs.
Result<PreparedEntry> read_by_rules(schema::Document document, const PostRules& rules, const Source& source);

// The same of a CloudEvent, or of a batch of them.
Posted read_posted_event(std::string_view bytes, const PostRules& rules);
Posted read_posted_events(std::string_view bytes, const PostRules& rules);

// Throws Problem: 422 with line and column, or with the failing entries of a batch; 413 where something is too long.
Posted read_posted(std::string_view bytes, const PostRules& rules);

}  // namespace courant::feeds
