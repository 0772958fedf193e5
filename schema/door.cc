#include "schema/door.h"

#include <memory>
#include <optional>
#include <string>

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "kernel/text.h"
#include "schema/tags.h"
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

constexpr std::string_view kDoctypeFault = "the document has a DOCTYPE, which is not taken";

Fault fault_of_encoding(std::string_view encoding) {
  return {"the document says that its encoding is " + std::string(encoding) + ": only UTF-8 is taken", 1, 1};
}

bool is_encoding_taken(std::string_view encoding) {
  return equal_ignoring_case(encoding, "UTF-8") || equal_ignoring_case(encoding, "US-ASCII");
}

// The encoding that an XML declaration names; empty: none.
std::string_view declared_encoding(std::string_view bytes) {
  constexpr std::string_view kEncoding = "encoding";
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (!bytes.starts_with("<?xml")) return {};
  const std::string_view declaration = bytes.substr(0, bytes.find("?>"));
  const std::size_t named = declaration.find(kEncoding);
  if (named == std::string_view::npos) return {};
  const std::size_t open = declaration.find_first_of("\"'", named + kEncoding.size());
  if (open == std::string_view::npos) return {};
  return declaration.substr(open + 1, declaration.find(declaration[open], open + 1) - open - 1);
}

// What libxml2 would take minutes for, as it compares each attribute of a tag with all before it: looked for in the
// bytes before they are parsed. What is not well-formed is left to it. A DOCTYPE can hide more of that kind, and an
// encoding all of it.
std::optional<Fault> fault_of_bytes(std::string_view bytes, const DoorLimits& limits) {
  const int most = 2 * limits.max_attributes;
  const std::string_view encoding = declared_encoding(bytes);
  if (!encoding.empty() && !is_encoding_taken(encoding)) return fault_of_encoding(encoding);
  for (std::size_t at = next_tag(bytes, 0); at < bytes.size(); at = next_tag(bytes, at)) {
    if (bytes.substr(at).starts_with("<!DOCTYPE")) return Fault{std::string(kDoctypeFault), 1, 1};
    const Tag tag = read_tag(bytes, at);
    if (tag.attributes > most) {
      return Fault{"an element has more than " + std::to_string(most) + " attributes and declarations"};
    }
    at = tag.end;
  }
  return std::nullopt;
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
  if (std::optional<Fault> fault = fault_of_bytes(bytes, limits)) return *std::move(fault);

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
    return Fault{std::string(kDoctypeFault), 1, 1};
  }
  const std::string_view encoding =
      parsed->encoding != nullptr ? reinterpret_cast<const char*>(parsed->encoding) : std::string_view("UTF-8");
  if (!is_encoding_taken(encoding)) return fault_of_encoding(encoding);
  xmlNode* const root = xmlDocGetRootElement(parsed);
  if (root == nullptr) return Fault{"the document has no root element", 1, 1};
  Result<bool> within = check_limits(root, limits);
  if (!within) return within.fault();
  return Document(std::move(tree));
}

}  // namespace courant::schema
