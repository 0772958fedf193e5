// Pages for people, made of our own documents by one stylesheet (xslt/stylesheets/page.xsl). What publishers sent is
// shown as text: no markup, script or address of theirs takes effect.
// Threads: any; takes processor time, so not on io threads.
#pragma once

#include <string>
#include <string_view>

namespace courant::xslt {

// Whether who reads a feed may read all of it: archives are not for who sees a part.
enum class Reach { kWhole, kPart };

// A feed, entry or service document, or a subscription (hub/owner_view.h), as HTML. link_suffix: what the page's own
// links carry along ("format=html"); may be empty. Our documents are well-formed: anything else is a bug and throws
// std::logic_error.
std::string html_page(std::string_view document, const std::string& link_suffix = {}, Reach reach = Reach::kWhole);

}  // namespace courant::xslt
