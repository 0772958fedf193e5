// HTML of publishers as HTML that can do nothing: it is parsed, and of its tree what the allow-list names is written
// anew. What comes out is the text of a sequence of elements from xslt/allow_list.h, balanced, each attribute in double
// quotes, every '<' and '&' of a text escaped; no part of what was given is copied as markup. So it means the same to
// every parser, and nothing in it runs, loads, is sent anywhere or has a name (tests/support/safe_markup.h).
// Specification: docs/decisions/0017-html-and-its-sanitiser.md.
// Threads: pure functions; they take processor time, so not on io threads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

struct _xmlNode;  // libxml2's

namespace courant::xslt {

inline constexpr std::size_t kMostMarkup = std::size_t{128} << 10;  // bytes of one content that are shown as HTML
inline constexpr int kMostNested = 64;                              // elements within elements, of what is written

// html: UTF-8. What is longer than kMostMarkup, or may have a tag of hundreds of attributes, is shown as its text
// would be: escaped, in <pre>.
std::string sanitised_html(std::string_view html);

// The same of what an element of XHTML holds.
std::string sanitised_xhtml(const _xmlNode& element);

// The text of HTML and of what an element of XHTML holds, without markup and what is dropped, for titles; in a page it
// still has to be escaped.
std::string text_of_html(std::string_view html);
std::string text_of_xhtml(const _xmlNode& element);

}  // namespace courant::xslt
