#include "feeds/push.h"

#include <algorithm>

#include "feeds/filtered.h"
#include "feeds/forms.h"
#include "feeds/page.h"
#include "feeds/queries.h"
#include "feeds/reader.h"
#include "kernel/problem.h"

namespace courant::feeds {
namespace {

// What one look for new terms may read.
constexpr std::int64_t kMostLookedAtForTerms = 5'000;  // entries
constexpr std::int64_t kMostNewTerms = 50'000;         // of them all

// What a preview looks at: so many pieces of so many entries, about; and how many ids it names.
constexpr int kPreviewPieces = 10;
constexpr std::int64_t kPreviewPiece = 5000;
constexpr std::int64_t kPreviewIds = 10;

std::string canonical_push_query(const PushView& view) {
  std::string query = with_suffix("", form_suffix(view.offer->format));
  if (view.limit) query = with_suffix(std::move(query), "limit=" + std::to_string(*view.limit));
  if (view.filter) query = with_suffix(std::move(query), "search=" + percent_encode(view.filter->canonical()));
  return query;
}

// What is looked at for one document.
struct PushSlice {
  std::int64_t to = 0;
  std::int64_t generation = 1;       // of the log, in the snapshot of the entries
  std::vector<StoredEntry> entries;  // newest first
};

// Of a feed that does not exist any more (is_gone) there is only what it has dropped, whatever the filter.
PushSlice read_push_slice(sql::Session& session, FeedKey key, bool is_gone, const PushView& view,
                          const PushRequest& request) {
  const std::int64_t max_entries = std::min(request.max_entries, view.limit.value_or(request.max_entries));
  if (view.filter && !is_gone) {
    MatchingPiece piece =
        read_matching(session, key, *view.filter, request.from, request.upto, max_entries, request.max_bytes);
    return {piece.upto, piece.generation, std::move(piece.entries)};
  }
  sql::Parameters parameters;
  parameters.add(key.lane).add(key.feed).add(request.from).add(request.upto).add(max_entries).add(request.max_bytes);
  const sql::Rows bound = session.run(queries::push_bound, parameters);
  if (bound.empty()) return {};
  // What was new may have been dropped: by retention, or with the feed.
  if (bound[0].is_null(0)) return {bound[0].integer(1), 1, {}};
  if (is_gone) return {};
  const std::int64_t to = bound[0].integer(0);
  LogPiece piece = read_entries(session, key, request.from, to);
  return {to, piece.generation, std::move(piece.entries)};
}

// A request names one trace, a document may hold entries of many.
std::string newest_trace(const std::vector<StoredEntry>& newest_first) {
  const auto is_traced = [](const StoredEntry& entry) { return !entry.trace.empty(); };
  const auto found = std::find_if(newest_first.begin(), newest_first.end(), is_traced);
  return found == newest_first.end() ? std::string() : found->trace;
}

std::string push_document(const LiveFeed& feed, const PushView& view, const PushRequest& request, PushSlice slice,
                          Instant now) {
  const std::shared_ptr<const FeedState> state = feed.state();
  FeedDocument document;
  document.id = feed.facts().uri;
  document.title = state->settings.title;
  document.author = state->settings.author;
  document.updated = slice.entries.empty() ? now : slice.entries.front().updated;
  document.feed_url = request.feed_url;
  document.has_edits = state->settings.edits;
  document.links = {{"self", with_bars_encoded(request.self)}, {"current", request.feed_url}, {"hub", request.hub_url}};
  document.range = {request.from, slice.to};
  document.entries = std::move(slice.entries);
  if (view.offer->further != nullptr && request.forms != nullptr) request.forms->prepare(state->settings);
  return in_offer(render_feed(document), *view.offer, feed.facts(), request.feed_url, {}, request.forms);
}

}  // namespace

PushView parse_push_view(const Parameters& parameters, std::int64_t page_size, std::shared_ptr<const FeedState> state) {
  const PageQuery query = parse_page_query(parameters, page_size);
  if (query.marker || query.starting_at) {
    throw Problem(403, "A page that begins at a marker or an instant is no topic: leave marker and startingAt out");
  }
  PushView view;
  view.offers = std::make_shared<const FeedOffers>(std::move(state));
  const Offer* named = nullptr;
  try {
    named = named_offer(parameters, view.offers->all());
  } catch (const Problem&) {
    if (page_size > 0) throw;
  }
  view.offer = named != nullptr ? named : &view.offers->all().front();
  if (view.offer->representation == Representation::kEvents) {
    throw Problem(403, "A stream of events is no topic: it is no document that could be pushed");
  }
  if (query.limit != page_size) view.limit = query.limit;
  view.filter = query.filter;
  view.canonical = canonical_push_query(view);
  return view;
}

void bind_to(PushView& view, const std::string& filter) {
  const Filter bound = Filter::parse(filter);
  const Filter both = view.filter ? Filter::both(*view.filter, bound) : bound;
  // It is read again from its spelling, which some terms do not survive among parentheses.
  bool is_said = false;
  try {
    is_said = Filter::parse(both.canonical()).canonical() == both.canonical();
  } catch (const Problem&) {
    // so it is not
  }
  if (!is_said) throw Problem(400, "This filter cannot be joined with that of the token: write it in parentheses");
  view.filter = Filter::parse(both.canonical());
  view.canonical = canonical_push_query(view);
}

std::vector<std::string> required_terms(const PushView& view) {
  if (!view.filter || view.filter->required().empty()) return {};
  const std::vector<std::vector<std::string>>& sets = view.filter->required();
  return *std::min_element(sets.begin(), sets.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
}

std::optional<PushPage> read_push(sql::Session& session, FeedKey key, const LiveFeed* feed, const PushView& view,
                                  const PushRequest& request, const Clock& clock) {
  PushSlice slice = read_push_slice(session, key, feed == nullptr, view, request);
  if (slice.to <= request.from) return std::nullopt;
  PushPage page;
  page.to = slice.to;
  const Instant now = clock.now();  // after all that was read: whatever was published to expire at once has expired
  std::erase_if(slice.entries, [now](const StoredEntry& entry) { return entry.expires && *entry.expires <= now; });
  if (view.offer->representation != Representation::kXml) drop_superseded(session, key, slice.entries);
  page.entries = static_cast<std::int64_t>(slice.entries.size());
  if (page.entries == 0) return page;
  page.generation = slice.generation;
  page.trace = newest_trace(slice.entries);
  page.document = push_document(*feed, view, request, std::move(slice), now);
  page.from_at = range_begin_in(page.document, view.offer->representation);
  return page;
}

NewTerms read_new_terms(sql::Session& session, FeedKey key, std::int64_t after) {
  sql::Parameters parameters;
  parameters.add(key.lane).add(key.feed).add(after).add(kMostLookedAtForTerms).add(kMostNewTerms);
  const sql::Rows rows = session.run(queries::new_terms, parameters);
  return {rows[0].integer(0), rows[0].texts(1)};
}

std::string empty_push(const LiveFeed& feed, const PushView& view, const PushRequest& request, const Clock& clock) {
  return push_document(feed, view, request, {request.from, 1, {}}, clock.now());
}

FeedBacklog read_backlog(sql::Session& session, FeedKey key, std::int64_t after) {
  const sql::Rows rows = session.run(queries::backlog, sql::Parameters().add(key.lane).add(key.feed).add(after));
  FeedBacklog backlog;
  if (rows.empty()) return backlog;
  backlog.floor = rows[0].integer(0);
  backlog.head = rows[0].integer(1);
  if (!rows[0].is_null(2)) backlog.oldest = rows[0].instant(2);
  return backlog;
}

PushPreview preview_push(sql::Session& session, FeedKey key, const PushView& view, std::int64_t after,
                         std::int64_t upto) {
  PushPreview preview{after, 0, {}};
  for (int piece = 0; piece < kPreviewPieces && preview.to < upto; ++piece) {
    sql::Parameters parameters;
    parameters.add(key.lane).add(key.feed).add(preview.to).add(upto);
    add_filter(parameters, view.filter ? &*view.filter : nullptr);
    const auto shown = static_cast<std::int64_t>(preview.first.size());
    parameters.add(kPreviewPiece).add(kPreviewIds - shown);
    const sql::Rows rows = session.run(queries::preview_matching, parameters);
    if (rows.empty()) throw Problem(404, "The feed does not exist any more");
    const sql::Row row = rows[0];
    preview.entries += row.integer(2);
    for (std::string& id : row.texts(3)) preview.first.push_back(std::move(id));
    preview.to = row.boolean(1) ? upto : row.integer(0);
  }
  return preview;
}

std::int64_t last_position(sql::Session& session, FeedKey key) {
  const sql::Rows rows = session.run(queries::last_position, sql::Parameters().add(key.lane).add(key.feed));
  return rows.empty() ? 0 : rows[0].integer(0);
}

std::vector<std::optional<Instant>> first_recorded(sql::Session& session, const std::vector<FeedPlace>& places) {
  std::vector<std::int64_t> lanes, feeds, positions;
  for (const FeedPlace& place : places) {
    lanes.push_back(place.feed.lane);
    feeds.push_back(place.feed.feed);
    positions.push_back(place.position);
  }
  const sql::Rows rows = session.run(queries::first_recorded, sql::Parameters().add(lanes).add(feeds).add(positions));
  std::vector<std::optional<Instant>> recorded(places.size());
  for (int i = 0; i < rows.size(); ++i) {
    if (!rows[i].is_null(0)) recorded[static_cast<std::size_t>(i)] = rows[i].instant(0);
  }
  return recorded;
}

}  // namespace courant::feeds
