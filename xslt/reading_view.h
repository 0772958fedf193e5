// What a page shows of our documents, computed and written into their tree as attributes of a namespace of ours, for
// the stylesheet to place (xslt/stylesheets/feed.xsl): safe content, addresses that may be links, dates in words, the
// filters behind categories, where the feed stands among the others.
//
// Nobody else can have written such an attribute: they are looked for on entries' own children and on the document
// element alone, and there whatever of this namespace came with the document is taken away first.
// Threads: pure functions.
#pragma once

#include <string_view>

struct _xmlDoc;  // libxml2's

namespace courant::xslt {

inline constexpr const char* kShownNamespace = "urn:courant:shown:1";

inline constexpr std::size_t kMostText = std::size_t{64} << 10;  // bytes of a content's text that are shown

// Of a feed or entry document of ours; others stay as they are.
//   document element: feed (its URL), path ("/w/f"), workspace (its name), live ("?format=events" and filter, on a page
//     that shows the newest), search (the filter in words)
//   atom:content, atom:summary, atom:title: html (safe markup), or text; kind="code" where text is markup or JSON
//   atom:content, atom:link: href, where others may follow it
//   atom:category: query ("?search=%2Bterm"), where a filter can say it
//   atom:updated, atom:published: time ("27 Nov 2026, 02:45:10 UTC")
void add_reading_view(_xmlDoc& document);

}  // namespace courant::xslt
