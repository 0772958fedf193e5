// A feed document as its readers see it: for the commands that read a server over HTTP, ours or another's of its kind.
// Well-formedness was judged when the entries were published; here a lenient parser is enough.
// Specification: RFC 4287; c:log and c:chain of docs/AUDIT.md.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/result.h"

namespace courant::feeds {

struct ReadEntry {
  std::int64_t position = 0;  // of c:log; 0: it carries none
  std::string id;
  std::string title;
  std::string updated;
  std::string xml;  // the entry element
};

struct ReadFeed {
  std::string title;
  std::vector<ReadEntry> entries;  // as in the document: newest first
};

// A fault where the document is no Atom feed.
Result<ReadFeed> read_feed_document(std::string_view bytes);

}  // namespace courant::feeds
