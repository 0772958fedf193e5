// The rules that RFC 4287 has for an entry: which elements and attributes may stand where, and what they may hold.
// Threads: pure functions.
#pragma once

#include <optional>

#include "kernel/result.h"
#include "schema/element.h"

namespace courant::feeds {

inline constexpr std::string_view kAtomNamespace = "http://www.w3.org/2005/Atom";
inline constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";

// nullopt: the entry keeps every rule. lenient: unknown Atom elements are removed instead of refused.
// Not looked at here: that id, title, author and updated are there (they are filled in).
std::optional<Fault> broken_rule(schema::Element& entry, bool lenient);

// Whether the entry has references that a base would change: relative IRIs in Atom's own attributes and elements.
bool has_relative_references(const schema::Element& entry);

}  // namespace courant::feeds
