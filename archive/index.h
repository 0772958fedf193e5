// The index of an archive: its pages with their digests and chain values, in bounded pieces.
// Specification: docs/API.md ("The archive index").
// Threads: database threads.
#pragma once

#include <string>

#include "feeds/engine.h"

namespace courant::archive {

struct IndexQuery {
  std::int64_t from = 0;  // the first page to list; 0: the oldest there is
  std::int64_t limit = 100;
};

// A JSON document. Some pages that are complete and were never rendered are rendered for it; where there are more, it
// ends before the limit, and its "next" goes on.
std::string read_index(sql::Session& session, const feeds::LiveFeed& feed, const IndexQuery& query,
                       const std::string& feed_url, const std::string& hub_url, Instant now);

}  // namespace courant::archive
