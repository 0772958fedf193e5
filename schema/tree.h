// What is behind a Document: libxml2's tree. For schema/ and xslt/ alone.
// Threads: one at a time.
#pragma once

#include <cstddef>
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

// The node after `node` in document order, inside of `root`; null at the end.
inline xmlNode* following(xmlNode* node, const xmlNode* root) {
  if (node->type == XML_ELEMENT_NODE && node->children != nullptr) return node->children;
  while (node != root && node->next == nullptr) node = node->parent;
  return node == root ? nullptr : node->next;
}

// How many elements of its document begin before it.
inline std::size_t number_of(const xmlNode* element) {
  std::size_t number = 0;
  xmlNode* const root = xmlDocGetRootElement(element->doc);
  for (xmlNode* node = root; node != nullptr && node != element; node = following(node, root)) {
    if (node->type == XML_ELEMENT_NODE) ++number;
  }
  return number;
}

// A document of its own that is a copy of the element and means the same: the declarations in scope are copied along.
Document standing_alone(xmlNode* element);

}  // namespace courant::schema
