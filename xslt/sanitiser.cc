#include "xslt/sanitiser.h"

#include <algorithm>
#include <optional>

#include <libxml/HTMLparser.h>
#include <libxml/tree.h>

#include "kernel/text.h"
#include "xslt/allow_list.h"
#include "xslt/owned.h"

namespace courant::xslt {
namespace {

constexpr std::string_view kXhtml = "http://www.w3.org/1999/xhtml";
constexpr int kMostVisited = 300;  // levels: the parsers stop before
constexpr int kMostInTag = 500;

// Controls have no place in HTML; libxml2 lets some through that were written as character references.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (byte >= 0x20 ? byte != 0x7F : c == '\n' || c == '\t') {
      out += c;
    }
  }
}

void append_attribute(std::string& out, std::string_view name, std::string_view value) {
  out.append(" ").append(name).append("=\"");
  append_escaped(out, value);
  out += '"';
}

std::string value_of(const xmlAttr& attribute) {
  const Owned<xmlChar> value(xmlNodeListGetString(attribute.doc, attribute.children, 1));
  return std::string(view_of(value.get()));
}

std::optional<std::string> value_of(const xmlNode& element, std::string_view name) {
  for (const xmlAttr* attribute = element.properties; attribute != nullptr; attribute = attribute->next) {
    if (attribute->ns == nullptr && equal_ignoring_case(view_of(attribute->name), name)) return value_of(*attribute);
  }
  return std::nullopt;
}

// Elements of other languages than HTML are dropped with what they hold.
bool is_foreign(const xmlNode& element) {
  return element.ns != nullptr && view_of(element.ns->href) != kXhtml;
}

// Writes what is allowed of a tree.
class Writer {
 public:
  void write_inside(const xmlNode& parent, int level = 0) {
    if (level > kMostVisited) return;
    for (const xmlNode* child = parent.children; child != nullptr; child = child->next) write(*child, level);
  }
  std::string text() && { return std::move(out_); }

 private:
  void write(const xmlNode& node, int level) {
    if (node.type == XML_TEXT_NODE || node.type == XML_CDATA_SECTION_NODE)
      return append_escaped(out_, view_of(node.content));
    if (node.type != XML_ELEMENT_NODE) return;
    if (is_foreign(node)) return;
    const std::string name = ascii_lower(view_of(node.name));
    if (name == "img") return write_image(node);
    const ElementRule rule = rule_of(name);
    if (rule.fate == Fate::kDropped) return;
    const bool is_kept = rule.fate == Fate::kKept && nested_ < kMostNested;
    if (!is_kept) return write_inside(node, level + 1);
    if (rule.name == "a") return write_link(node, level);
    out_.append("<").append(rule.name);
    write_attributes(node, rule.name);
    out_ += '>';
    if (rule.is_void) return;
    ++nested_;
    write_inside(node, level + 1);
    --nested_;
    out_.append("</").append(rule.name).append(">");
  }

  void write_attributes(const xmlNode& node, std::string_view element) {
    for (const xmlAttr* attribute = node.properties; attribute != nullptr; attribute = attribute->next) {
      if (attribute->ns != nullptr) continue;
      const std::string name = ascii_lower(view_of(attribute->name));
      const std::optional<std::string> value = allowed_value(element, name, value_of(*attribute));
      if (value) append_attribute(out_, name, *value);
    }
  }

  void begin_link(const std::string& address) {
    out_ += "<a";
    append_attribute(out_, "href", address);
    append_attribute(out_, "rel", "nofollow noopener noreferrer");
    out_ += '>';
  }

  // No link stands within another.
  void write_link(const xmlNode& node, int level) {
    const std::optional<std::string> given = value_of(node, "href");
    const std::optional<std::string> address = given && !is_in_link_ ? allowed_address(*given) : std::nullopt;
    if (!address) return write_inside(node, level + 1);
    begin_link(*address);
    is_in_link_ = true;
    ++nested_;
    write_inside(node, level + 1);
    --nested_;
    is_in_link_ = false;
    out_ += "</a>";
  }

  // A page loads nothing from anybody: who reads it decides whom he asks for a picture.
  void write_image(const xmlNode& node) {
    const std::string words = value_of(node, "alt").value_or("");
    const std::optional<std::string> given = value_of(node, "src");
    const std::optional<std::string> address = given && !is_in_link_ ? allowed_address(*given) : std::nullopt;
    const bool is_link = address && !address->starts_with("mailto:") && nested_ < kMostNested;
    if (is_link) begin_link(*address);
    append_escaped(out_, words.empty() ? "[image]" : "[image: " + words + "]");
    if (is_link) out_ += "</a>";
  }

  std::string out_;
  int nested_ = 0;
  bool is_in_link_ = false;
};

void append_text_inside(std::string& text, const xmlNode& parent, int level) {
  if (level > kMostVisited) return;
  for (const xmlNode* child = parent.children; child != nullptr; child = child->next) {
    if (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) {
      text += view_of(child->content);
    } else if (child->type == XML_ELEMENT_NODE && !is_foreign(*child) &&
               rule_of(ascii_lower(view_of(child->name))).fate != Fate::kDropped) {
      append_text_inside(text, *child, level + 1);
    }
  }
}

// Whether a parser might find a tag in it with more attributes than it should compare with each other, whatever it
// takes for a tag, a comment or a value: blanks and quotes part attributes, and a tag that may be open ends at a '>'
// that may be outside of quotes. -1: it cannot be there.
bool has_crowded_tag(std::string_view html) {
  int in_tag = -1;  // how many parts the tag may have that is open here
  int in_double = -1;
  int in_single = -1;
  const auto one_more = [](int parts) { return parts < 0 ? parts : parts + 1; };
  const auto at_quote = [&](int& in_value) {
    const int before = in_tag;
    in_tag = std::max(one_more(in_tag), in_value);
    in_value = one_more(before);
  };
  for (const char c : html) {
    if (c == '<') in_tag = std::max(in_tag, 0);
    if (c == '>') in_tag = -1;
    if (c == '"') at_quote(in_double);
    if (c == '\'') at_quote(in_single);
    if (static_cast<unsigned char>(c) <= 0x20) in_tag = one_more(in_tag);
    if (in_tag > kMostInTag) return true;
  }
  return false;
}

// Null: there is nothing in it.
Owned<xmlDoc> parse_html(std::string_view html) {
  constexpr int kOptions = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                           HTML_PARSE_NODEFDTD | HTML_PARSE_IGNORE_ENC;
  return Owned<xmlDoc>(htmlReadMemory(html.data(), static_cast<int>(html.size()), nullptr, "UTF-8", kOptions));
}

const xmlNode& as_node(const xmlDoc& document) {
  return reinterpret_cast<const xmlNode&>(document);  // as libxml2 has it: both begin alike
}

}  // namespace

std::string sanitised_html(std::string_view html) {
  if (html.size() > kMostMarkup || has_crowded_tag(html)) {
    std::string out = "<pre>";
    append_escaped(out, html);
    return out + "</pre>";
  }
  Writer writer;
  if (const Owned<xmlDoc> document = parse_html(html)) writer.write_inside(as_node(*document));
  return std::move(writer).text();
}

std::string sanitised_xhtml(const _xmlNode& element) {
  Writer writer;
  writer.write_inside(element);
  return std::move(writer).text();
}

std::string text_of_html(std::string_view html) {
  if (html.size() > kMostMarkup || has_crowded_tag(html)) return std::string(html);
  std::string text;
  if (const Owned<xmlDoc> document = parse_html(html)) append_text_inside(text, as_node(*document), 0);
  return text;
}

std::string text_of_xhtml(const _xmlNode& element) {
  std::string text;
  append_text_inside(text, element, 0);
  return text;
}

}  // namespace courant::xslt
