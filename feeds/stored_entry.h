// A stored entry as queries give it.
// Threads: pure functions.
#pragma once

#include "feeds/render.h"
#include "sql/database.h"

namespace courant::feeds {

// The row's columns from `first` on: position, kind, id, updated, needs_alternate, salt, leaf, chain, xml, recorded,
// expires, media, content_type, trace.
// A redacted entry, of which there is no XML, is given as a tombstone.
StoredEntry stored_entry(const sql::Row& row, int first);

}  // namespace courant::feeds
