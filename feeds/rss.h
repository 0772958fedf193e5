// A feed page as RSS 2.0.
// Specification: RSS 2.0.11, with atom:link for self, hub, next and previous, dc:creator for authors, and
// c:range for what a pushed document covers.
// Threads: pure functions.
#pragma once

#include <string>

#include "feeds/feed_view.h"

namespace courant::feeds {

// suffix: what links to other pages carry along.
std::string rss(const FeedView& feed, std::string_view suffix);

}  // namespace courant::feeds
