// A feed page as JSON Feed.
// Specification: JSON Feed 1.1 (jsonfeed.org/version/1.1); "_courant" is our extension: positions, leaves, salts, what
// a pushed document covers, and the links that JSON Feed has no words for. Threads: pure functions.
#pragma once

#include <string>

#include "feeds/feed_view.h"

namespace courant::feeds {

// suffix: what links to other pages carry along.
std::string json_feed(const FeedView& feed, std::string_view suffix);

// One entry as an item of it, on one line.
std::string json_item(const EntryView& entry);

}  // namespace courant::feeds
