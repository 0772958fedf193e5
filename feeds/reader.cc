#include "feeds/reader.h"

#include <set>

#include "feeds/feed_snapshot.h"
#include "feeds/filtered.h"
#include "feeds/publish_call.h"
#include "feeds/queries.h"
#include "feeds/representation.h"
#include "feeds/stored_entry.h"
#include "feeds/visibility.h"
#include "kernel/digest.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

// What read_range.sql gives.
struct Slice {
  LogBounds bounds;
  FeedSnapshot feed;
  std::vector<StoredEntry> entries;  // newest first
};

// Which entries are left out where a slice would be too long.
enum class Cut { kOldest, kNewest };

Slice read_slice(sql::Session& session, FeedKey feed, std::int64_t after, std::int64_t upto, std::int64_t limit,
                 std::int64_t max_bytes, Cut cut) {
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(after).add(upto).add(limit).add(max_bytes).add(cut == Cut::kNewest);
  parameters.add(kRendererVersion);
  const sql::Rows rows = session.run(queries::read_range, parameters);
  if (rows.empty()) throw Problem(404, "The feed does not exist any more");
  Slice slice;
  slice.bounds = {rows[0].integer(0), rows[0].integer(1), rows[0].integer(17)};
  slice.feed = feed_snapshot(rows[0], 16);
  for (int i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(2)) slice.entries.push_back(stored_entry(rows[i], 2));
  }
  return slice;
}

sql::Rows find_entry(sql::Session& session, FeedKey feed, std::string_view id) {
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(id_hash(id)).add(kRendererVersion);
  return session.run(queries::find_entry, parameters);
}

// The position that a marker means: digits, or an entry's id (its first revision).
std::int64_t resolve_marker(sql::Session& session, FeedKey feed, const std::string& marker, const std::string& bound) {
  if (const std::optional<std::int64_t> position = parse_position(marker)) return *position;
  const sql::Rows rows = find_entry(session, feed, marker);
  if (rows.empty() || !is_within(stored_entry(rows[0], 0), bound)) {
    throw Problem(404, "There is no entry with the id " + marker + " in this feed");
  }
  return rows[0].integer(14);
}

// The position that the query begins from; nullopt: the head, or "last".
std::optional<std::int64_t> marker_of(sql::Session& session, const LiveFeed& feed, const PageQuery& query) {
  const FeedKey key = feed.facts().key;
  if (query.marker == "last") return std::nullopt;
  if (query.marker) return resolve_marker(session, key, *query.marker, query.bound);
  if (!query.starting_at) return std::nullopt;
  const sql::Rows rows =
      session.run(queries::position_at, sql::Parameters().add(key.lane).add(key.feed).add(*query.starting_at));
  return std::max(rows[0].integer(0), feed.state()->floor);
}

struct PageSlice {
  PageRange range;
  Slice slice;
};

// The range that a page covers: of `limit` entries, or of those that fitted into its bytes.
template <class RangeOf>
PageRange fitted(const Slice& slice, std::int64_t limit, RangeOf range_of) {
  const PageRange range = range_of(limit);
  const auto count = static_cast<std::int64_t>(slice.entries.size());
  return count > 0 && count < range.upto - range.after ? range_of(count) : range;
}

PageSlice read_page_slice(sql::Session& session, const LiveFeed& feed, const PageQuery& query, std::int64_t max_bytes) {
  const FeedKey key = feed.facts().key;
  const std::optional<std::int64_t> resolved = marker_of(session, feed, query);
  if (query.filter) {
    FilteredSlice filtered = read_filtered(session, feed, query, resolved, max_bytes);
    return {filtered.range, {filtered.bounds, filtered.feed, std::move(filtered.entries)}};
  }
  if (query.marker == "last") {
    std::int64_t floor = feed.state()->floor;
    Slice slice = read_slice(session, key, floor, floor + query.limit, query.limit, max_bytes, Cut::kNewest);
    while (slice.bounds.floor != floor) {  // it was raised, and not heard of yet
      floor = slice.bounds.floor;
      slice = read_slice(session, key, floor, floor + query.limit, query.limit, max_bytes, Cut::kNewest);
    }
    const auto range_of = [&](std::int64_t limit) { return last_range(slice.bounds, limit); };
    return {fitted(slice, query.limit, range_of), std::move(slice)};
  }
  if (!query.marker && !query.starting_at) {
    Slice slice = read_slice(session, key, 0, kEndless, query.limit, max_bytes, Cut::kOldest);
    const auto range_of = [&](std::int64_t limit) { return head_range(slice.bounds, limit); };
    return {fitted(slice, query.limit, range_of), std::move(slice)};
  }
  const std::int64_t marker = *resolved;
  if (query.direction == PageQuery::Direction::kForward) {
    Slice slice = read_slice(session, key, marker, marker + query.limit, query.limit, max_bytes, Cut::kNewest);
    const auto range_of = [&](std::int64_t limit) { return forward_range(slice.bounds, marker, limit); };
    return {fitted(slice, query.limit, range_of), std::move(slice)};
  }
  Slice slice = read_slice(session, key, marker - query.limit, marker, query.limit, max_bytes, Cut::kOldest);
  const auto range_of = [&](std::int64_t limit) { return backward_range(slice.bounds, marker, limit); };
  return {fitted(slice, query.limit, range_of), std::move(slice)};
}

// The same; who asks for what is not there is told where there is something.
PageSlice read_page_slice(sql::Session& session, const LiveFeed& feed, const PageQuery& query,
                          const std::string& feed_url, std::int64_t max_bytes) {
  try {
    return read_page_slice(session, feed, query, max_bytes);
  } catch (Problem& problem) {
    throw with_way_on(std::move(problem), feed_url);
  }
}

}  // namespace

std::string page_etag(const FeedFacts& facts, const FeedState& state, std::string_view tag_word, std::string_view query,
                      std::int64_t upto) {
  // The feed's own id keeps a feed of another database, whose positions begin anew, from repeating a tag.
  std::string inputs = facts.uri + "\n";
  inputs.append(tag_word).append("\n").append(query);
  for (const std::int64_t number :
       {state.revision, kRendererVersion, state.floor, state.redactions, state.generation, upto}) {
    inputs += "\n" + std::to_string(number);
  }
  return "W/\"" + to_hex(bytes_of(sha256(inputs)).substr(0, 12)) + "." + std::to_string(upto) + "\"";
}

std::int64_t highest_position(std::string_view etags) {
  std::int64_t highest = 0;
  std::size_t begin = 0;  // behind the quote before
  for (std::size_t end = etags.find('"'); end != std::string_view::npos; end = etags.find('"', begin)) {
    const std::string_view tag = etags.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t dot = tag.rfind('.');
    if (dot == std::string_view::npos) continue;
    const std::optional<std::uint64_t> position = parse_unsigned(tag.substr(dot + 1));
    if (position && *position < kEndless) highest = std::max(highest, static_cast<std::int64_t>(*position));
  }
  return highest;
}

RenderedPage read_page(sql::Session& session, const LiveFeed& feed, const PageRequest& request) {
  const PageQuery& query = request.query;
  const std::string& feed_url = request.feed_url;
  // Before the rows: what changes in between gets another tag next time.
  const std::shared_ptr<const FeedState> state = feed.state();
  PageSlice page = read_page_slice(session, feed, query, feed_url, request.max_bytes);
  const FeedFacts& facts = feed.facts();
  const bool is_filtered = query.filter.has_value();

  // What the page's bytes depend on: its last position; of a filtered page its newest match, since entries that do not
  // match change nothing; where later edits take entries away, the head.
  std::int64_t upto = page.range.upto;
  if (is_filtered) upto = page.slice.entries.empty() ? 0 : page.slice.entries.front().position;
  // An empty page may depend on where the log ends.
  const bool is_of_head = request.is_newest_only || page.slice.entries.empty();
  const std::optional<Instant> recorded =
      is_of_head ? page.slice.feed.head_recorded : page.slice.entries.front().recorded;
  if (request.is_newest_only) {
    upto = page.slice.bounds.head;
    drop_superseded(session, facts.key, page.slice.entries);
  }
  RenderedPage rendered;
  rendered.range = page.range;
  rendered.head = page.slice.bounds.head;
  rendered.links = links_of(query, page.range, page.slice.bounds);
  const std::string tagged = rendered.links.self + (query.bound.empty() ? "" : "\n" + query.bound);
  rendered.etag = page_etag(facts, *state, request.tag_word, tagged, upto);
  if (!page.slice.entries.empty()) rendered.oldest = page.slice.entries.back().recorded;
  rendered.self = with_suffix(feed_url + rendered.links.self, form_suffix(request.representation));
  rendered.modified = page.slice.feed.page_modified(*state, page.slice.bounds.floor, recorded);

  FeedDocument document;
  document.id = facts.uri;
  document.title = state->settings.title;
  document.author = state->settings.author;
  document.updated = page.slice.entries.empty() ? facts.created : page.slice.entries.front().updated;
  document.feed_url = feed_url;
  document.has_edits = state->settings.edits;
  document.links = {{"self", rendered.self}, {"current", feed_url}};
  document.links.push_back({"previous", feed_url + rendered.links.previous});
  if (!rendered.links.next.empty()) document.links.push_back({"next", feed_url + rendered.links.next});
  if (!rendered.links.last.empty()) document.links.push_back({"last", feed_url + rendered.links.last});
  const std::int64_t archived = complete_pages(page.slice.bounds.head, facts.page_size);
  // Archive pages are not for who sees a part.
  if (page.range.is_head && archived > 0 && query.bound.empty()) {
    const std::string generation = state->generation == 1 ? "" : std::to_string(state->generation) + "-";
    document.links.push_back({"prev-archive", feed_url + "/archive/" + generation + std::to_string(archived)});
  }
  if (!request.hub_url.empty()) document.links.push_back({"hub", request.hub_url});
  if (page.range.is_head && !is_filtered && !page.slice.entries.empty()) {
    document.chain_position = page.slice.entries.front().position;
    document.chain = page.slice.entries.front().chain;
  }
  for (const StoredEntry& entry : page.slice.entries) {
    if (entry.expires) {
      rendered.expiring.emplace_back(entry.position, *entry.expires);
    } else {
      rendered.lasting = std::max(rendered.lasting, entry.position);
    }
  }
  document.entries = std::move(page.slice.entries);
  rendered.document = render_feed(document);
  return rendered;
}

EntriesPage read_page_entries(sql::Session& session, const LiveFeed& feed, const PageQuery& query,
                              const std::string& feed_url, std::int64_t max_bytes) {
  PageSlice page = read_page_slice(session, feed, query, feed_url, max_bytes);
  return {page.range, page.slice.bounds.head, std::move(page.slice.entries)};
}

void drop_superseded(sql::Session& session, FeedKey feed, std::vector<StoredEntry>& entries) {
  std::erase_if(entries, [](const StoredEntry& entry) { return entry.is_tombstone; });
  if (entries.empty()) return;
  std::vector<std::int64_t> positions;
  std::vector<std::string> hashes;
  for (const StoredEntry& entry : entries) {
    positions.push_back(entry.position);
    hashes.push_back(id_hash(entry.id));
  }
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(positions).add(hashes);
  const sql::Rows rows = session.run(queries::superseded, parameters);
  std::set<std::int64_t> old;
  for (int i = 0; i < rows.size(); ++i) old.insert(rows[i].integer(0));
  std::erase_if(entries, [&old](const StoredEntry& entry) { return old.contains(entry.position); });
}

std::optional<FoundEntry> read_entry_by_id(sql::Session& session, FeedKey feed, std::string_view id) {
  const sql::Rows rows = find_entry(session, feed, id);
  if (rows.empty()) return std::nullopt;
  FoundEntry found{stored_entry(rows[0], 0), std::nullopt};
  if (const std::optional<Instant> beside = modified_beside_entries(rows[0], 15)) {
    found.modified = Modified{std::max(found.entry.recorded, *beside), rows[0].instant(17)};
  }
  return found;
}

LogPiece read_entries(sql::Session& session, FeedKey feed, std::int64_t after, std::int64_t upto) {
  Slice slice = read_slice(session, feed, after, upto, upto - after, kEndless, Cut::kOldest);
  return {slice.bounds, slice.feed.redactions, slice.feed.generation, std::move(slice.entries)};
}

std::optional<StoredEntry> read_entry_at(sql::Session& session, FeedKey feed, std::int64_t position) {
  LogPiece piece = read_entries(session, feed, position - 1, position);
  return piece.entries.empty() ? std::nullopt : std::optional(std::move(piece.entries.front()));
}

std::optional<StoredEntry> read_retried(sql::Session& session, FeedKey feed, const PreparedEntry& entry) {
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(id_hash(entry.id)).add_bytes(bytes_of(entry.content_digest));
  const sql::Rows rows = session.run(queries::find_retry, parameters);
  return rows.empty() ? std::nullopt : read_entry_at(session, feed, rows[0].integer(0));
}

}  // namespace courant::feeds
