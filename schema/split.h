// Cutting a document into its parts: each child of the root becomes a document that stands alone and means the same.
// Specification: Namespaces in XML 1.0; XML Base; xml:lang (XML 1.0 section 2.12).
// Threads: one at a time for a Document.
#pragma once

#include <string_view>
#include <vector>

#include "schema/door.h"

namespace courant::schema {

// The children of the root with this name, in document order. What they inherit is copied down: namespace declarations
// (content may mean them), xml:base (resolved), xml:lang.
std::vector<Document> children_alone(const Document& document, std::string_view namespace_uri, std::string_view name);

}  // namespace courant::schema
