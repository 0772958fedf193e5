// Which namespaces the root element of a document may have, so that a grammar says itself what it is for.
// Specification: RELAX NG section 4 (ns, name classes, include), XML Schema 1.0 section 3.15 (targetNamespace).
// Threads: pure functions.
#pragma once

#include <set>
#include <string>

#include "kernel/result.h"
#include "schema/element.h"
#include "schema/loading.h"

namespace courant::schema {

struct RootNames {
  std::set<std::string> namespaces;  // "": elements without namespace
  bool is_any = false;
};

bool is_relax_ng(const Element& root);
bool is_xml_schema(const Element& root);

// Of RELAX NG: what the start pattern may begin with, in this file or in those that it includes. A fault where that
// cannot be told. url: of this file. loading: for included files.
Result<RootNames> root_names_of_relax_ng(const Document& grammar, const std::string& url, Loading& loading);

// Of XML Schema: its target namespace.
RootNames root_names_of_xml_schema(const Document& schema);

}  // namespace courant::schema
