// In which form a document of ours is wanted: by Accept, or by ?format= which wins.
// Specification: RFC 9110 section 12.5.1.
// Threads: pure functions.
#pragma once

#include <string_view>

#include "http/message.h"
#include "kernel/uri.h"

namespace courant::feeds {

enum class Representation { kXml, kHtml };

// "atom", "html": part of a page's entity tag.
std::string_view name_of(Representation representation);

// xml_type: what the XML form is called, "application/atom+xml"; it is also meant by application/xml and text/xml, and
// wins where the client does not care. Throws Problem 400 (unknown format) and 406.
Representation choose_representation(const http::Request& request, const Parameters& query, std::string_view xml_type);

// What links between pages carry along: "format=html" where that was asked for by the query, else nothing.
std::string_view link_suffix(const Parameters& query);

}  // namespace courant::feeds
