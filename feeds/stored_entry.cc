#include "feeds/stored_entry.h"

namespace courant::feeds {
namespace {

// entries.kind
constexpr std::int64_t kTombstone = 3;
constexpr std::int64_t kRedacted = 4;

}  // namespace

StoredEntry stored_entry(const sql::Row& row, int first) {
  StoredEntry entry;
  entry.position = row.integer(first);
  const std::int64_t kind = row.integer(first + 1);
  entry.is_redacted = kind == kRedacted;
  entry.is_tombstone = kind == kTombstone || entry.is_redacted;
  entry.id = row.text(first + 2);
  entry.updated = row.instant(first + 3);
  entry.needs_alternate = row.boolean(first + 4);
  entry.leaf = row.hex(first + 6);
  entry.chain = row.hex(first + 7);
  entry.recorded = row.instant(first + 9);
  if (!row.is_null(first + 10)) entry.expires = row.instant(first + 10);
  if (!row.is_null(first + 11)) {
    entry.media = row.text(first + 11);
    entry.media_type = row.text(first + 12);
  }
  if (!row.is_null(first + 13)) entry.trace = row.text(first + 13);
  if (entry.is_redacted) {
    const TombstoneText text = tombstone_text(entry.id);
    entry.xml = text.before + format_rfc3339(entry.recorded) + text.after;
  } else {
    entry.salt = row.hex(first + 5);
    entry.xml = row.text(first + 8);
  }
  return entry;
}

}  // namespace courant::feeds
