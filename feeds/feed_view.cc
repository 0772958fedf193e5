#include "feeds/feed_view.h"

#include <sstream>
#include <stdexcept>

#include <pugixml.hpp>

#include "feeds/atom_rules.h"
#include "feeds/cloud_events.h"
#include "feeds/prepared_entry.h"
#include "kernel/text.h"
#include "xslt/sanitiser.h"

namespace courant::feeds {
namespace {

// The markup inside an element, without the prefix that its own name has: XHTML as HTML writes it.
void write_inside(std::ostream& out, pugi::xml_node element) {
  const std::string_view name = element.name();
  const std::size_t colon = name.find(':');
  const std::string prefix(colon == std::string_view::npos ? "" : name.substr(0, colon + 1));
  struct Unprefix : pugi::xml_tree_walker {
    explicit Unprefix(const std::string& the_prefix) : prefix(the_prefix) {}
    bool for_each(pugi::xml_node& node) override {
      const std::string_view full = node.name();
      if (!prefix.empty() && full.starts_with(prefix)) node.set_name(std::string(full.substr(prefix.size())).c_str());
      return true;
    }
    const std::string& prefix;
  } unprefix(prefix);
  element.traverse(unprefix);
  for (const pugi::xml_node& child : element.children()) child.print(out, "", pugi::format_raw);
}

// A title or summary without its markup (RFC 4287 section 3.1.1).
std::string plain_text(const pugi::xml_node& construct) {
  const std::string_view type = construct.attribute("type").value();
  if (type == "html") return std::string(trim(xslt::text_of_html(construct.text().get())));
  if (type != "xhtml") return construct.text().get();
  struct Gather : pugi::xml_tree_walker {
    bool for_each(pugi::xml_node& node) override {
      text += node.value();
      return true;
    }
    std::string text;
  } gather;
  pugi::xml_node(construct).traverse(gather);
  return gather.text;
}

bool is_markup(std::string_view type) {
  return type == "xhtml" || type.ends_with("+xml") || type.ends_with("/xml");
}

void read_content(EntryView& view, const pugi::xml_node& content) {
  view.content_type = content.attribute("type").as_string("text");
  view.content_src = content.attribute("src").value();
  if (!is_markup(view.content_type)) {
    view.content = content.text().get();
    return;
  }
  std::ostringstream out;
  const pugi::xml_node element =
      content.find_child([](const pugi::xml_node& n) { return n.type() == pugi::node_element; });
  if (view.content_type == "xhtml") {
    write_inside(out, element);
  } else {
    element.print(out, "", pugi::format_raw);
  }
  view.content = out.str();
}

LinkView view_of_link(const pugi::xml_node& link) {
  return {link.attribute("rel").as_string("alternate"), link.attribute("href").value(), link.attribute("type").value(),
          link.attribute("title").value(), link.attribute("length").value()};
}

EntryView view_of(const pugi::xml_node& entry) {
  EntryView view;
  std::ostringstream xml;
  entry.print(xml, "", pugi::format_raw);
  view.xml = xml.str();
  for (const pugi::xml_node& child : entry.children()) {
    // Elements of others may have the names of Atom's.
    const std::string_view other = child.attribute("xmlns").value();
    const std::string_view name = other.empty() || other == kAtomNamespace ? child.name() : "";
    if (other == kEntryNamespace && std::string_view(child.name()) == "media") {
      view.content_length = child.attribute("length").value();
    }
    const char* const text = child.text().get();
    if (name == "id") view.id = text;
    if (name == "title") view.title = plain_text(child);
    if (name == "summary") view.summary = plain_text(child);
    if (name == "published") view.published = text;
    if (name == "updated") view.updated = text;
    if (name == "author") view.authors.emplace_back(child.child("name").text().get());
    if (name == "category") view.categories.emplace_back(child.attribute("term").value());
    if (name == "link") view.links.push_back(view_of_link(child));
    if (name == "content") read_content(view, child);
    if (name.ends_with(":event") || name == "event") {
      const std::string declaration =
          "xmlns" + (name == "event" ? "" : ":" + std::string(name.substr(0, name.size() - 6)));
      if (child.attribute(declaration.c_str()).value() == kEventNamespace) {
        view.event = text;
        view.event_data = child.attribute("data").value();
      }
    }
    if (name == "c:log") {
      view.position = child.attribute("position").as_llong();
      view.leaf = child.attribute("leaf").value();
      view.salt = child.attribute("salt").value();
    }
  }
  return view;
}

pugi::xml_node load(pugi::xml_document& document, std::string_view bytes, std::string_view root) {
  const unsigned int options = pugi::parse_default | pugi::parse_ws_pcdata;
  if (!document.load_buffer(bytes.data(), bytes.size(), options) || document.document_element().name() != root) {
    throw std::logic_error("a document of ours cannot be read");
  }
  return document.document_element();
}

}  // namespace

std::string href_of(const std::vector<LinkView>& links, std::string_view rel) {
  for (const LinkView& link : links) {
    if (link.rel == rel) return link.href;
  }
  return {};
}

FeedView view_of_feed(std::string_view bytes) {
  pugi::xml_document document;
  const pugi::xml_node feed = load(document, bytes, "feed");
  FeedView view;
  for (const pugi::xml_node& child : feed.children()) {
    const std::string_view name = child.name();
    if (name == "id") view.id = child.text().get();
    if (name == "title") view.title = child.text().get();
    if (name == "updated") view.updated = child.text().get();
    if (name == "author") view.author = child.child("name").text().get();
    if (name == "link") view.links.push_back(view_of_link(child));
    if (name == "c:range")
      view.range.emplace(child.attribute("previous").as_llong(), child.attribute("position").as_llong());
    if (name == "entry") view.entries.push_back(view_of(child));
  }
  return view;
}

EntryView view_of_entry(std::string_view bytes) {
  pugi::xml_document document;
  return view_of(load(document, bytes, "entry"));
}

}  // namespace courant::feeds
