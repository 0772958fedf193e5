// What is new in a document of another server since it was fetched before: of an Atom or RSS feed the entries that are
// new or changed, of anything else the whole.
// Specification: WebSub section 7 ("the hub MAY remove already-delivered atom:entry or rss:item elements"), RFC 4287,
// RFC 6721 (tombstones count as entries), RSS 2.0.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/result.h"

namespace courant::hub {

struct ForeignNews {
  std::string known;         // what the next call is to be given
  std::int64_t entries = 0;  // that are new or changed; of what is no feed 1 where it has changed. 0: the rest is empty
  bool is_whole = false;     // all of it: what was delivered before is replaced by this
  std::string content_type;
  std::string body;
};

// An entry is known by its atom:id or guid, by its link where it has none, and by its content where it has neither;
// whether it has changed, by its canonical form. Entries that have left the feed stay known for long, so that those
// that come back are not news. known: what the call before gave; nullopt: there was none, so that nothing is news.
// A fault where the media type is that of a feed or of XML and the body cannot pass the door (schema/door.h), and where
// a feed has more than 10,000 entries.
Result<ForeignNews> news_of(std::string body, const std::string& content_type, const std::optional<std::string>& known);

}  // namespace courant::hub
