// How an entry is answered as Atom, by those who read it and those who have just published it.
// Threads: pure functions.
#pragma once

#include <string>

#include "feeds/render.h"
#include "http/message.h"

namespace courant::feeds {

inline constexpr const char* kFeedType = "application/atom+xml;type=feed;charset=utf-8";
inline constexpr const char* kEntryType = "application/atom+xml;type=entry;charset=utf-8";
inline constexpr const char* kEntryVary = "Accept, Accept-Encoding";  // of whoever reads one, in whatever form

http::Response entry_response(int status, const StoredEntry& entry, const std::string& feed_url, bool has_edits,
                              const http::Request& request);

// 304, to whoever has it.
http::Response entry_not_modified(const std::string& etag);

}  // namespace courant::feeds
