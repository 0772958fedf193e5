// CloudEvents in and out: an event that is posted becomes an entry, and is read back as it was.
//   atom:id   urn:courant:cloudevent:<source>:<id>, both percent-encoded; too long for an atom:id: a UUID made of it
//   title     type;  updated: time;  categories: type and subject, with schemes of their own
//   content   data: text as text, JSON as its text, data_base64 with its media type
// The context attributes stand in an extension element as JSON.
// Specification: CloudEvents 1.0.2, JSON event format (structured mode and batches).
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feeds/feed_view.h"
#include "kernel/result.h"

namespace courant::feeds {

inline constexpr std::string_view kEventNamespace = "urn:courant:cloudevents:1";

// An event as an Atom entry document.
Result<std::string> entry_of_event(std::string_view json);

// A batch as an Atom feed document. A fault names the event by its index, from 0.
Result<std::string> feed_of_events(std::string_view json);

// Events of entries, in their order: an array; of one entry the event alone. An entry that did not come as an event is
// one of the type "courant.entry" whose data is the entry's XML. source: of those, the feed's URL.
std::string events_of(const std::vector<EntryView>& entries, const std::string& source);
std::string event_of(const EntryView& entry, const std::string& source);

}  // namespace courant::feeds
