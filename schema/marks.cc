#include "schema/marks.h"

#include <memory>

#include "schema/canonical.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

bool is_named(const xmlNode* node, std::string_view namespace_uri, std::string_view name) {
  return node->type == XML_ELEMENT_NODE && view(node->name) == name && node->ns != nullptr &&
         view(node->ns->href) == namespace_uri;
}

Attributes attributes_of(const xmlNode* node) {
  Attributes attributes;
  for (const xmlAttr* attribute = node->properties; attribute != nullptr; attribute = attribute->next) {
    const xmlNode* const text = attribute->children;
    attributes[std::string(view(attribute->name))] = text == nullptr ? "" : std::string(view(text->content));
  }
  return attributes;
}

// The last child of that name in the log's namespace; null: none.
xmlNode* last_mark(const xmlNode* element, std::string_view name) {
  xmlNode* found = nullptr;
  for (xmlNode* child = element->children; child != nullptr; child = child->next) {
    if (is_named(child, kLogNamespace, name)) found = child;
  }
  return found;
}

// What stands before c:log, in a document of its own.
Result<std::string> canonical_before_log(const xmlNode* element) {
  auto tree = std::make_unique<Document::Tree>(xmlNewDoc(reinterpret_cast<const xmlChar*>("1.0")));
  xmlNode* const copy = xmlDocCopyNode(const_cast<xmlNode*>(element), tree->doc, 1);
  xmlDocSetRootElement(tree->doc, copy);
  for (xmlNode* node = last_mark(copy, "log"); node != nullptr;) {
    xmlNode* const next = node->next;
    xmlUnlinkNode(node);
    xmlFreeNode(node);
    node = next;
  }
  return canonical(Document(std::move(tree)));
}

}  // namespace

Result<MarkedDocument> read_marks(const Document& document) {
  MarkedDocument marked;
  for (xmlNode* child = xmlDocGetRootElement(document.tree().doc)->children; child != nullptr; child = child->next) {
    if (is_named(child, kLogNamespace, "chain")) marked.chain = attributes_of(child);
    marked.is_archive = marked.is_archive || is_named(child, "http://purl.org/syndication/history/1.0", "archive");
    if (child->type != XML_ELEMENT_NODE) continue;
    const xmlNode* const log = last_mark(child, "log");
    if (log == nullptr) continue;
    MarkedElement& element = marked.elements.emplace_back();
    element.name = view(child->name);
    element.log = attributes_of(log);
    if (const xmlNode* const record = last_mark(child, "redacted")) element.record = attributes_of(record);
    Result<std::string> bytes = canonical_before_log(child);
    if (!bytes) return bytes.fault();
    element.canonical = *std::move(bytes);
  }
  return marked;
}

}  // namespace courant::schema
