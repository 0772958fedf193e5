#include "schema/element.h"

#include <memory>

#include <libxml/tree.h>

#include "kernel/text.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

xmlNode* node_of(void* node) {
  return static_cast<xmlNode*>(node);
}
std::string_view uri_of(const xmlNs* space) {
  return space == nullptr ? std::string_view() : view(space->href);
}

std::string content_of(const xmlNode* node) {
  xmlChar* const text = xmlNodeGetContent(node);
  std::string copy(view(text));
  xmlFree(text);
  return copy;
}

}  // namespace

Element Element::root_of(const Document& document) {
  return Element(xmlDocGetRootElement(document.tree().doc));
}

std::string_view Element::name() const {
  return view(node_of(node_)->name);
}
std::string_view Element::namespace_uri() const {
  return uri_of(node_of(node_)->ns);
}
int Element::line() const {
  return static_cast<int>(xmlGetLineNo(node_of(node_)));
}
std::string Element::text() const {
  return content_of(node_of(node_));
}

bool Element::has_direct_text() const {
  for (const xmlNode* child = node_of(node_)->children; child != nullptr; child = child->next) {
    if (child->type == XML_TEXT_NODE && !trim(view(child->content)).empty()) return true;
  }
  return false;
}

std::vector<Attribute> Element::attributes() const {
  std::vector<Attribute> all;
  for (const xmlAttr* attribute = node_of(node_)->properties; attribute != nullptr; attribute = attribute->next) {
    all.push_back(
        {uri_of(attribute->ns), view(attribute->name), content_of(reinterpret_cast<const xmlNode*>(attribute))});
  }
  return all;
}

std::optional<std::string> Element::attribute(std::string_view attribute_name,
                                              std::string_view attribute_namespace) const {
  for (const xmlAttr* attribute = node_of(node_)->properties; attribute != nullptr; attribute = attribute->next) {
    if (view(attribute->name) == attribute_name && uri_of(attribute->ns) == attribute_namespace) {
      return content_of(reinterpret_cast<const xmlNode*>(attribute));
    }
  }
  return std::nullopt;
}

std::vector<Element> Element::children() const {
  std::vector<Element> elements;
  for (xmlNode* child = node_of(node_)->children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) elements.push_back(Element(child));
  }
  return elements;
}

std::optional<std::string> Element::namespace_of_name(std::string_view qualified_name) const {
  const std::size_t colon = qualified_name.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string prefix(qualified_name.substr(0, colon));
  const xmlNs* const space =
      xmlSearchNs(node_of(node_)->doc, node_of(node_), reinterpret_cast<const xmlChar*>(prefix.c_str()));
  return std::string(uri_of(space));
}

std::size_t Element::number() const {
  return number_of(node_of(node_));
}

Document Element::alone() const {
  auto tree = std::make_unique<Document::Tree>(xmlNewDoc(reinterpret_cast<const xmlChar*>("1.0")));
  xmlDocSetRootElement(tree->doc, xmlDocCopyNode(node_of(node_), tree->doc, 1));
  return Document(std::move(tree));
}

void Element::remove() {
  xmlUnlinkNode(node_of(node_));
  xmlFreeNode(node_of(node_));
  node_ = nullptr;
}

void Element::drop_direct_text() {
  for (xmlNode* child = node_of(node_)->children; child != nullptr;) {
    xmlNode* const next = child->next;
    if (child->type == XML_TEXT_NODE) {
      xmlUnlinkNode(child);
      xmlFreeNode(child);
    }
    child = next;
  }
}

void Element::set_xml_base(const std::string& base) {
  xmlNodeSetBase(node_of(node_), reinterpret_cast<const xmlChar*>(base.c_str()));
}

}  // namespace courant::schema
