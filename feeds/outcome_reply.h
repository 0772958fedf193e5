// What a publish came to, in words for the client: shared by posting and editing.
// Threads: pure functions.
#pragma once

#include <string>

#include "feeds/prepared_entry.h"
#include "feeds/render.h"
#include "feeds/writer.h"

namespace courant::feeds {

// An entry that has just been stored, as a reader will see it.
StoredEntry stored_form(const PreparedEntry& entry, Published result);

// Problem 404.
[[noreturn]] void throw_no_such_entry(const std::string& id);

// Throws the Problem for an outcome that stored nothing.
[[noreturn]] void throw_unpublished(const Published& result, const std::string& id, const std::string& feed_url);

}  // namespace courant::feeds
