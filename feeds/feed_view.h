// A feed or entry document of ours, taken apart for the other forms it is served in: JSON Feed, RSS, CloudEvents.
// Threads: plain values; pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/time.h"

namespace courant::feeds {

struct LinkView {
  std::string rel;
  std::string href;
  std::string type;
  std::string title;
  std::string length;  // digits, or empty
};

struct EntryView {
  std::string id;
  std::string title;  // as text, without any markup, like the summary
  std::string summary;
  std::string published;
  std::string updated;
  std::vector<std::string> authors;
  std::vector<std::string> categories;  // terms
  std::vector<LinkView> links;
  std::string content_type;  // "text", "html", "xhtml", a media type; empty: there is no content
  std::string content_src;
  std::string content_length;  // digits; of a media link entry, else empty
  std::string content;         // text; of xhtml and XML types markup
  std::int64_t position = 0;
  std::string leaf;
  std::string salt;
  std::string event;       // of an entry that came as a CloudEvent: its context attributes, JSON (feeds/cloud_events.h)
  std::string event_data;  // how its data stands in the content
  std::string xml;         // the element as it is
};

struct FeedView {
  std::string id;
  std::string title;
  std::string author;
  std::string updated;
  std::vector<LinkView> links;
  std::optional<std::pair<std::int64_t, std::int64_t>> range;  // c:range of a document that is pushed
  std::vector<EntryView> entries;                              // without tombstones
};

// The href of the first link with the relation; empty: there is none.
std::string href_of(const std::vector<LinkView>& links, std::string_view rel);

// Our documents are well-formed: anything else is a bug and throws std::logic_error.
FeedView view_of_feed(std::string_view document);
EntryView view_of_entry(std::string_view document);

}  // namespace courant::feeds
