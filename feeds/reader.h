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
  // The page's own URL, absolute, in the form that it has whatever a client accepts (WebSub section 4.1: "it is
  // important that the rel=self URL only offers a single representation").
  std::string self;
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
  std::string tag_word = "atom";  // of the form (feeds/representation.h)
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

// Leaves of some entries the newest of each id, as the feed stands now, and no tombstones: what forms other than Atom
// show.
void drop_superseded(sql::Session& session, FeedKey feed, std::vector<StoredEntry>& entries);

// The newest revision of an entry, and when what is shown of it was modified, as far as that can be told; nullopt:
// there is none of that id.
struct FoundEntry {
  StoredEntry entry;
  std::optional<Modified> modified;
};
std::optional<FoundEntry> read_entry_by_id(sql::Session& session, FeedKey feed, std::string_view id);

// What is stored under the entry's id, where its first revision had the same content digest: the entry is a retry.
std::optional<StoredEntry> read_retried(sql::Session& session, FeedKey feed, const PreparedEntry& entry);

// The entry at a position; nullopt: there is none, or it is not kept any more.
std::optional<StoredEntry> read_entry_at(sql::Session& session, FeedKey feed, std::int64_t position);

// The entries of the positions (after, upto], newest first; with what was true of the log in the same snapshot.
struct LogPiece {
  LogBounds bounds;
  std::int64_t redactions = 0;  // of the feed so far
  std::int64_t generation = 1;
  std::vector<StoredEntry> entries;
};
LogPiece read_entries(sql::Session& session, FeedKey feed, std::int64_t after, std::int64_t upto);

// The weak entity tag of a feed page: the same on every process and after restarts. tag_word: of its form. query: the
// page's own, "" at the head. It ends with the position, so that a process can tell a reader who knows more than
// itself.
std::string page_etag(const FeedFacts& facts, const FeedState& state, std::string_view tag_word, std::string_view query,
                      std::int64_t upto);

// The highest position in a list of such tags; 0: none.
std::int64_t highest_position(std::string_view etags);

}  // namespace courant::feeds
