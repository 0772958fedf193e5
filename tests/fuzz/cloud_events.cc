// Whatever is posted as a CloudEvent, or as a batch of them: refused, or an entry that is read back as the event it
// was.
#include "feeds/cloud_events.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "feeds/indexed_object.h"
#include "feeds/prepared_entry.h"
#include "schema/door.h"

namespace {

using namespace courant;

// The same whatever the order of members.
nlohmann::json value_of(std::string_view text) {
  return nlohmann::json::parse(feeds::IndexedJson::parse(text).dump());
}

void try_event(std::string_view text) {
  const Result<std::string> entry = feeds::entry_of_event(text);
  if (!entry) return;
  feeds::EntryRules rules;
  rules.default_author = "fuzz";
  const auto prepared = feeds::read_entry(*entry, rules);
  if (!prepared) return;
  const std::string stored = prepared->before_times +
                             "<published>2026-01-01T00:00:00Z</published><updated>2026-01-01T00:00:00Z</updated>" +
                             prepared->after_times;
  const std::string again = feeds::event_of(feeds::view_of_entry(stored), "http://h.example/w/f");
  if (value_of(again) != value_of(text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_event(text);
  const Result<std::string> feed = feeds::feed_of_events(text);
  if (feed && !schema::admit(*feed)) return 0;  // the door has refused it
  return 0;
}
