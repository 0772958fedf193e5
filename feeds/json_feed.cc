#include "feeds/json_feed.h"

#include <nlohmann/json.hpp>

#include "feeds/representation.h"

namespace courant::feeds {
namespace {

using nlohmann::ordered_json;

ordered_json authors_of(const std::vector<std::string>& names) {
  ordered_json authors = ordered_json::array();
  for (const std::string& name : names) authors.push_back({{"name", name}});
  return authors;
}

ordered_json item_of(const EntryView& entry) {
  ordered_json item = {{"id", entry.id}};
  const std::string alternate = href_of(entry.links, "alternate");
  item["url"] = alternate.empty() ? href_of(entry.links, "self") : alternate;
  if (!entry.title.empty()) item["title"] = entry.title;
  const bool is_html = entry.content_type == "html" || entry.content_type == "xhtml";
  item[is_html ? "content_html" : "content_text"] = entry.content;
  if (!entry.summary.empty()) item["summary"] = entry.summary;
  item["date_published"] = entry.published;
  item["date_modified"] = entry.updated;
  item["authors"] = authors_of(entry.authors);
  if (!entry.categories.empty()) item["tags"] = entry.categories;
  ordered_json attachments = ordered_json::array();
  const auto attach = [&attachments](const std::string& url, const std::string& type, const std::string& title,
                                     const std::string& length) {
    ordered_json attachment = {{"url", url}, {"mime_type", type.empty() ? "application/octet-stream" : type}};
    if (!title.empty()) attachment["title"] = title;
    if (!length.empty()) attachment["size_in_bytes"] = std::strtoll(length.c_str(), nullptr, 10);
    attachments.push_back(std::move(attachment));
  };
  for (const LinkView& link : entry.links) {
    if (link.rel == "enclosure") attach(link.href, link.type, link.title, link.length);
  }
  if (!entry.content_src.empty()) attach(entry.content_src, entry.content_type, "", entry.content_length);
  if (!attachments.empty()) item["attachments"] = attachments;
  ordered_json ours = {{"position", entry.position}, {"leaf", entry.leaf}, {"salt", entry.salt}};
  if (!entry.content_type.empty()) ours["content_type"] = entry.content_type;
  item["_courant"] = std::move(ours);
  return item;
}

}  // namespace

std::string json_feed(const FeedView& feed, std::string_view suffix) {
  const auto link = [&feed, suffix](std::string_view rel) {
    const std::string href = href_of(feed.links, rel);
    return href.empty() ? href : with_suffix(href, suffix);
  };
  ordered_json document = {{"version", "https://jsonfeed.org/version/1.1"}, {"title", feed.title}};
  document["home_page_url"] = href_of(feed.links, "current");
  document["feed_url"] = href_of(feed.links, "self");
  if (const std::string next = link("next"); !next.empty()) document["next_url"] = next;
  document["authors"] = authors_of({feed.author});
  if (const std::string hub = href_of(feed.links, "hub"); !hub.empty()) {
    document["hubs"] = ordered_json::array({{{"type", "WebSub"}, {"url", hub}}});
  }
  ordered_json ours = {{"id", feed.id}, {"updated", feed.updated}};
  for (const std::string_view rel : {"previous", "last", "prev-archive"}) {
    if (const std::string href = rel == "prev-archive" ? href_of(feed.links, rel) : link(rel); !href.empty()) {
      ours[std::string(rel)] = href;
    }
  }
  if (feed.range) ours["range"] = {{"previous", feed.range->first}, {"position", feed.range->second}};
  document["_courant"] = std::move(ours);
  ordered_json items = ordered_json::array();
  for (const EntryView& entry : feed.entries) items.push_back(item_of(entry));
  document["items"] = std::move(items);
  return document.dump(1) + "\n";
}

std::string json_item(const EntryView& entry) {
  return item_of(entry).dump();
}

}  // namespace courant::feeds
