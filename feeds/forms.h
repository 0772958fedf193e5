// A feed document of ours in each of the forms that feeds are served and pushed in.
// Specification: docs/API.md ("Forms").
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "feeds/further_forms.h"
#include "feeds/representation.h"
#include "xslt/page.h"

namespace courant::feeds {

// The Atom document in the form that is wanted. feed_url: of the collection. suffix: what links to other pages carry
// along; the document's own URL (rel=self) stays as it is. reach: of who reads it.
std::string in_form(std::string document, Representation wanted, const std::string& feed_url,
                    const std::string& suffix = {}, xslt::Reach reach = xslt::Reach::kWhole);

// The same for any offer of a feed. forms: makes those of stylesheets, which are prepared. Throws Problem 500.
std::string in_offer(std::string document, const Offer& offer, const FeedFacts& feed, const std::string& feed_url,
                     const std::string& suffix, const FurtherForms* forms, xslt::Reach reach = xslt::Reach::kWhole);

// Where such a document says at which position its range begins, in decimal digits; npos: the form has no place for it.
std::size_t range_begin_in(std::string_view document, Representation form);

}  // namespace courant::feeds
