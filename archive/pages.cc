#include "archive/pages.h"

#include <algorithm>

#include "archive/queries.h"
#include "feeds/page.h"
#include "feeds/reader.h"
#include "feeds/render.h"
#include "http/gzip.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::archive {
namespace {

std::optional<StoredPage> find_page(sql::Session& session, feeds::FeedKey feed, std::int64_t page) {
  const sql::Rows rows = session.run(queries::find_page, sql::Parameters().add(feed.lane).add(feed.feed).add(page));
  if (rows.empty()) return std::nullopt;
  const sql::Row row = rows[0];
  return StoredPage{row.bytes(2),  row.bytes(0),   row.bytes(1),
                    row.bytes(3),  row.integer(4), {row.instant(5), row.instant(6)},
                    row.instant(7)};
}

std::string render_page(const feeds::LiveFeed& feed, std::int64_t page, std::int64_t generation,
                        const std::string& feed_url, const std::string& hub_url,
                        std::vector<feeds::StoredEntry> entries) {
  const std::shared_ptr<const feeds::FeedState> state = feed.state();
  feeds::FeedDocument document;
  document.id = feed.facts().uri;
  document.title = state->settings.title;
  document.author = state->settings.author;
  document.updated = entries.front().updated;
  document.is_archive = true;
  document.has_edits = state->settings.edits;
  document.feed_url = feed_url;
  document.links = {{"self", page_url(feed_url, {generation, page})}, {"current", feed_url}};
  if (page > 1) document.links.push_back({"prev-archive", page_url(feed_url, {generation, page - 1})});
  document.links.push_back({"next-archive", page_url(feed_url, {generation, page + 1})});
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
  if (page * facts.page_size <= feed.state()->floor) throw_dropped(feed_url, "Archive page " + std::to_string(page));
  if (std::optional<StoredPage> stored = find_page(session, facts.key, page)) return stored;
  const feeds::PageRange range = feeds::archive_range(page, facts.page_size);
  feeds::LogPiece piece = feeds::read_entries(session, facts.key, range.after, range.upto);
  if (range.upto <= piece.bounds.floor) throw_dropped(feed_url, "Archive page " + std::to_string(page));
  // The first page of a feed that was deleted and made again may begin in its middle: positions went on.
  const std::int64_t kept = range.upto - std::max(range.after, piece.bounds.floor);
  if (static_cast<std::int64_t>(piece.entries.size()) < kept) return std::nullopt;

  const std::int64_t generation = feed.state()->generation;
  const std::string chain = *from_hex(piece.entries.front().chain);
  const std::string document = render_page(feed, page, generation, feed_url, hub_url, std::move(piece.entries));
  const std::string packed = http::gzip(document, 9);
  sql::Parameters parameters;
  parameters.add(facts.key.lane).add(facts.key.feed).add(page).add(range.upto);
  parameters.add(static_cast<std::int64_t>(document.size())).add(now).add_bytes(chain);
  parameters.add_bytes(bytes_of(sha256(document))).add_bytes(bytes_of(sha256(packed))).add_bytes(packed);
  parameters.add(piece.redactions).add(generation);
  session.run(queries::insert_page, parameters);
  if (std::optional<StoredPage> stored = find_page(session, facts.key, page)) return stored;
  throw Problem(503, "The archive has changed while its page was made: ask again").with("Retry-After", "1");
}

std::optional<PageName> parse_page_name(std::string_view text) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 40;
  const std::size_t dash = text.find('-');
  const auto generation = dash == std::string_view::npos ? 1 : parse_unsigned(text.substr(0, dash));
  const auto page = parse_unsigned(dash == std::string_view::npos ? text : text.substr(dash + 1));
  const bool is_good = generation && page && *generation > 0 && *page > 0 && *generation < kMost && *page < kMost;
  if (!is_good) return std::nullopt;
  return PageName{static_cast<std::int64_t>(*generation), static_cast<std::int64_t>(*page)};
}

std::string page_url(const std::string& feed_url, PageName name) {
  const std::string prefix = name.generation == 1 ? "" : std::to_string(name.generation) + "-";
  return feed_url + "/archive/" + prefix + std::to_string(name.page);
}

Problem other_generation(const std::string& feed_url) {
  return Problem(410, "This page is of another generation of the log: begin again at the current feed")
      .with("Link", "<" + feed_url + ">; rel=\"current\"");
}

void throw_dropped(const std::string& feed_url, const std::string& what) {
  throw Problem(410, what + " is not kept any more: retention has dropped it")
      .with("Link", "<" + feed_url + "?marker=last>; rel=\"last\", <" + feed_url + ">; rel=\"current\"");
}

}  // namespace courant::archive
