// A view of one element of a Document, without libxml2's types: what the rules of Atom are checked with.
// Threads: one at a time; valid as long as the Document and until removed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/door.h"

namespace courant::schema {

struct Attribute {
  std::string_view namespace_uri;  // empty: none
  std::string_view name;
  std::string value;
};

class Element {
 public:
  static Element root_of(const Document& document);

  std::string_view name() const;           // without prefix
  std::string_view namespace_uri() const;  // empty: none
  int line() const;
  std::string text() const;      // of all text inside, in document order
  bool has_direct_text() const;  // more than white space, not inside children
  std::vector<Attribute> attributes() const;
  std::optional<std::string> attribute(std::string_view attribute_name,
                                       std::string_view attribute_namespace = {}) const;
  std::vector<Element> children() const;  // elements only
  // What a qualified name in its content or attributes means: the namespace of its prefix here; nullopt: it has none.
  std::optional<std::string> namespace_of_name(std::string_view qualified_name) const;
  // How many elements of its document begin before it.
  std::size_t number() const;

  // A document that is a copy of this element: the namespaces that it uses are declared there.
  Document alone() const;

  void remove();            // with everything inside
  void drop_direct_text();  // white space between children
  void set_xml_base(const std::string& base);

 private:
  friend class Grammar;
  explicit Element(void* node) : node_(node) {}
  void* node_;  // an xmlNode
};

}  // namespace courant::schema
