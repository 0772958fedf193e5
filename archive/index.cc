#include "archive/index.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "archive/pages.h"
#include "archive/queries.h"
#include "feeds/page.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::archive {

using nlohmann::ordered_json;

namespace {

// Pages that one question may have rendered: more of them would keep others from the database.
constexpr int kRenderedAtOnce = 4;

}  // namespace

ArchiveIndex read_index(sql::Session& session, const feeds::LiveFeed& feed, const IndexQuery& query,
                        const std::string& feed_url, const std::string& hub_url, Instant now) {
  const feeds::FeedFacts& facts = feed.facts();
  const sql::Rows ends = session.run(queries::log_ends, sql::Parameters().add(facts.key.lane).add(facts.key.feed));
  if (ends.empty()) throw Problem(404, "There is no feed " + facts.name + " in " + facts.workspace);
  ArchiveIndex index;
  index.feed_url = feed_url;
  index.head = ends[0].integer(0);
  index.chain = ends[0].hex(1);
  index.floor = ends[0].integer(2);
  index.floor_chain = ends[0].hex(3);
  index.generation = ends[0].integer(4);
  index.page_size = facts.page_size;
  index.limit = query.limit;
  index.complete_pages = feeds::complete_pages(index.head, facts.page_size);
  index.first_page = index.floor / facts.page_size + 1;
  const std::int64_t newest = query.is_newest ? index.complete_pages - query.limit + 1 : 0;
  const std::int64_t first = std::max({query.from, newest, index.first_page});
  const std::int64_t last = std::min(index.complete_pages, first + query.limit - 1);

  const auto indexed = [&](std::int64_t page, std::string_view sha256, std::string_view chain) {
    return IndexedPage{page, page_url(feed_url, {index.generation, page}), std::string(sha256), page * facts.page_size,
                       std::string(chain)};
  };
  std::map<std::int64_t, IndexedPage> pages;
  const sql::Rows stored =
      session.run(queries::list_pages, sql::Parameters().add(facts.key.lane).add(facts.key.feed).add(first).add(last));
  for (int i = 0; i < stored.size(); ++i) {
    const std::int64_t page = stored[i].integer(0);
    pages[page] = indexed(page, stored[i].hex(2), stored[i].hex(3));
  }
  index.next = first;
  for (int count = 0; index.next <= last; ++index.next) {
    if (pages.contains(index.next)) continue;
    if (++count > kRenderedAtOnce) break;
    const std::optional<StoredPage> rendered = require_page(session, feed, index.next, feed_url, hub_url, now);
    if (rendered) pages[index.next] = indexed(index.next, to_hex(rendered->sha256), to_hex(rendered->chain));
  }
  pages.erase(pages.lower_bound(index.next), pages.end());
  for (auto& [page, entry] : pages) index.pages.push_back(std::move(entry));
  return index;
}

std::vector<std::optional<Instant>> read_dates(sql::Session& session, const feeds::LiveFeed& feed,
                                               const std::vector<IndexedPage>& pages) {
  const feeds::FeedKey key = feed.facts().key;
  std::vector<std::int64_t> positions;
  for (const IndexedPage& page : pages) positions.push_back(page.last_position);
  const sql::Rows rows =
      session.run(queries::date_positions, sql::Parameters().add(key.lane).add(key.feed).add(positions));
  std::vector<std::optional<Instant>> dates(pages.size());
  for (int i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(0)) dates[static_cast<std::size_t>(i)] = rows[i].instant(0);
  }
  return dates;
}

std::string json_of(const ArchiveIndex& index) {
  ordered_json document = {{"feed", index.feed_url},
                           {"generation", index.generation},
                           {"page_size", index.page_size},
                           {"complete_pages", index.complete_pages},
                           {"head", index.head},
                           {"chain", index.chain},
                           {"floor", {{"position", index.floor}, {"chain", index.floor_chain}}},
                           {"pages", ordered_json::array()},
                           {"next", nullptr}};
  for (const IndexedPage& page : index.pages) {
    document["pages"].push_back({{"page", page.page},
                                 {"url", page.url},
                                 {"sha256", page.sha256},
                                 {"last_position", page.last_position},
                                 {"chain", page.chain}});
  }
  if (index.next <= index.complete_pages) {
    document["next"] =
        index.feed_url + "/archive?from=" + std::to_string(index.next) + "&limit=" + std::to_string(index.limit);
  }
  return document.dump(1) + "\n";
}

std::string xml_of(const ArchiveIndex& index, const std::vector<std::optional<Instant>>& dates,
                   const feeds::LiveFeed& feed) {
  const feeds::FeedFacts& facts = feed.facts();
  std::string out = "<archive xmlns=\"urn:courant:archive:1\"";
  const auto add = [&out](std::string_view name, const std::string& value) {
    out.append(" ").append(name).append("=\"").append(xml_attribute(value)).append("\"");
  };
  const std::string limit = "&limit=" + std::to_string(index.limit);
  const auto piece_from = [&](std::int64_t from) {
    return index.feed_url + "/archive?from=" + std::to_string(from) + limit;
  };
  add("title", feed.state()->settings.title);
  add("feed", index.feed_url);
  add("workspace", facts.workspace);
  add("name", facts.name);
  add("page-size", std::to_string(index.page_size));
  add("complete-pages", std::to_string(index.complete_pages));
  add("head", std::to_string(index.head));
  if (index.next <= index.complete_pages) add("next", piece_from(index.next));
  if (!index.pages.empty() && index.pages.front().page > index.first_page) {
    add("previous", piece_from(std::max(index.pages.front().page - index.limit, index.first_page)));
  }
  out += ">\n";
  for (std::size_t i = index.pages.size(); i-- > 0;) {
    const IndexedPage& page = index.pages[i];
    out += "<page";
    add("number", std::to_string(page.page));
    add("url", page.url);
    add("first", std::to_string(page.last_position - index.page_size + 1));
    add("last", std::to_string(page.last_position));
    add("sha256", page.sha256);
    if (dates[i]) add("until", format_rfc3339(*dates[i]).substr(0, 16).replace(10, 1, " ") + " UTC");
    out += "/>\n";
  }
  return out + "</archive>\n";
}

}  // namespace courant::archive
