#include "feeds/rss.h"

#include <sstream>

#include <pugixml.hpp>

#include "feeds/representation.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

void add(pugi::xml_node& parent, const char* name, const std::string& text) {
  parent.append_child(name).text().set(text.c_str());
}

// RFC 822, which RSS wants, is what HTTP dates are.
std::string rss_date(const std::string& rfc3339) {
  const std::optional<Instant> instant = parse_rfc3339(rfc3339);
  return instant ? format_http_date(*instant) : std::string();
}

// It is HTML, so what is text is written as HTML.
std::string description_of(const EntryView& entry) {
  if (entry.content.empty()) return xml_text(entry.summary);
  if (entry.content_type == "html" || entry.content_type == "xhtml") return entry.content;
  if (entry.content_type == "text") return xml_text(entry.content);
  return "<pre>" + xml_text(entry.content) + "</pre>";
}

void add_enclosure(pugi::xml_node& item, const LinkView& link) {
  pugi::xml_node enclosure = item.append_child("enclosure");
  enclosure.append_attribute("url") = link.href.c_str();
  enclosure.append_attribute("length") = link.length.empty() ? "0" : link.length.c_str();
  enclosure.append_attribute("type") = link.type.empty() ? "application/octet-stream" : link.type.c_str();
}

// What is linked to as such, and content that stands elsewhere.
std::vector<LinkView> enclosures_of(const EntryView& entry) {
  std::vector<LinkView> enclosures;
  for (const LinkView& link : entry.links) {
    if (link.rel == "enclosure") enclosures.push_back(link);
  }
  if (!entry.content_src.empty()) {
    enclosures.push_back({"enclosure", entry.content_src, entry.content_type, "", entry.content_length});
  }
  return enclosures;
}

void add_item(pugi::xml_node& channel, const EntryView& entry) {
  pugi::xml_node item = channel.append_child("item");
  add(item, "title", entry.title);
  const std::string alternate = href_of(entry.links, "alternate");
  add(item, "link", alternate.empty() ? href_of(entry.links, "self") : alternate);
  add(item, "description", description_of(entry));
  for (const std::string& author : entry.authors) add(item, "dc:creator", author);
  for (const std::string& term : entry.categories) add(item, "category", term);
  const std::vector<LinkView> enclosures = enclosures_of(entry);
  if (!enclosures.empty()) add_enclosure(item, enclosures.front());  // RSS knows one
  pugi::xml_node guid = item.append_child("guid");
  guid.append_attribute("isPermaLink") = "false";
  guid.text().set(entry.id.c_str());
  add(item, "pubDate", rss_date(entry.published));
}

}  // namespace

std::string rss(const FeedView& feed, std::string_view suffix) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version") = "1.0";
  declaration.append_attribute("encoding") = "UTF-8";
  pugi::xml_node root = document.append_child("rss");
  root.append_attribute("version") = "2.0";
  root.append_attribute("xmlns:atom") = "http://www.w3.org/2005/Atom";
  root.append_attribute("xmlns:dc") = "http://purl.org/dc/elements/1.1/";
  pugi::xml_node channel = root.append_child("channel");
  add(channel, "title", feed.title);
  add(channel, "link", href_of(feed.links, "current"));
  add(channel, "description", feed.title);
  add(channel, "lastBuildDate", rss_date(feed.updated));
  for (const char* const rel : {"self", "previous", "next", "hub"}) {
    const std::string href = href_of(feed.links, rel);
    if (href.empty()) continue;
    const bool is_other_page = rel == std::string_view("previous") || rel == std::string_view("next");
    pugi::xml_node link = channel.append_child("atom:link");
    link.append_attribute("rel") = rel;
    if (rel == std::string_view("self")) link.append_attribute("type") = "application/rss+xml";
    link.append_attribute("href") = (is_other_page ? with_suffix(href, suffix) : href).c_str();
  }
  if (feed.range) {
    pugi::xml_node range = channel.append_child("c:range");
    range.append_attribute("xmlns:c") = "urn:courant:log:1";
    range.append_attribute("previous") = static_cast<long long>(feed.range->first);
    range.append_attribute("position") = static_cast<long long>(feed.range->second);
  }
  for (const EntryView& entry : feed.entries) add_item(channel, entry);
  std::ostringstream out;
  document.save(out, "", pugi::format_raw, pugi::encoding_utf8);
  return out.str() + "\n";
}

}  // namespace courant::feeds
