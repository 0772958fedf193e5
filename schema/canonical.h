// Canonical XML, and what has to be done to a tree before it.
// Specification: Exclusive XML Canonicalization 1.0, with comments.
// Threads: one at a time for a Document.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/result.h"
#include "schema/door.h"

namespace courant::schema {

// Comments and processing instructions outside the root element are dropped.
void keep_root_only(Document& document);

// Every element of the namespace loses its prefix: it will be written with the default namespace.
// Once for a document.
void write_without_prefix(Document& document, std::string_view namespace_uri);

// The declarations that exclusive canonicalization may drop although content may mean them: (prefix, namespace) pairs
// whose "prefix:" occurs in some text or attribute value (QNames in content, XPath). A fault where one prefix stands
// for two namespaces and content may mean either.
Result<std::vector<std::pair<std::string, std::string>>> prefixes_meant_by_content(const Document& document);

// The exclusive canonical form of the document, with comments. A fault where there is none: canonical XML is not
// defined for documents that declare relative namespace names.
Result<std::string> canonical(const Document& document);

// The document with all its declarations, in UTF-8: for who reads on what was admitted here.
std::string written(const Document& document);

}  // namespace courant::schema
