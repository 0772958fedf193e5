#include "schema/canonical.h"

#include <cstdlib>
#include <map>

#include <libxml/c14n.h>
#include <libxml/tree.h>

#include "schema/tree.h"

namespace courant::schema {
namespace {

bool mentions(const xmlNode* node, const std::string& needle) {
  if (node->type == XML_TEXT_NODE) return view(node->content).find(needle) != std::string_view::npos;
  if (node->type != XML_ELEMENT_NODE) return false;
  for (const xmlAttr* attribute = node->properties; attribute != nullptr; attribute = attribute->next) {
    for (const xmlNode* piece = attribute->children; piece != nullptr; piece = piece->next) {
      if (view(piece->content).find(needle) != std::string_view::npos) return true;
    }
  }
  return false;
}

}  // namespace

void keep_root_only(Document& document) {
  xmlDoc* const doc = document.tree().doc;
  for (xmlNode* node = doc->children; node != nullptr;) {
    xmlNode* const next = node->next;
    if (node->type != XML_ELEMENT_NODE) {
      xmlUnlinkNode(node);
      xmlFreeNode(node);
    }
    node = next;
  }
}

void write_without_prefix(Document& document, std::string_view namespace_uri) {
  Document::Tree& tree = document.tree();
  xmlNode* const root = xmlDocGetRootElement(tree.doc);
  const std::string uri(namespace_uri);
  xmlNs* const unprefixed = xmlNewNs(nullptr, reinterpret_cast<const xmlChar*>(uri.c_str()), nullptr);
  xmlNs* const without = xmlNewNs(nullptr, reinterpret_cast<const xmlChar*>(""), nullptr);
  unprefixed->next = without;
  tree.spare = unprefixed;
  for (xmlNode* node = root; node != nullptr; node = following(node, root)) {
    if (node->type != XML_ELEMENT_NODE) continue;
    if (node->ns == nullptr) {
      // libxml2 looks in the tree for what an element without namespace inherits, and would not see the default
      // namespace that is written from now on: it must say xmlns="" itself.
      node->ns = without;
    } else if (node->ns->prefix != nullptr && view(node->ns->href) == namespace_uri) {
      node->ns = unprefixed;
    }
  }
}

Result<std::vector<std::pair<std::string, std::string>>> prefixes_meant_by_content(const Document& document) {
  xmlNode* const root = xmlDocGetRootElement(document.tree().doc);
  std::map<std::string, std::string> declared;
  std::map<std::string, int> ambiguous;  // prefix and the line of its second meaning
  for (xmlNode* node = root; node != nullptr; node = following(node, root)) {
    if (node->type != XML_ELEMENT_NODE) continue;
    for (const xmlNs* space = node->nsDef; space != nullptr; space = space->next) {
      if (space->prefix == nullptr) continue;
      const std::string prefix(view(space->prefix));
      const auto [known, is_new] = declared.emplace(prefix, view(space->href));
      if (!is_new && known->second != view(space->href)) ambiguous[prefix] = static_cast<int>(xmlGetLineNo(node));
    }
  }
  std::vector<std::pair<std::string, std::string>> meant;
  for (const auto& [prefix, uri] : declared) {
    const std::string needle = prefix + ":";
    bool is_meant = false;
    for (xmlNode* node = root; node != nullptr && !is_meant; node = following(node, root))
      is_meant = mentions(node, needle);
    if (!is_meant) continue;
    if (const auto found = ambiguous.find(prefix); found != ambiguous.end()) {
      return Fault{"the prefix '" + prefix + "' stands for two namespaces, and content uses it: rename one of them",
                   found->second, 0};
    }
    meant.emplace_back(prefix, uri);
  }
  return meant;
}

Result<std::string> canonical(const Document& document) {
  xmlOutputBuffer* const buffer = xmlAllocOutputBuffer(nullptr);
  if (buffer == nullptr) std::abort();
  const int status = xmlC14NDocSaveTo(document.tree().doc, nullptr, XML_C14N_EXCLUSIVE_1_0, nullptr, 1, buffer);
  if (status < 0) {
    xmlOutputBufferClose(buffer);
    return Fault{"a namespace name is a relative reference: canonical XML is not defined for such documents"};
  }
  std::string text(reinterpret_cast<const char*>(xmlOutputBufferGetContent(buffer)), xmlOutputBufferGetSize(buffer));
  xmlOutputBufferClose(buffer);
  return text;
}

std::string written(const Document& document) {
  xmlChar* text = nullptr;
  int size = 0;
  xmlDocDumpMemoryEnc(document.tree().doc, &text, &size, "UTF-8");
  if (text == nullptr) std::abort();
  std::string copy(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  xmlFree(text);
  return copy;
}

}  // namespace courant::schema
