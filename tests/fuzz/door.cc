// Whatever is posted as an entry: refused, or prepared so that what is stored is itself an entry, with the same
// meaning.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "feeds/prepared_entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace courant::feeds;
  EntryRules rules;
  rules.default_author = "fuzz";
  rules.base = "http://h.example/w/f/";
  rules.client_updated = true;
  rules.max_bytes = 1 << 20;
  auto entry = read_entry({reinterpret_cast<const char*>(data), size}, rules);
  if (!entry) return 0;
  if (entry->id.empty()) set_id(*entry, "urn:uuid:00000000-0000-7000-8000-000000000000");
  const std::string stored = entry->before_times +
                             "<published>2026-01-01T00:00:00Z</published><updated>2026-01-01T00:00:00Z</updated>" +
                             entry->after_times;
  auto again = read_entry(stored, rules);
  if (!again) std::abort();
  if (again->id != entry->id) std::abort();
  return 0;
}
