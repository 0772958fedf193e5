// What is behind a Document: libxml2's tree. For schema/ and xslt/ alone.
// Threads: one at a time.
#pragma once

#include <string_view>

#include <libxml/tree.h>

#include "schema/door.h"

namespace courant::schema {

// Of libxml2's text, which is null where there is none.
inline std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

struct Document::Tree {
  explicit Tree(xmlDoc* parsed) : doc(parsed) {}
  ~Tree() {
    xmlFreeDoc(doc);
    xmlFreeNsList(spare);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  xmlDoc* doc;
  xmlNs* spare = nullptr;  // namespaces that elements were given after parsing; they outlive the elements
};

}  // namespace courant::schema
