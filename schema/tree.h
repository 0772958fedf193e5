// What is behind a Document: libxml2's tree. For schema/ and xslt/ alone.
// Threads: one at a time.
#pragma once

#include <libxml/tree.h>

#include "schema/door.h"

namespace courant::schema {

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
