#include "schema/root_names.h"

#include <filesystem>
#include <map>
#include <vector>

#include "kernel/text.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

constexpr std::string_view kRelaxNg = "http://relaxng.org/ns/structure/1.0";
constexpr std::string_view kXmlSchema = "http://www.w3.org/2001/XMLSchema";

// The namespace of a name without prefix: the nearest ns attribute.
struct Pattern {
  Element element;
  std::string ns;
};

std::string ns_in(const Element& element, const std::string& inherited) {
  return element.attribute("ns").value_or(inherited);
}

// Follows the start pattern of a grammar to the elements that it begins with.
class Search {
 public:
  explicit Search(Loading& loading) : loading_(loading) {}

  std::optional<Fault> run(const Document& grammar, const std::string& url) {
    const Element root = Element::root_of(grammar);
    if (root.name() == "grammar") {
      if (std::optional<Fault> fault = collect(root, ns_in(root, ""), url)) return fault;
      for (const Pattern& start : starts_) follow_children(start.element, start.ns);
    } else {
      follow(root, "");
    }
    if (!found_.is_any && found_.namespaces.empty()) {
      return Fault{"it cannot be told which elements its documents begin with: it needs a start pattern"};
    }
    return std::nullopt;
  }

  RootNames found() && { return std::move(found_); }

 private:
  // Definitions and start patterns, of included files as well.
  std::optional<Fault> collect(const Element& grammar, const std::string& ns, const std::string& url) {
    for (const Element& child : grammar.children()) {
      if (child.namespace_uri() != kRelaxNg) continue;
      const std::string own = ns_in(child, ns);
      if (child.name() == "start") starts_.push_back({child, own});
      if (child.name() == "define") {
        definitions_.emplace(std::string(trim(child.attribute("name").value_or(""))), Pattern{child, own});
      }
      if (child.name() == "div" || child.name() == "include") {
        if (std::optional<Fault> fault = collect(child, own, url)) return fault;
      }
      if (child.name() == "include") {
        if (std::optional<Fault> fault = include(child.attribute("href").value_or(""), own, url)) return fault;
      }
    }
    return std::nullopt;
  }

  std::optional<Fault> include(const std::string& href, const std::string& ns, const std::string& url) {
    const std::string path = (std::filesystem::path(url).parent_path() / href).string();
    const Result<std::string> text = loading_.read(path);
    if (!text) return text.fault();
    Result<Document> document = admit(*text);
    if (!document) return Fault{"the file " + href + ": " + with_place(document.fault())};
    included_.push_back(*std::move(document));
    const Element root = Element::root_of(included_.back());
    return collect(root, ns_in(root, ns), path);
  }

  void follow_children(const Element& pattern, const std::string& ns) {
    for (const Element& child : pattern.children()) follow(child, ns_in(child, ns));
  }

  void follow(const Element& pattern, const std::string& inherited) {
    if (pattern.namespace_uri() != kRelaxNg) return;
    const std::string ns = ns_in(pattern, inherited);
    if (pattern.name() == "element") return take_name(pattern, ns);
    if (pattern.name() == "ref" || pattern.name() == "parentRef") {
      return follow_definition(std::string(trim(pattern.attribute("name").value_or(""))));
    }
    for (const std::string_view around : {"choice", "group", "interleave", "optional", "oneOrMore", "zeroOrMore"}) {
      if (pattern.name() == around) follow_children(pattern, ns);
    }
  }

  // Once: what it begins with is the same wherever it is referred to.
  void follow_definition(const std::string& name) {
    if (depth_ == kDeepest || !followed_.insert(name).second) return;
    ++depth_;
    const auto [first, last] = definitions_.equal_range(name);
    for (auto each = first; each != last; ++each) follow_children(each->second.element, each->second.ns);
    --depth_;
  }

  // The name of an element pattern: an attribute, or its first child.
  void take_name(const Element& element, const std::string& ns) {
    if (const std::optional<std::string> name = element.attribute("name")) {
      found_.namespaces.insert(element.namespace_of_name(trim(*name)).value_or(ns));
      return;
    }
    const std::vector<Element> children = element.children();
    if (!children.empty()) take_class(children.front(), ns_in(children.front(), ns));
  }

  void take_class(const Element& names, const std::string& ns) {
    if (names.name() == "anyName") found_.is_any = true;
    if (names.name() == "nsName") found_.namespaces.insert(ns);
    if (names.name() == "name") found_.namespaces.insert(names.namespace_of_name(trim(names.text())).value_or(ns));
    if (names.name() != "choice") return;
    for (const Element& one : names.children()) take_class(one, ns_in(one, ns));
  }

  static constexpr int kDeepest = 200;  // of definitions that refer to definitions
  Loading& loading_;
  std::vector<Document> included_;
  std::vector<Pattern> starts_;
  std::multimap<std::string, Pattern> definitions_;
  std::set<std::string> followed_;
  int depth_ = 0;
  RootNames found_;
};

}  // namespace

bool is_relax_ng(const Element& root) {
  return root.namespace_uri() == kRelaxNg;
}

bool is_xml_schema(const Element& root) {
  return root.namespace_uri() == kXmlSchema && root.name() == "schema";
}

Result<RootNames> root_names_of_relax_ng(const Document& grammar, const std::string& url, Loading& loading) {
  Search search(loading);
  if (std::optional<Fault> fault = search.run(grammar, url)) return *std::move(fault);
  return std::move(search).found();
}

RootNames root_names_of_xml_schema(const Document& schema) {
  RootNames names;
  names.namespaces.insert(Element::root_of(schema).attribute("targetNamespace").value_or(""));
  return names;
}

}  // namespace courant::schema
