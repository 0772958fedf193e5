#include "schema/door.h"

#include <memory>
#include <string>

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "kernel/text.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

struct FreeContext {
  void operator()(xmlParserCtxt* context) const {
    if (context->myDoc != nullptr) xmlFreeDoc(context->myDoc);
    xmlFreeParserCtxt(context);
  }
};

void be_silent(void*, xmlError*) {}

void initialise_once() {
  static const bool done = [] {
    xmlInitParser();
    xmlSetStructuredErrorFunc(nullptr, be_silent);
    return true;
  }();
  static_cast<void>(done);
}

Fault fault_of(const xmlError* error) {
  if (error == nullptr || error->message == nullptr) return {"the document is not well-formed XML", 0, 0};
  return {"the document is not well-formed XML: " + std::string(trim(error->message)), error->line, error->int2};
}

// Depth, attributes and elements, without recursion: the depth itself is what may be hostile.
Result<bool> check_limits(xmlNode* root, const DoorLimits& limits) {
  std::size_t elements = 0;
  int depth = 1;
  for (xmlNode* node = root; node != nullptr;) {
    if (node->type == XML_ELEMENT_NODE) {
      const int line = static_cast<int>(xmlGetLineNo(node));
      if (depth > limits.max_depth) {
        return Fault{"elements are nested deeper than " + std::to_string(limits.max_depth), line, 0};
      }
      if (++elements > limits.max_elements) {
        return Fault{"there are more than " + std::to_string(limits.max_elements) + " elements", line, 0};
      }
      int attributes = 0;
      for (const xmlAttr* attribute = node->properties; attribute != nullptr; attribute = attribute->next) ++attributes;
      if (attributes > limits.max_attributes) {
        return Fault{"an element has more than " + std::to_string(limits.max_attributes) + " attributes", line, 0};
      }
      if (node->children != nullptr) {
        node = node->children;
        ++depth;
        continue;
      }
    }
    while (node != nullptr && node != root && node->next == nullptr) {
      node = node->parent;
      --depth;
    }
    if (node == nullptr || node == root) break;
    node = node->next;
  }
  return true;
}

}  // namespace

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> admit(std::string_view bytes, const DoorLimits& limits) {
  initialise_once();
  if (trim(bytes).empty()) return Fault{"the document is empty", 1, 1};
  if (bytes.size() > limits.max_bytes) {
    return Fault{"the document is longer than " + std::to_string(limits.max_bytes) + " bytes"};
  }
  if (!is_valid_utf8(bytes)) return Fault{"the document is not UTF-8"};

  const std::unique_ptr<xmlParserCtxt, FreeContext> context(xmlNewParserCtxt());
  // Nothing is loaded, and entities are not expanded.
  constexpr int kOptions =
      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES;
  xmlDoc* const parsed =
      xmlCtxtReadMemory(context.get(), bytes.data(), static_cast<int>(bytes.size()), nullptr, nullptr, kOptions);
  context->myDoc = nullptr;
  auto tree = parsed != nullptr ? std::make_unique<Document::Tree>(parsed) : nullptr;
  if (!tree || context->wellFormed == 0) return fault_of(xmlCtxtGetLastError(context.get()));
  // libxml2 reports an unbound prefix or a repeated attribute name as an error that the document survives.
  if (context->nsWellFormed == 0) return fault_of(xmlCtxtGetLastError(context.get()));
  if (parsed->intSubset != nullptr || parsed->extSubset != nullptr) {
    return Fault{"the document has a DOCTYPE, which is not taken", 1, 1};
  }
  const std::string_view encoding =
      parsed->encoding != nullptr ? reinterpret_cast<const char*>(parsed->encoding) : std::string_view("UTF-8");
  if (!equal_ignoring_case(encoding, "UTF-8") && !equal_ignoring_case(encoding, "US-ASCII")) {
    return Fault{"the document says that its encoding is " + std::string(encoding) + ": only UTF-8 is taken", 1, 1};
  }
  xmlNode* const root = xmlDocGetRootElement(parsed);
  if (root == nullptr) return Fault{"the document has no root element", 1, 1};
  Result<bool> within = check_limits(root, limits);
  if (!within) return within.fault();
  return Document(std::move(tree));
}

}  // namespace courant::schema
