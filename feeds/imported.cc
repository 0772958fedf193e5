#include "feeds/imported.h"

#include "kernel/text.h"

namespace courant::feeds {

Result<PreparedEntry> read_stored_elsewhere(const StoredElsewhere& stored, EntryRules rules) {
  if (!is_valid_utf8(stored.id)) return Fault{"atom:id is not UTF-8"};
  if (std::optional<Fault> broken = broken_id(stored.id)) return *std::move(broken);
  rules.lenient = true;
  rules.server_ids = true;  // the id is set below
  Result<PreparedEntry> entry = read_entry(stored.xml, rules);
  if (!entry) return entry;
  if (std::optional<Fault> broken = add_terms(*entry, stored.terms, rules)) return *std::move(broken);
  set_id(*entry, stored.id);
  entry->updated = stored.updated;
  return entry;
}

}  // namespace courant::feeds
