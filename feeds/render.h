// Feed and entry documents as Atom, from stored rows: the stored XML is written as it is, what the server adds stands
// behind it and begins with c:log.
// Specification: RFC 4287, RFC 5005 (fh:archive, prev-archive, next-archive), docs/AUDIT.md (c:log, c:chain).
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/time.h"

namespace courant::feeds {

// Grows when the same rows render to other bytes: part of every ETag.
inline constexpr std::int64_t kRendererVersion = 4;

// A stored revision or tombstone.
struct StoredEntry {
  std::int64_t position = 0;
  bool is_tombstone = false;
  bool is_redacted = false;  // a tombstone in the place of what was erased: it has a leaf, and no salt
  std::string id;
  Instant updated;
  Instant recorded;
  std::optional<Instant> expires = std::nullopt;  // from then on it is no news: it is not pushed
  bool needs_alternate = false;
  std::string media;       // of a media link entry: the upload that holds the bytes; else empty
  std::string media_type;  // of these bytes
  std::string salt;        // hexadecimal, like leaf and chain
  std::string leaf;
  std::string chain;
  std::string xml;         // ends with "</entry>" or "</at:deleted-entry>"
  std::string trace = {};  // in which it was published (kernel/trace_context.h, to_text); empty: in none
};

struct Link {
  std::string rel;
  std::string href;
};

// What a feed document says of itself.
struct FeedDocument {
  std::string id;  // atom:id of the feed
  std::string title;
  std::string author;
  Instant updated;          // of an empty document: the feed's creation
  std::vector<Link> links;  // absolute, in the order to be written
  bool is_archive = false;
  bool has_edits = true;            // entries can be changed: they carry a link to do so
  std::int64_t chain_position = 0;  // of c:chain
  std::string chain;                // hexadecimal; empty: no c:chain
  std::string feed_url;             // of the collection: entries' own URLs stand below it
  // Of a document that is pushed: it covers the positions after `range->first` up to `range->second`.
  std::optional<std::pair<std::int64_t, std::int64_t>> range;
  std::vector<StoredEntry> entries;  // newest first
};

std::string render_feed(const FeedDocument& document);

// Where a rendered document with a range says range->first, in decimal digits.
std::size_t range_begin_in(std::string_view rendered);

// What is stored of a deletion, cut where its time goes (RFC 6721): canonical as it is.
struct TombstoneText {
  std::string before;
  std::string after;
};
TombstoneText tombstone_text(std::string_view id);

// What is stored of a redaction, cut where its time and the erased positions go: a tombstone that says so.
struct RedactionText {
  std::string before;
  std::string middle;
  std::string after;
};
RedactionText redaction_text(std::string_view id);

// An entry document of its own.
std::string render_entry(const StoredEntry& entry, std::string_view feed_url, bool has_edits);

// ".../entries/urn:uuid:...": the id percent-encoded, ':' left as it is.
std::string entry_url(std::string_view feed_url, std::string_view id);

// ".../media/urn:uuid:...": of the bytes that a media link entry describes.
std::string media_url(std::string_view feed_url, std::string_view id);

}  // namespace courant::feeds
