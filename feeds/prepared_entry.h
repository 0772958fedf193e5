// The atom reader: from the bytes that a publisher sent to an entry that is ready to be given a position.
// What is done here, and nowhere else: the strict door, the rules of RFC 4287 for an entry, the kindnesses for Atom
// Hopper's clients, the canonical form, the content digest, the terms.
// Specification: RFC 4287 section 4; Exclusive XML Canonicalization 1.0 with comments; docs/API.md ("Publishing").
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/digest.h"
#include "kernel/result.h"
#include "kernel/time.h"
#include "schema/door.h"

namespace courant::feeds {

// Of elements that are between an entry and this server: <expires>2026-11-25T12:00:00Z</expires>, <media .../>.
inline constexpr std::string_view kEntryNamespace = "urn:courant:entry:1";

// What the feed says about its entries, as far as reading one is concerned.
struct EntryRules {
  std::string default_author;   // the name for an entry without author; not empty
  std::string base;             // the collection's URL: xml:base of an entry with relative references and no base
  bool server_ids = false;      // entry_ids = "server": a client's id is replaced
  bool client_updated = false;  // the client's atom:updated is kept (and is then part of the content digest)
  // A media link entry is edited: its content is the server's, whatever the client sends, and it needs a summary.
  bool is_media_link = false;
  bool lenient = false;  // unknown elements of the Atom namespace are dropped instead of refused
  std::size_t max_bytes = 1 << 20;
  std::size_t max_terms = 200;        // of one entry
  std::size_t max_term_bytes = 1024;  // of one term: what an index can hold
  static constexpr std::size_t kMaxIdBytes = 2048;
};

// An entry as it will be stored, cut where its times go: the stored document is
//   before_times + "<published>P</published><updated>U</updated>" + after_times
// (times are given under the lane's lock). It stands alone, is written without prefix for Atom, ends with "</entry>",
// holds no link rel=self or rel=edit, and begins with the start tag and the id.
// `canonical` is its Exclusive C14N form, cut in the same way; absent where it is the same bytes.
struct PreparedEntry {
  std::string id;  // atom:id; empty: the caller makes one (then before_times ends before the id: see with_id)
  std::string before_times;
  std::string after_times;
  struct Canonical {
    std::string before_times;
    std::string after_times;
  };
  std::optional<Canonical> canonical;

  Sha256 content_digest;           // see docs/API.md: what makes a retry a retry
  std::optional<Instant> updated;  // the client's, only where EntryRules::client_updated
  std::optional<Instant> expires;  // from then on it is not pushed: the element expires of kEntryNamespace
  std::vector<std::string> terms;  // of its categories, as sent, each once, in document order
  std::string content_type;        // of atom:content: "text", "html", "xhtml", a media type, or empty without content
  std::string media;               // the upload that it names (set_media); empty: it is no media link entry
  std::string trace;               // in which it is published (kernel/trace_context.h, to_text); empty: in none
  bool needs_alternate = false;    // neither content nor an alternate link: rendering adds one to its own page
};

// Judges one entry document. The fault has line and column where the place is known.
Result<PreparedEntry> read_entry(std::string_view bytes, const EntryRules& rules);

// The same for a document that has passed the door.
Result<PreparedEntry> read_entry(schema::Document document, const EntryRules& rules);

// What is wrong with an atom:id; nullopt: nothing.
std::optional<Fault> broken_id(std::string_view id);

// The bytes that a media link entry stands for.
struct MediaFacts {
  std::string type;  // media type, with parameters as sent
  std::uint64_t length = 0;
  Sha256 sha256{};
  std::string upload;  // a UUID; see sql/migrations/0008_media.sql
};

// Makes it a media link entry: the element media of kEntryNamespace becomes its last, so that the leaf covers the
// bytes, and is part of the content digest. A client's own element of that name is dropped by read_entry.
void set_media(PreparedEntry& entry, const MediaFacts& media);

// The entry with an id made by the server: puts <id> behind the start tag in both forms.
void set_id(PreparedEntry& entry, std::string id);

// The entry with categories of these terms, where it does not have them yet (case does not count). The content digest
// stays: it is of what the client sent. After a fault the entry is not to be used.
std::optional<Fault> add_terms(PreparedEntry& entry, const std::vector<std::string>& terms, const EntryRules& rules);

}  // namespace courant::feeds
