#include "archive/pages.h"

#include "archive/queries.h"
#include "feeds/page.h"
#include "feeds/reader.h"
#include "feeds/render.h"
#include "http/gzip.h"

namespace courant::archive {
namespace {

std::optional<StoredPage> find_page(sql::Session& session, feeds::FeedKey feed, std::int64_t page) {
  const sql::Rows rows = session.run(queries::find_page, sql::Parameters().add(feed.lane).add(feed.feed).add(page));
  if (rows.empty()) return std::nullopt;
  return StoredPage{rows[0].bytes(2), rows[0].bytes(0), rows[0].bytes(1)};
}

std::string render_page(const feeds::LiveFeed& feed, std::int64_t page, const std::string& feed_url,
                        const std::string& hub_url, std::vector<feeds::StoredEntry> entries) {
  const std::shared_ptr<const feeds::FeedState> state = feed.state();
  const std::string archive_url = feed_url + "/archive/";
  feeds::FeedDocument document;
  document.id = feed.facts().uri;
  document.title = state->settings.title;
  document.author = state->settings.author;
  document.updated = entries.front().updated;
  document.is_archive = true;
  document.feed_url = feed_url;
  document.links = {{"self", archive_url + std::to_string(page)}, {"current", feed_url}};
  if (page > 1) document.links.push_back({"prev-archive", archive_url + std::to_string(page - 1)});
  document.links.push_back({"next-archive", archive_url + std::to_string(page + 1)});
  if (!hub_url.empty()) document.links.push_back({"hub", hub_url});
  document.chain_position = entries.front().position;
  document.chain = entries.front().chain;
  document.entries = std::move(entries);
  return feeds::render_feed(document);
}

}  // namespace

std::optional<StoredPage> require_page(sql::Session& session, const feeds::LiveFeed& feed, std::int64_t page,
                                       const std::string& feed_url, const std::string& hub_url, Instant now) {
  const feeds::FeedFacts& facts = feed.facts();
  if (std::optional<StoredPage> stored = find_page(session, facts.key, page)) return stored;
  const feeds::PageRange range = feeds::archive_range(page, facts.page_size);
  std::vector<feeds::StoredEntry> entries = feeds::read_entries(session, facts.key, range.after, range.upto);
  if (static_cast<std::int64_t>(entries.size()) < facts.page_size) return std::nullopt;

  const std::string chain = *from_hex(entries.front().chain);
  const std::string document = render_page(feed, page, feed_url, hub_url, std::move(entries));
  const std::string packed = http::gzip(document, 9);
  sql::Parameters parameters;
  parameters.add(facts.key.lane).add(facts.key.feed).add(page).add(range.upto);
  parameters.add(static_cast<std::int64_t>(document.size())).add(now).add_bytes(chain);
  parameters.add_bytes(bytes_of(sha256(document))).add_bytes(bytes_of(sha256(packed))).add_bytes(packed);
  session.run(queries::insert_page, parameters);
  return find_page(session, facts.key, page);
}

}  // namespace courant::archive
