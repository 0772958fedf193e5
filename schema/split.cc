#include "schema/split.h"

#include <memory>
#include <string>

#include <libxml/parser.h>

#include "schema/tree.h"

namespace courant::schema {
namespace {

struct Freeing {
  void operator()(xmlChar* text) const { xmlFree(text); }
  void operator()(xmlNs** list) const { xmlFree(list); }
};

// The declarations that are in scope on `from` and that `to` does not make itself.
void copy_declarations(xmlDoc* document, xmlNode* from, xmlNode* to) {
  const std::unique_ptr<xmlNs*, Freeing> in_scope(xmlGetNsList(document, from));
  for (xmlNs** each = in_scope.get(); each != nullptr && *each != nullptr; ++each) {
    bool is_made = false;
    for (const xmlNs* own = to->nsDef; own != nullptr; own = own->next) {
      is_made = is_made || view(own->prefix) == view((*each)->prefix);
    }
    if (!is_made) xmlNewNs(to, (*each)->href, (*each)->prefix);
  }
}

}  // namespace

Document standing_alone(xmlNode* element) {
  auto part = std::make_unique<Document::Tree>(xmlNewDoc(reinterpret_cast<const xmlChar*>("1.0")));
  // Names are not copied again, but found where the whole keeps them.
  part->doc->dict = element->doc->dict;
  xmlDictReference(part->doc->dict);
  xmlNode* const root = xmlDocCopyNode(element, part->doc, 1);
  xmlDocSetRootElement(part->doc, root);
  copy_declarations(element->doc, element, root);
  return Document(std::move(part));
}

std::vector<Document> children_alone(const Document& document, std::string_view namespace_uri, std::string_view name) {
  std::vector<Document> parts;
  xmlDoc* const whole = document.tree().doc;
  for (xmlNode* child = xmlDocGetRootElement(whole)->children; child != nullptr; child = child->next) {
    if (child->type != XML_ELEMENT_NODE || view(child->name) != name) continue;
    if (child->ns == nullptr || view(child->ns->href) != namespace_uri) continue;
    Document part = standing_alone(child);
    xmlNode* const root = xmlDocGetRootElement(part.tree().doc);
    const std::unique_ptr<xmlChar, Freeing> base(xmlNodeGetBase(whole, child));
    if (base && view(base.get()) != "") xmlNodeSetBase(root, base.get());
    const std::unique_ptr<xmlChar, Freeing> language(xmlNodeGetLang(child));
    if (language) xmlNodeSetLang(root, language.get());
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace courant::schema
