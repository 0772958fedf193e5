#include "tests/chaos/operations.h"

#include <pugixml.hpp>

#include "kernel/digest.h"
#include "kernel/text.h"

namespace courant::chaos {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string path_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t path = scheme == std::string::npos ? 0 : url.find('/', scheme + 3);
  return path == std::string::npos ? "/" : url.substr(path);
}

}  // namespace

std::string content_of(int publisher, int number) {
  const std::string name = std::to_string(publisher) + "." + std::to_string(number);
  const std::uint64_t hash = stable_hash(name);
  const std::size_t length = hash % 50 == 0 ? 2000 + hash % 7919 : 40 + hash % 160;
  std::string content = name + " <&> \xC3\xA9\xE2\x82\xAC ";
  while (content.size() < length) content += to_hex(bytes_of(sha256(content)));
  return content;
}

std::optional<Author> author_of(std::string_view content) {
  const std::size_t dot = content.find('.');
  const std::size_t space = content.find(' ');
  if (dot == std::string_view::npos || space == std::string_view::npos || dot > space) return std::nullopt;
  const auto publisher = parse_unsigned(content.substr(0, dot));
  const auto number = parse_unsigned(content.substr(dot + 1, space - dot - 1));
  if (!publisher || !number || *publisher > 1'000'000 || *number > 1'000'000'000) return std::nullopt;
  const Author author{static_cast<int>(*publisher), static_cast<int>(*number)};
  if (content != content_of(author.publisher, author.number)) return std::nullopt;
  return author;
}

std::string entry_xml(const std::string& id, int publisher, int number) {
  const std::string named = id.empty() ? std::string() : "<id>" + id + "</id>";
  return "<entry xmlns=\"http://www.w3.org/2005/Atom\">" + named + "<title>chaos</title><content>" +
         escaped(content_of(publisher, number)) + "</content></entry>";
}

std::string feed_path(int feed) {
  return "/chaos/f" + std::to_string(feed);
}

std::optional<Page> read_page(const std::string& document) {
  pugi::xml_document parsed;
  if (!parsed.load_buffer(document.data(), document.size())) return std::nullopt;
  const pugi::xml_node feed = parsed.child("feed");
  if (!feed) return std::nullopt;
  Page page;
  for (const pugi::xml_node& child : feed.children()) {
    const std::string_view name = child.name();
    if (name == "link" && std::string_view(child.attribute("rel").value()) == "previous") {
      page.previous = path_of(child.attribute("href").value());
    }
    if (name != "entry" && name != "at:deleted-entry") continue;
    Record& record = page.records.emplace_back();
    record.position = child.child("c:log").attribute("position").as_llong();
    record.is_deletion = name != "entry";
    record.id = record.is_deletion ? child.attribute("ref").value() : child.child_value("id");
    record.content = child.child_value("content");
  }
  return page;
}

}  // namespace courant::chaos
