#include "hub/foreign_news.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "schema/canonical.h"
#include "schema/door.h"
#include "schema/element.h"

namespace courant::hub {
namespace {

using schema::Element;

constexpr std::string_view kAtom = "http://www.w3.org/2005/Atom";
constexpr std::string_view kTombstones = "http://purl.org/atompub/tombstones/1.0";

// An entry is remembered as what it is known by and what it held, 128 bits of a digest each: who makes two of his own
// alike hides one of them from his own subscribers.
constexpr std::size_t kDigestBytes = 16;
constexpr std::size_t kRecordBytes = 2 * kDigestBytes;
constexpr std::size_t kMaxRecords = 10'000;

// libxml2 looks through all that are in scope for every element.
constexpr std::size_t kMaxDeclarations = 5'000;

bool is_named(const Element& element, std::string_view namespace_uri, std::string_view name) {
  return element.namespace_uri() == namespace_uri && element.name() == name;
}

std::string digest_of(std::string_view text) {
  return std::string(bytes_of(sha256(text)).substr(0, kDigestBytes));
}

// The element whose children are the entries; nullopt: the document is no feed.
std::optional<Element> feed_of(const schema::Document& document) {
  const Element root = Element::root_of(document);
  if (is_named(root, kAtom, "feed")) return root;
  if (!is_named(root, {}, "rss")) return std::nullopt;
  for (const Element& child : root.children()) {
    if (is_named(child, {}, "channel")) return child;
  }
  return std::nullopt;
}

bool is_entry(const Element& element) {
  return is_named(element, kAtom, "entry") || is_named(element, kTombstones, "deleted-entry") ||
         is_named(element, {}, "item");
}

// What an entry is known by; empty: nothing but its content.
std::string name_of(const Element& entry) {
  if (is_named(entry, kTombstones, "deleted-entry")) return entry.attribute("ref").value_or("");
  std::string link;
  for (const Element& child : entry.children()) {
    if (is_named(child, kAtom, "id") || is_named(child, {}, "guid")) {
      const std::string text = child.text();
      if (!trim(text).empty()) return std::string(trim(text));
    }
    if (!link.empty()) continue;
    if (is_named(child, {}, "link")) link = trim(child.text());
    const bool is_alternate =
        is_named(child, kAtom, "link") && child.attribute("rel").value_or("alternate") == "alternate";
    if (is_alternate) link = child.attribute("href").value_or("");
  }
  return link;
}

Result<std::string> record_of(const Element& entry) {
  const Result<std::string> content = schema::canonical(entry.alone());
  if (!content) return content.fault();
  const std::string name = name_of(entry);
  const std::string digest = digest_of(*content);
  return (name.empty() ? digest : digest_of(name)) + digest;
}

std::vector<std::string_view> records_in(std::string_view known) {
  std::vector<std::string_view> records;
  for (; known.size() >= kRecordBytes; known.remove_prefix(kRecordBytes)) {
    records.push_back(known.substr(0, kRecordBytes));
  }
  return records;
}

// What the document holds, and behind it what earlier ones held: an entry that is there now is known by what it holds
// now alone, so that one that is changed back has changed.
std::string remembered(const std::vector<std::string>& present, std::string_view known) {
  std::string all;
  std::unordered_set<std::string_view> names;
  for (const std::string& record : present) {
    all += record;
    names.insert(std::string_view(record).substr(0, kDigestBytes));
  }
  for (const std::string_view record : records_in(known)) {
    if (all.size() / kRecordBytes >= kMaxRecords) break;
    if (!names.contains(record.substr(0, kDigestBytes))) all += record;
  }
  return all;
}

std::string media_type_of(const std::string& content_type) {
  return ascii_lower(trim(split(content_type, ';').front()));
}

bool is_of_feeds(const std::string& media_type) {
  constexpr std::string_view kTypes[] = {"application/atom+xml", "application/rss+xml", "application/xml", "text/xml"};
  return std::ranges::find(kTypes, media_type) != std::end(kTypes);
}

// The Content-Type of a feed that is written anew, in UTF-8. A fault where the feed is told to be in something else,
// whatever its bytes look like.
Result<std::string> type_in_utf8(const std::string& content_type) {
  for (const std::string_view part : split(content_type, ';')) {
    const std::string parameter = ascii_lower(trim(part));
    if (!parameter.starts_with("charset=")) continue;
    std::string charset = parameter.substr(std::string_view("charset=").size());
    std::erase(charset, '"');
    if (charset == "utf-8") return content_type;
    if (charset != "us-ascii") return Fault{"its Content-Type says that it is not UTF-8 but " + charset};
    return media_type_of(content_type) + ";charset=utf-8";
  }
  return content_type;
}

std::size_t occurrences(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + word.size())) ++count;
  return count;
}

ForeignNews news_of_whole(std::string body, const std::string& content_type, const std::optional<std::string>& known) {
  ForeignNews news;
  news.known = std::string(bytes_of(sha256(content_type + "\n", body)));
  if (!known || *known == news.known) return news;
  news.entries = 1;
  news.is_whole = true;
  news.content_type = content_type;
  news.body = std::move(body);
  return news;
}

// Leaves in the document what is new. document: what `feed` is of.
Result<ForeignNews> news_of_feed(schema::Document document, Element feed, const std::string& content_type,
                                 const std::optional<std::string>& known) {
  const Result<std::string> type = type_in_utf8(content_type);
  if (!type) return type.fault();
  const std::string_view earlier = known ? std::string_view(*known) : std::string_view();
  const std::vector<std::string_view> records = records_in(earlier);
  const std::unordered_set<std::string_view> before(records.begin(), records.end());
  std::vector<std::string> present;
  ForeignNews news;
  for (Element& child : feed.children()) {
    if (!is_entry(child)) continue;
    Result<std::string> record = record_of(child);
    if (!record) return record.fault();
    if (present.size() == kMaxRecords) {
      return Fault{"the feed has more than " + std::to_string(kMaxRecords) + " entries"};
    }
    present.push_back(*std::move(record));
    const bool is_new = known && !before.contains(present.back());
    if (is_new) {
      ++news.entries;
    } else {
      child.remove();
    }
  }
  news.known = remembered(present, earlier);
  if (news.entries == 0) return news;
  feed.drop_direct_text();  // the space between entries that are gone
  schema::keep_root_only(document);
  news.content_type = *type;
  news.body = schema::written(document);
  return news;
}

}  // namespace

Result<ForeignNews> news_of(std::string body, const std::string& content_type,
                            const std::optional<std::string>& known) {
  if (!is_of_feeds(media_type_of(content_type))) return news_of_whole(std::move(body), content_type, known);
  if (occurrences(body, "xmlns") > kMaxDeclarations) {
    return Fault{"the document declares more than " + std::to_string(kMaxDeclarations) + " namespaces"};
  }
  schema::DoorLimits limits;
  limits.max_elements = 300'000;
  Result<schema::Document> document = schema::admit(body, limits);
  if (!document) return document.fault();
  const std::optional<Element> feed = feed_of(*document);
  if (!feed) return news_of_whole(std::move(body), content_type, known);
  return news_of_feed(*std::move(document), *feed, content_type, known);
}

}  // namespace courant::hub
