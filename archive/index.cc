#include "archive/index.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "archive/pages.h"
#include "archive/queries.h"
#include "feeds/page.h"
#include "kernel/problem.h"

namespace courant::archive {

using nlohmann::ordered_json;

namespace {

// Pages that one question may have rendered: more of them would keep others from the database.
constexpr int kRenderedAtOnce = 4;

}  // namespace

std::string read_index(sql::Session& session, const feeds::LiveFeed& feed, const IndexQuery& query,
                       const std::string& feed_url, const std::string& hub_url, Instant now) {
  const feeds::FeedFacts& facts = feed.facts();
  const sql::Rows ends = session.run(queries::log_ends, sql::Parameters().add(facts.key.lane).add(facts.key.feed));
  if (ends.empty()) throw Problem(404, "There is no feed " + facts.name + " in " + facts.workspace);
  const std::int64_t head = ends[0].integer(0);
  const std::int64_t floor = ends[0].integer(2);
  const std::int64_t generation = ends[0].integer(4);
  const std::int64_t complete = feeds::complete_pages(head, facts.page_size);
  const std::int64_t first = std::max(query.from, floor / facts.page_size + 1);
  const std::int64_t last = std::min(complete, first + query.limit - 1);

  const auto page_json = [&](std::int64_t page, std::string_view sha256, std::string_view chain) {
    return ordered_json{{"page", page},
                        {"url", page_url(feed_url, {generation, page})},
                        {"sha256", sha256},
                        {"last_position", page * facts.page_size},
                        {"chain", chain}};
  };
  std::map<std::int64_t, ordered_json> pages;
  const sql::Rows stored =
      session.run(queries::list_pages, sql::Parameters().add(facts.key.lane).add(facts.key.feed).add(first).add(last));
  for (int i = 0; i < stored.size(); ++i) {
    const std::int64_t page = stored[i].integer(0);
    pages[page] = page_json(page, stored[i].hex(2), stored[i].hex(3));
  }
  std::int64_t end = first;  // of what is listed: the first page that is not
  for (int count = 0; end <= last; ++end) {
    if (pages.contains(end)) continue;
    if (++count > kRenderedAtOnce) break;
    const std::optional<StoredPage> rendered = require_page(session, feed, end, feed_url, hub_url, now);
    if (rendered) pages[end] = page_json(end, to_hex(rendered->sha256), to_hex(rendered->chain));
  }
  pages.erase(pages.lower_bound(end), pages.end());

  ordered_json document = {{"feed", feed_url},
                           {"generation", generation},
                           {"page_size", facts.page_size},
                           {"complete_pages", complete},
                           {"head", head},
                           {"chain", ends[0].hex(1)},
                           {"floor", {{"position", floor}, {"chain", ends[0].hex(3)}}},
                           {"pages", ordered_json::array()},
                           {"next", nullptr}};
  for (auto& [page, json] : pages) document["pages"].push_back(std::move(json));
  if (end <= complete) {
    document["next"] = feed_url + "/archive?from=" + std::to_string(end) + "&limit=" + std::to_string(query.limit);
  }
  return document.dump(1) + "\n";
}

}  // namespace courant::archive
