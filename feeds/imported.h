// Entries that another server has stored, on their way into the log: through the same door and rules as those that are
// published, with the id, the times and the categories that they have there.
// Specification: docs/MIGRATION.md.
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "feeds/prepared_entry.h"

namespace courant::feeds {

struct StoredElsewhere {
  std::string id;                  // atom:id, whatever the XML says
  std::string xml;                 // an Atom entry
  std::vector<std::string> terms;  // categories that it was found by; those that the XML lacks are added
  Instant updated;
};

// Lenient towards unknown elements of the Atom namespace, whatever the rules say. A fault says why it cannot be taken.
Result<PreparedEntry> read_stored_elsewhere(const StoredElsewhere& stored, EntryRules rules);

}  // namespace courant::feeds
