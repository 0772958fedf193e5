#include "schema/marks.h"

#include <memory>
#include <set>

#include "schema/canonical.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

constexpr std::string_view kAtom = "http://www.w3.org/2005/Atom";
constexpr std::string_view kTombstones = "http://purl.org/atompub/tombstones/1.0";
constexpr std::string_view kPublishing = "http://www.w3.org/2007/app";
constexpr std::string_view kEntryNamespace = "urn:courant:entry:1";

bool is_named(const xmlNode* node, std::string_view namespace_uri, std::string_view name) {
  return node->type == XML_ELEMENT_NODE && view(node->name) == name && node->ns != nullptr &&
         view(node->ns->href) == namespace_uri;
}

// By name; an attribute of a namespace has the name "{namespace}name", so that it is not taken for another one.
Attributes attributes_of(const xmlNode* node) {
  Attributes attributes;
  for (const xmlAttr* attribute = node->properties; attribute != nullptr; attribute = attribute->next) {
    const xmlNode* const text = attribute->children;
    const std::string prefix = attribute->ns == nullptr ? "" : "{" + std::string(view(attribute->ns->href)) + "}";
    attributes[prefix + std::string(view(attribute->name))] = text == nullptr ? "" : std::string(view(text->content));
  }
  return attributes;
}

bool has_only(const Attributes& attributes, std::string_view one, std::string_view other) {
  return attributes.size() == 2 && attributes.contains(std::string(one)) && attributes.contains(std::string(other));
}

// The last child of that name in the log's namespace; null: none.
xmlNode* last_mark(const xmlNode* element, std::string_view name) {
  xmlNode* found = nullptr;
  for (xmlNode* child = element->children; child != nullptr; child = child->next) {
    if (is_named(child, kLogNamespace, name)) found = child;
  }
  return found;
}

Fault fault_at(const xmlNode* node, const std::string& what) {
  return Fault{what + " (line " + std::to_string(xmlGetLineNo(node)) + ")"};
}

// What the server writes behind the c:log of an entry, by a name of its own: no leaf covers it, since the server's
// address may change. Empty: the server writes no such thing.
std::string addition(const xmlNode* node) {
  const Attributes attributes = attributes_of(node);
  const xmlNode* const inside = node->children;
  const bool is_text = inside != nullptr && inside->type == XML_TEXT_NODE && inside->next == nullptr;
  if (is_named(node, kPublishing, "edited") && attributes.empty() && is_text) return "edited";
  if (inside != nullptr) return {};
  if (is_named(node, kAtom, "content") && has_only(attributes, "src", "type")) return "content";
  if (!is_named(node, kAtom, "link") || !has_only(attributes, "href", "rel")) return {};
  const std::string& rel = attributes.at("rel");
  return rel == "self" || rel == "edit" || rel == "alternate" || rel == "edit-media" ? rel : std::string();
}

// An entry shows what its leaf covers and what the server adds, each once: content and edit-media where media describe
// bytes, alternate where there is no content.
std::optional<Fault> check_entry(const xmlNode* log) {
  bool has_content = false;
  bool has_media = false;
  for (const xmlNode* node = log->prev; node != nullptr; node = node->prev) {
    has_content = has_content || is_named(node, kAtom, "content");
    has_media = has_media || is_named(node, kEntryNamespace, "media");
  }
  std::set<std::string> added;
  for (const xmlNode* node = log->next; node != nullptr; node = node->next) {
    const std::string what = addition(node);
    bool is_good = !what.empty() && added.insert(what).second;
    if (what == "content") is_good = is_good && has_media && !has_content;
    if (what == "edit-media") is_good = is_good && has_media;
    if (what == "alternate") is_good = is_good && !has_media && !has_content;
    if (!is_good) return fault_at(node, "an entry holds something behind its c:log that is not the server's");
  }
  return std::nullopt;
}

// Nothing stands behind the c:log of a tombstone. What was redacted has no leaf to hold it against, so it shows nothing
// but what was erased.
std::optional<Fault> check_tombstone(const xmlNode* element, const xmlNode* log) {
  if (log->next != nullptr) return fault_at(log, "a deleted-entry holds something behind its c:log");
  if (!attributes_of(log).contains("redacted")) return std::nullopt;
  if (log->prev == nullptr && has_only(attributes_of(element), "ref", "when")) return std::nullopt;
  return fault_at(log, "what was redacted shows more than that it was");
}

// log: null where there is none.
std::optional<Fault> check_element(const xmlNode* element, const xmlNode* log) {
  const std::string name(view(element->name));
  const bool is_entry = is_named(element, kAtom, "entry");
  const bool is_tombstone = is_named(element, kTombstones, "deleted-entry");
  if (!is_entry && !is_tombstone)
    return fault_at(element, "an element " + name + " is neither of Atom nor a tombstone");
  if (log == nullptr) return fault_at(element, "an element " + name + " carries no c:log");
  if (log->children != nullptr) return fault_at(log, "a c:log is not empty");
  if (is_tombstone) return check_tombstone(element, log);
  if (attributes_of(log).contains("redacted")) return fault_at(log, "an entry with content says that it was redacted");
  return check_entry(log);
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
  const xmlNode* const root = xmlDocGetRootElement(document.tree().doc);
  if (!is_named(root, kAtom, "feed") || root->properties != nullptr) {
    return Fault{"the document is not a feed of Courant, whose root is an Atom feed without attributes"};
  }
  for (xmlNode* child = root->children; child != nullptr; child = child->next) {
    if (is_named(child, kLogNamespace, "chain")) {
      if (marked.chain) return fault_at(child, "the document holds a second c:chain");
      marked.chain = attributes_of(child);
    }
    marked.is_archive = marked.is_archive || is_named(child, "http://purl.org/syndication/history/1.0", "archive");
    if (child->type != XML_ELEMENT_NODE) continue;
    const xmlNode* const log = last_mark(child, "log");
    const std::string_view name = view(child->name);
    if (log == nullptr && name != "entry" && name != "deleted-entry") continue;
    if (std::optional<Fault> fault = check_element(child, log)) return *std::move(fault);
    MarkedElement& element = marked.elements.emplace_back();
    element.name = name;
    element.log = attributes_of(log);
    if (name == "deleted-entry") element.ref = attributes_of(child)["ref"];
    if (const xmlNode* const record = last_mark(child, "redacted")) element.record = attributes_of(record);
    Result<std::string> bytes = canonical_before_log(child);
    if (!bytes) return bytes.fault();
    element.canonical = *std::move(bytes);
  }
  return marked;
}

}  // namespace courant::schema
