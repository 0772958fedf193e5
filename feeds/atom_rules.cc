#include "feeds/atom_rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "kernel/text.h"
#include "kernel/time.h"
#include "kernel/uri.h"

namespace courant::feeds {
namespace {

using schema::Element;
using Broken = std::optional<Fault>;

constexpr std::string_view kXhtmlNamespace = "http://www.w3.org/1999/xhtml";

Fault fault(const Element& element, const std::string& detail) {
  return {detail, element.line(), 0};
}
std::string quoted(const Element& element) {
  return "atom:" + std::string(element.name());
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_language_tag(std::string_view tag) {
  if (tag.empty()) return true;  // xml:lang="" takes the language away
  bool is_first = true;
  for (const std::string_view part : split(tag, '-')) {
    if (part.empty() || part.size() > 8) return false;
    for (const char c : part) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && (is_first || c < '0' || c > '9')) return false;
    }
    is_first = false;
  }
  return true;
}

bool is_atom_media_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  const std::size_t slash = type.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < type.size() &&
         type.find_first_of(" \t\r\n/", slash + 1) == std::string_view::npos;
}

// Section 2 and the grammar's "undefinedAttribute": attributes without namespace are only those that RFC 4287 names.
Broken check_attributes(const Element& element, std::initializer_list<std::string_view> allowed) {
  for (const schema::Attribute& attribute : element.attributes()) {
    if (attribute.namespace_uri.empty() && !is_one_of(attribute.name, allowed)) {
      return fault(element, quoted(element) + " may not have the attribute '" + std::string(attribute.name) + "'");
    }
    if (attribute.namespace_uri != kXmlNamespace) continue;
    if (attribute.name == "lang" && !is_language_tag(attribute.value)) {
      return fault(element, "xml:lang of " + quoted(element) + " is no language tag");
    }
    if (attribute.name == "base" && !is_iri_reference(attribute.value)) {
      return fault(element, "xml:base of " + quoted(element) + " is no IRI reference");
    }
  }
  return std::nullopt;
}

Broken check_no_children(const Element& element) {
  if (!element.children().empty()) return fault(element, quoted(element) + " may not hold elements");
  return std::nullopt;
}

Broken check_xhtml(const Element& element) {
  const std::vector<Element> children = element.children();
  const bool is_div =
      children.size() == 1 && children[0].name() == "div" && children[0].namespace_uri() == kXhtmlNamespace;
  if (!is_div || element.has_direct_text()) {
    return fault(element, quoted(element) + " of type xhtml must hold exactly one xhtml:div");
  }
  return std::nullopt;
}

// Section 3.1: text constructs.
Broken check_text(const Element& element) {
  if (Broken broken = check_attributes(element, {"type"})) return broken;
  const std::string type = element.attribute("type").value_or("text");
  if (type == "xhtml") return check_xhtml(element);
  if (!is_one_of(type, {"text", "html"}))
    return fault(element, "type of " + quoted(element) + " must be text, html or xhtml");
  return check_no_children(element);
}

Broken check_iri(const Element& element) {
  if (Broken broken = check_attributes(element, {})) return broken;
  if (Broken broken = check_no_children(element)) return broken;
  if (!is_iri_reference(trim(element.text()))) return fault(element, quoted(element) + " is no IRI reference");
  return std::nullopt;
}

// Section 3.3: date constructs.
Broken check_date(const Element& element) {
  if (Broken broken = check_attributes(element, {})) return broken;
  if (Broken broken = check_no_children(element)) return broken;
  if (!parse_rfc3339(element.text())) {
    return fault(element, quoted(element) + " must be an RFC 3339 date and time, such as 2026-11-24T09:30:00Z");
  }
  return std::nullopt;
}

// Section 3.2: person constructs.
Broken check_person(const Element& element) {
  if (Broken broken = check_attributes(element, {})) return broken;
  if (element.has_direct_text()) return fault(element, quoted(element) + " may not hold text of its own");
  std::map<std::string, int> seen;
  for (const Element& child : element.children()) {
    if (child.namespace_uri() != kAtomNamespace) continue;
    if (!is_one_of(child.name(), {"name", "uri", "email"}))
      return fault(child, quoted(child) + " may not stand in " + quoted(element));
    if (++seen[std::string(child.name())] > 1)
      return fault(child, quoted(element) + " has more than one " + quoted(child));
    if (child.name() == "uri") {
      if (Broken broken = check_iri(child)) return broken;
      continue;
    }
    if (Broken broken = check_attributes(child, {})) return broken;
    if (Broken broken = check_no_children(child)) return broken;
    const std::string text = child.text();
    const std::size_t at = text.find('@');
    const bool is_email =
        at != std::string::npos && at > 0 && at + 1 < text.size() && text.find('\n') == std::string::npos;
    if (child.name() == "email" && !is_email) return fault(child, "atom:email must be an e-mail address");
  }
  if (seen["name"] != 1) return fault(element, quoted(element) + " must have exactly one atom:name");
  return std::nullopt;
}

Broken check_category(const Element& element) {
  if (Broken broken = check_attributes(element, {"term", "scheme", "label"})) return broken;
  if (!element.attribute("term")) return fault(element, "atom:category must have the attribute 'term'");
  if (const auto scheme = element.attribute("scheme"); scheme && !is_iri_reference(*scheme)) {
    return fault(element, "scheme of atom:category is no IRI");
  }
  return std::nullopt;
}

Broken check_link(const Element& element) {
  if (Broken broken = check_attributes(element, {"href", "rel", "type", "hreflang", "title", "length"})) return broken;
  const std::optional<std::string> href = element.attribute("href");
  if (!href) return fault(element, "atom:link must have the attribute 'href'");
  if (!is_iri_reference(*href)) return fault(element, "href of atom:link is no IRI reference");
  const std::optional<std::string> rel = element.attribute("rel");
  if (rel && (rel->empty() || !is_iri_reference(*rel)))
    return fault(element, "rel of atom:link is neither a name nor an IRI");
  const std::optional<std::string> type = element.attribute("type");
  if (type && !is_atom_media_type(*type)) return fault(element, "type of atom:link is no media type");
  const std::optional<std::string> language = element.attribute("hreflang");
  if (language && (language->empty() || !is_language_tag(*language)))
    return fault(element, "hreflang of atom:link is no language tag");
  return std::nullopt;
}

bool is_xml_type(std::string_view type) {
  const std::string lower = ascii_lower(trim(type.substr(0, type.find(';'))));
  return lower.ends_with("/xml") || lower.ends_with("+xml") ||
         is_one_of(lower, {"text/xml-external-parsed-entity", "application/xml-external-parsed-entity",
                           "application/xml-dtd"});
}

// Section 4.1.3.
Broken check_content(const Element& element) {
  if (Broken broken = check_attributes(element, {"type", "src"})) return broken;
  const std::string type = element.attribute("type").value_or("text");
  if (const std::optional<std::string> src = element.attribute("src")) {
    if (!is_iri_reference(*src)) return fault(element, "src of atom:content is no IRI reference");
    if (!element.children().empty() || !element.text().empty())
      return fault(element, "atom:content with 'src' must be empty");
    if (element.attribute("type") && !is_atom_media_type(type))
      return fault(element, "type of atom:content with 'src' must be a media type");
    return std::nullopt;
  }
  if (type == "xhtml") return check_xhtml(element);
  if (is_one_of(type, {"text", "html"})) return check_no_children(element);
  if (!is_atom_media_type(type))
    return fault(element, "type of atom:content must be text, html, xhtml or a media type");
  if (is_xml_type(type)) return std::nullopt;
  return check_no_children(element);
}

Broken check_known(const Element& element);

// Section 4.2.11: metadata of the feed that an entry comes from.
Broken check_source(const Element& source) {
  if (Broken broken = check_attributes(source, {})) return broken;
  if (source.has_direct_text()) return fault(source, "atom:source may not hold text of its own");
  std::set<std::string> once;
  for (const Element& child : source.children()) {
    if (child.namespace_uri() != kAtomNamespace) continue;
    if (is_one_of(child.name(), {"entry", "feed", "source", "content", "summary", "published"})) {
      return fault(child, quoted(child) + " may not stand in atom:source");
    }
    if (is_one_of(child.name(), {"generator", "icon", "id", "logo", "rights", "subtitle", "title", "updated"}) &&
        !once.insert(std::string(child.name())).second) {
      return fault(child, "atom:source has more than one " + quoted(child));
    }
    if (child.name() == "generator") {
      if (Broken broken = check_attributes(child, {"uri", "version"})) return broken;
      if (Broken broken = check_no_children(child)) return broken;
      const std::optional<std::string> uri = child.attribute("uri");
      if (uri && !is_iri_reference(*uri)) return fault(child, "uri of atom:generator is no IRI reference");
    } else if (is_one_of(child.name(), {"icon", "logo"})) {
      if (Broken broken = check_iri(child)) return broken;
    } else if (child.name() == "subtitle") {
      if (Broken broken = check_text(child)) return broken;
    } else if (Broken broken = check_known(child)) {
      return broken;
    }
  }
  return std::nullopt;
}

// Any child of an entry that RFC 4287 knows.
Broken check_known(const Element& element) {
  const std::string_view name = element.name();
  if (is_one_of(name, {"title", "summary", "rights"})) return check_text(element);
  if (is_one_of(name, {"author", "contributor"})) return check_person(element);
  if (name == "category") return check_category(element);
  if (name == "link") return check_link(element);
  if (name == "content") return check_content(element);
  if (name == "source") return check_source(element);
  if (is_one_of(name, {"published", "updated"})) return check_date(element);
  if (name == "id") return check_iri(element);
  return fault(element, quoted(element) + " is no element that RFC 4287 allows here");
}

bool is_known(std::string_view name) {
  return is_one_of(name, {"title", "summary", "rights", "author", "contributor", "category", "link", "content",
                          "source", "published", "updated", "id"});
}

// What section 4.1.2 says of several children together.
struct Together {
  std::set<std::string> once;
  std::set<std::string> alternates;
  bool needs_summary = false;

  Broken see(const Element& child) {
    const std::string name(child.name());
    if (is_one_of(name, {"content", "id", "published", "rights", "source", "summary", "title", "updated"}) &&
        !once.insert(name).second) {
      return fault(child, "the entry has more than one atom:" + name);
    }
    if (name == "link" && child.attribute("rel").value_or("alternate") == "alternate" &&
        !alternates.insert(child.attribute("type").value_or("") + "\n" + child.attribute("hreflang").value_or(""))
             .second) {
      return fault(child, "the entry has two alternate links of the same type and hreflang");
    }
    if (name == "content") {
      const std::string type = ascii_lower(child.attribute("type").value_or("text"));
      const bool is_inline_text =
          is_one_of(type, {"text", "html", "xhtml"}) || is_xml_type(type) || type.starts_with("text/");
      needs_summary = child.attribute("src").has_value() || !is_inline_text;
    }
    return std::nullopt;
  }
};

}  // namespace

std::optional<Fault> broken_rule(Element& entry, bool lenient) {
  if (Broken broken = check_attributes(entry, {})) return broken;
  if (entry.has_direct_text()) return fault(entry, "atom:entry may not hold text of its own");
  Together together;
  for (Element& child : entry.children()) {
    if (child.namespace_uri() != kAtomNamespace) continue;
    if (lenient && !is_known(child.name())) {
      child.remove();
      continue;
    }
    const bool is_empty = trim(child.text()).empty();
    // Taken kindly: an empty id counts as absent; published is ours alone.
    if ((child.name() == "id" && is_empty) || child.name() == "published") {
      if (Broken broken = together.see(child)) return broken;
      continue;
    }
    if (child.name() == "updated" && is_empty) return fault(child, "atom:updated is blank");
    if (Broken broken = check_known(child)) return broken;
    if (Broken broken = together.see(child)) return broken;
  }
  if (together.needs_summary && !together.once.contains("summary")) {
    return fault(entry, "atom:summary is missing: it must be there where atom:content has 'src' or is no text");
  }
  return std::nullopt;
}

bool has_relative_references(const Element& entry) {
  const auto is_relative = [](std::string_view iri) { return !parse_uri(iri).has_value(); };
  for (const Element& child : entry.children()) {
    if (child.namespace_uri() != kAtomNamespace) continue;
    for (const std::string_view name : {"href", "src"}) {
      const std::optional<std::string> value = child.attribute(name);
      if (value && is_relative(*value)) return true;
    }
    for (const Element& inner : child.children()) {
      if (inner.namespace_uri() == kAtomNamespace && inner.name() == "uri" && is_relative(trim(inner.text())))
        return true;
    }
  }
  return false;
}

}  // namespace courant::feeds
