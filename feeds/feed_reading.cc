#include "feeds/feed_reading.h"

#include <sstream>

#include <pugixml.hpp>

#include "kernel/text.h"

namespace courant::feeds {
namespace {

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node child_named(const pugi::xml_node& parent, std::string_view name) {
  return parent.find_child([&](const pugi::xml_node& child) { return local_name(child) == name; });
}

std::string text_in(const pugi::xml_node& parent, std::string_view name) {
  return child_named(parent, name).text().get();
}

ReadEntry read_entry_element(const pugi::xml_node& node) {
  ReadEntry entry;
  entry.position = child_named(node, "log").attribute("position").as_llong();
  entry.id = text_in(node, "id");
  entry.title = text_in(node, "title");
  entry.updated = text_in(node, "updated");
  std::ostringstream xml;
  node.print(xml, "", pugi::format_raw);
  entry.xml = xml.str();
  return entry;
}

}  // namespace

Result<ReadFeed> read_feed_document(std::string_view bytes) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(bytes.data(), bytes.size());
  if (!parsed) return Fault{std::string("this is not XML: ") + parsed.description()};
  const pugi::xml_node root = document.document_element();
  if (local_name(root) != "feed")
    return Fault{"this is not an Atom feed: its root element is " + std::string(root.name())};
  ReadFeed feed;
  feed.title = text_in(root, "title");
  for (const pugi::xml_node& child : root.children()) {
    if (local_name(child) == "entry") feed.entries.push_back(read_entry_element(child));
  }
  return feed;
}

}  // namespace courant::feeds
