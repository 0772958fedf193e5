#include "xslt/reading_view.h"

#include <optional>
#include <string>

#include <libxml/tree.h>

#include "kernel/text.h"
#include "kernel/time.h"
#include "kernel/uri.h"
#include "xslt/allow_list.h"
#include "xslt/owned.h"
#include "xslt/sanitiser.h"

namespace courant::xslt {
namespace {

constexpr std::string_view kAtom = "http://www.w3.org/2005/Atom";
constexpr std::size_t kLongestFilter = 1000;  // bytes of a term

const xmlChar* to_xml(const char* text) {
  return reinterpret_cast<const xmlChar*>(text);
}

bool is_atom(const xmlNode& node, std::string_view name) {
  return node.type == XML_ELEMENT_NODE && node.ns != nullptr && view_of(node.ns->href) == kAtom &&
         view_of(node.name) == name;
}

std::string attribute_of(xmlNode& node, const char* name) {
  const Owned<xmlChar> value(xmlGetNoNsProp(&node, to_xml(name)));
  return std::string(view_of(value.get()));
}

std::string text_of(const xmlNode& node) {
  const Owned<xmlChar> text(xmlNodeGetContent(&node));
  return std::string(view_of(text.get()));
}

// Writes attributes of our namespace.
class Shown {
 public:
  explicit Shown(xmlNode& root) : ns_(xmlNewNs(&root, to_xml(kShownNamespace), to_xml("courant-shown"))) {}

  // Whatever of the namespace stands there by whomever.
  static void clear(xmlNode& node) {
    for (xmlAttr* attribute = node.properties; attribute != nullptr;) {
      xmlAttr* const next = attribute->next;
      if (attribute->ns != nullptr && view_of(attribute->ns->href) == kShownNamespace) xmlRemoveProp(attribute);
      attribute = next;
    }
  }
  void set(xmlNode& node, const char* name, const std::string& value) const {
    xmlNewNsProp(&node, ns_, to_xml(name), to_xml(value.c_str()));
  }

 private:
  xmlNs* ns_;
};

std::string cut(std::string text) {
  if (text.size() <= kMostText) return text;
  const std::string whole = std::to_string(text.size());
  std::size_t end = kMostText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // within a character
  text.resize(end);
  return text + "\n… (cut here: it has " + whole + " bytes)";
}

std::string indented(xmlNode& content) {
  const Owned<xmlBuffer> buffer(xmlBufferCreate());
  for (xmlNode* child = content.children; child != nullptr; child = child->next) {
    xmlNodeDump(buffer.get(), content.doc, child, 0, 1);
  }
  return std::string(trim(view_of(xmlBufferContent(buffer.get()))));
}

xmlNode* first_element(const xmlNode& parent) {
  for (xmlNode* child = parent.children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE) return child;
  }
  return nullptr;
}

bool is_json(std::string_view type) {
  return type.ends_with("/json") || type.ends_with("+json");
}

// atom:content and atom:summary (RFC 4287 sections 3.1.1 and 4.1.3).
void show_text(const Shown& shown, xmlNode& construct) {
  const std::string type = attribute_of(construct, "type");
  xmlNode* const element = first_element(construct);
  if (type == "html") {
    shown.set(construct, "html", sanitised_html(text_of(construct)));
  } else if (type == "xhtml" && element != nullptr) {
    shown.set(construct, "html", sanitised_xhtml(*element));
  } else if (element != nullptr) {
    shown.set(construct, "text", cut(indented(construct)));
    shown.set(construct, "kind", "code");
  } else {
    shown.set(construct, "text", cut(text_of(construct)));
    if (is_json(type)) shown.set(construct, "kind", "code");
  }
}

void show_title(const Shown& shown, xmlNode& title) {
  const std::string type = attribute_of(title, "type");
  std::string text = type == "xhtml" ? text_of_xhtml(title) : text_of(title);
  if (type == "html") text = text_of_html(text);
  shown.set(title, "text", std::string(trim(text)));
}

void show_link(const Shown& shown, xmlNode& node, const char* attribute) {
  const std::optional<std::string> address = allowed_address(attribute_of(node, attribute));
  if (address && !address->starts_with("mailto:")) shown.set(node, "href", *address);
}

// The form with '+' says every term without one.
void show_filter(const Shown& shown, xmlNode& category) {
  const std::string term = attribute_of(category, "term");
  if (term.empty() || term.size() > kLongestFilter || term.find('+') != std::string::npos) return;
  shown.set(category, "query", "?search=" + percent_encode("+" + term));
}

// "Fri, 27 Nov 2026 02:45:10 GMT" without the day of the week.
void show_time(const Shown& shown, xmlNode& date) {
  const std::optional<Instant> instant = parse_rfc3339(trim(text_of(date)));
  if (!instant) return;
  const std::string words = format_http_date(*instant);
  shown.set(date, "time", words.substr(5, 11) + ", " + words.substr(17, 8) + " UTC");
}

void show_entry(const Shown& shown, xmlNode& entry) {
  for (xmlNode* child = entry.children; child != nullptr; child = child->next) {
    if (child->type != XML_ELEMENT_NODE) continue;
    Shown::clear(*child);
    if (is_atom(*child, "content") || is_atom(*child, "summary")) show_text(shown, *child);
    if (is_atom(*child, "content")) show_link(shown, *child, "src");
    if (is_atom(*child, "title")) show_title(shown, *child);
    if (is_atom(*child, "link")) show_link(shown, *child, "href");
    if (is_atom(*child, "category")) show_filter(shown, *child);
    if (is_atom(*child, "updated") || is_atom(*child, "published")) show_time(shown, *child);
  }
}

// The last link with the relation: ours stand behind those of publishers.
std::string link_of(const xmlNode& parent, std::string_view relation) {
  std::string href;
  for (xmlNode* child = parent.children; child != nullptr; child = child->next) {
    if (is_atom(*child, "link") && attribute_of(*child, "rel") == relation) href = attribute_of(*child, "href");
  }
  return href;
}

void show_place(const Shown& shown, xmlNode& root, const std::string& feed_url) {
  shown.set(root, "feed", feed_url);
  const std::optional<Uri> uri = parse_uri(feed_url);
  if (!uri) return;
  shown.set(root, "path", uri->path);
  const std::vector<std::string_view> pieces = split(uri->path, '/');
  if (pieces.size() > 2) shown.set(root, "workspace", std::string(pieces[pieces.size() - 2]));
}

bool is_archive(const xmlNode& feed) {
  for (const xmlNode* child = feed.children; child != nullptr; child = child->next) {
    if (child->type == XML_ELEMENT_NODE && view_of(child->name) == "archive") return true;
    if (is_atom(*child, "entry")) return false;
  }
  return false;
}

// What the page's own URL asks for.
void show_query(const Shown& shown, xmlNode& feed) {
  const std::string self = link_of(feed, "self");
  const std::size_t mark = self.find('?');
  const std::optional<Parameters> query = parse_query(mark == std::string::npos ? "" : self.substr(mark + 1));
  if (!query) return;
  const std::string* const search = find_parameter(*query, "search");
  if (search != nullptr) shown.set(feed, "search", *search);
  const bool is_newest = find_parameter(*query, "marker") == nullptr && find_parameter(*query, "startingAt") == nullptr;
  if (!is_newest || is_archive(feed)) return;
  shown.set(feed, "live", "?format=events" + (search == nullptr ? "" : "&search=" + percent_encode(*search)));
}

void show_feed(const Shown& shown, xmlNode& feed) {
  show_place(shown, feed, link_of(feed, "current"));
  show_query(shown, feed);
  for (xmlNode* child = feed.children; child != nullptr; child = child->next) {
    if (is_atom(*child, "updated")) show_time(shown, *child);
    if (is_atom(*child, "entry")) show_entry(shown, *child);
  }
}

}  // namespace

void add_reading_view(_xmlDoc& document) {
  xmlNode* const root = xmlDocGetRootElement(&document);
  if (root == nullptr) return;
  Shown::clear(*root);
  const Shown shown(*root);
  if (is_atom(*root, "feed")) return show_feed(shown, *root);
  if (!is_atom(*root, "entry")) return;
  const std::string self = link_of(*root, "self");
  show_place(shown, *root, self.substr(0, self.rfind("/entries/")));
  show_entry(shown, *root);
}

}  // namespace courant::xslt
