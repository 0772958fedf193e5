// Reading stored entries: pages, single entries, and the entity tags of what is shown.
// Threads: database threads; pure where no session is taken.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "feeds/directory.h"
#include "feeds/last_modified.h"
#include "feeds/page.h"
#include "feeds/render.h"
#include "sql/database.h"

namespace courant::feeds {

// A page as it is shown: which positions, and the Atom document's bytes. Its entity tag is that of the representation
// named, which may be made of the document.
struct RenderedPage {
  PageRange range;
  std::int64_t head = 0;  // of the log when it was read
  std::string etag;
  std::optional<Modified> modified;  // of what the tag is of
  std::optional<Instant> oldest;     // when the oldest entry on it was recorded
  std::string document;
  PageLinks links;
  // Of the entries shown: the newest position of one that does not expire, and those that do.
  std::int64_t lasting = 0;
  std::vector<std::pair<std::int64_t, Instant>> expiring;
};

struct PageRequest {
  PageQuery query;
  std::string feed_url;  // absolute, as hub_url, which may be empty
  std::string hub_url;
  std::int64_t max_bytes = 16 << 20;  // of entries; the page ends early there, with one entry at least
  std::string representation = "atom";
  // Of entries that were edited only the newest revision, and none of those that were deleted: forms other than Atom.
  bool is_newest_only = false;
};

// Its links go on from where the page ended. Throws Problem (400, 404, 410) for markers that lead nowhere.
RenderedPage read_page(sql::Session& session, const LiveFeed& feed, const PageRequest& request);

// The entries of a page without a document of them.
struct EntriesPage {
  PageRange range;
  std::int64_t head = 0;
  std::vector<StoredEntry> entries;  // newest first
};
// Throws like read_page.
EntriesPage read_page_entries(sql::Session& session, const LiveFeed& feed, const PageQuery& query,
                              const std::string& feed_url, std::int64_t max_bytes);

// What is new in (from, upto], for the hub: at most max_entries and max_bytes of it, but one entry at least.
struct PushPage {
  std::int64_t to = 0;  // how far the document reaches
  std::int64_t entries = 0;
  std::string document;
  std::size_t from_at = 0;  // where the document says `from`, in decimal digits
};
// nullopt: nothing is committed after `from`. No entries, and no document: what was has been dropped again, by
// retention or with the feed, or has expired by `now`; feed is null where it does not exist any more. self: the topic's
// URL as its subscriber wrote it.
std::optional<PushPage> read_push(sql::Session& session, FeedKey key, const LiveFeed* feed, std::int64_t from,
                                  std::int64_t upto, std::int64_t max_entries, std::int64_t max_bytes,
                                  const std::string& self, const std::string& feed_url, const std::string& hub_url,
                                  Instant now);

// The newest revision of an entry, and when what is shown of it was modified, as far as that can be told; nullopt:
// there is none of that id.
struct FoundEntry {
  StoredEntry entry;
  std::optional<Modified> modified;
};
std::optional<FoundEntry> read_entry_by_id(sql::Session& session, FeedKey feed, std::string_view id);

// The entry at a position; nullopt: there is none, or it is not kept any more.
std::optional<StoredEntry> read_entry_at(sql::Session& session, FeedKey feed, std::int64_t position);

// The entries of the positions (after, upto], newest first; with what was true of the log in the same snapshot.
struct LogPiece {
  LogBounds bounds;
  std::int64_t redactions = 0;  // of the feed so far
  std::vector<StoredEntry> entries;
};
LogPiece read_entries(sql::Session& session, FeedKey feed, std::int64_t after, std::int64_t upto);

// The weak entity tag of a feed page: the same on every process and after restarts. query: the page's own, "" at the
// head. It ends with the position, so that a process can tell a reader who knows more than itself.
std::string page_etag(const FeedFacts& facts, const FeedState& state, std::string_view representation,
                      std::string_view query, std::int64_t upto);

// The highest position in a list of such tags; 0: none.
std::int64_t highest_position(std::string_view etags);

}  // namespace courant::feeds
