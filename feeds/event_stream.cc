#include "feeds/event_stream.h"

#include <nlohmann/json.hpp>

#include "feeds/feed_view.h"
#include "feeds/json_feed.h"
#include "feeds/page.h"
#include "feeds/reader.h"
#include "feeds/render.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::feeds {
namespace {

using http::Bytes;
using http::Task;

constexpr std::int64_t kEntriesAtATime = 100;
constexpr std::int64_t kBytesAtOnce = 1 << 20;
constexpr const char* kStillThere = ": still there\n\n";
constexpr const char* kRetry = "retry: 2000\n";          // milliseconds until a client comes again
constexpr std::chrono::seconds kRetryUnderPressure{10};  // where no Poll-Interval is sent
constexpr std::int64_t kNearHead = 1000;                 // readers so close are likely to ask for the same

// One reader of events, and how far it has come.
struct Stream {
  std::string workspace;
  std::string name;
  std::optional<Filter> filter;
  std::string search;
  bool is_json = false;
  std::int64_t position = 0;    // everything up to it has been sent
  std::int64_t generation = 1;  // of the log that it is of
  Bytes opening = nullptr;      // what has been composed and not been asked for yet, this before `first`
  Bytes first = nullptr;
  http::Presence* reader = nullptr;
  std::shared_ptr<const void> counted;
  bool is_over = false;  // too many wait: its client has been told to come again later
};

void append_data(std::string& out, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const std::string_view line : split(text, '\n')) out.append("data: ").append(line).append("\n");
}

void append_event(std::string& out, const StoredEntry& entry, const std::string& feed_url, bool has_edits,
                  bool is_json) {
  out += "id: " + std::to_string(entry.position) + "\n";
  out += entry.is_tombstone ? "event: deleted\n" : "event: entry\n";
  const std::string document = render_entry(entry, feed_url, has_edits);
  if (!is_json) {
    append_data(out, document);
  } else if (entry.is_tombstone) {
    append_data(out, nlohmann::json{{"id", entry.id}, {"_courant", {{"position", entry.position}}}}.dump());
  } else {
    append_data(out, json_item(view_of_entry(document)));
  }
  out += "\n";
}

// The events behind the stream's position, as many as are sent at once. Their news is where they end.
ReadyPage read_events(sql::Session& session, const LiveFeed& feed, const Stream& stream, const std::string& feed_url,
                      std::uint64_t version, Instant now) {
  PageQuery query;
  query.marker = std::to_string(stream.position);
  query.limit = kEntriesAtATime;
  query.filter = stream.filter;
  EntriesPage page = read_page_entries(session, feed, query, feed_url, kBytesAtOnce);
  std::string events;
  const bool has_edits = feed.state()->settings.edits;
  for (auto entry = page.entries.rbegin(); entry != page.entries.rend(); ++entry) {
    if (entry->expires && *entry->expires <= now) continue;
    append_event(events, *entry, feed_url, has_edits, stream.is_json);
  }
  // How far it was looked, where that is not the last event's own id.
  if (page.entries.empty() || page.entries.front().position < page.range.upto || events.empty()) {
    events += "id: " + std::to_string(page.range.upto) + "\n\n";
  }
  ReadyPage::Headers reach = {{"Feed-Position", std::to_string(page.range.upto)}};
  return ReadyPage(std::move(reach), http::make_bytes(std::move(events)), version,
                   page.range.is_full ? std::nullopt : std::optional(page.head), {page.range.upto, {}});
}

std::string key_of(const LiveFeed& feed, const Stream& stream) {
  return page_key(feed.facts().key) + (stream.is_json ? "events+json\n" : "events\n") +
         std::to_string(stream.position) + "?" + stream.search;
}

// The events behind the stream's position, which moves on behind them. Throws Problem 410 where retention has dropped
// them.
Task<Bytes> go_on(Engine& engine, std::shared_ptr<Stream> stream, std::shared_ptr<LiveFeed> feed) {
  const PageCache::Make make = [feed, stream, url = engine.feed_url(feed->facts()), version = feed->version(),
                                now = engine.clock().now()](sql::Session& session) {
    return read_events(session, *feed, *stream, url, version, now);
  };
  const bool is_shared = feed->head() - stream->position <= kNearHead;
  PageCache::Page events = co_await engine.pages().get(key_of(*feed, *stream), feed, is_shared, make);
  stream->position = std::max(stream->position, events->news().lasting);
  co_return events->body();
}

// The next bytes to send; null: the stream is over.
Task<Bytes> next_piece(Engine& engine, std::shared_ptr<Stream> stream) {
  for (Bytes* const ready : {&stream->opening, &stream->first}) {
    if (*ready) co_return std::exchange(*ready, nullptr);
  }
  if (stream->is_over) co_return nullptr;
  std::shared_ptr<LiveFeed> feed = co_await engine.find_feed(stream->workspace, stream->name);
  // A position of before a restore says nothing now: the client comes again and is told.
  if (!feed || feed->state()->generation != stream->generation) co_return nullptr;
  if (feed->head() <= stream->position) {
    WaitingRoom::News news{stream->workspace, stream->name, stream->position, feed->version(), stream->filter};
    const Ticks until = engine.clock().ticks() + engine.options().keep_alive;
    feed.reset();
    const WaitingRoom::End end = co_await engine.waiting().wait(news, until, stream->reader);
    if (end == WaitingRoom::End::kStopped || end == WaitingRoom::End::kGone) co_return nullptr;
    if (end == WaitingRoom::End::kTime) co_return http::make_bytes(kStillThere);
    if (end == WaitingRoom::End::kEarly) {
      stream->is_over = true;
      const std::chrono::milliseconds retry = engine.poll_interval_under_pressure().value_or(kRetryUnderPressure);
      co_return http::make_bytes("retry: " + std::to_string(retry.count()) + "\n\n");
    }
    feed = co_await engine.find_feed(stream->workspace, stream->name);
    if (!feed || feed->state()->generation != stream->generation) co_return nullptr;
    if (feed->head() <= stream->position) co_return http::make_bytes(kStillThere);
  }
  Bytes events = co_await go_on(engine, stream, feed);
  co_return events;
}

// Where the reader has come to; nullopt: it does not say. Who asks for the whole log gets what is kept of it; but who
// says by the field that he has come from position 0 has missed what is not.
std::optional<std::int64_t> last_event(const http::Request& request, const Parameters& parameters, std::int64_t floor) {
  std::string text(request.header("last-event-id").value_or(""));
  const std::string* const given = find_parameter(parameters, "lastEventId");
  const bool is_asked = text.empty() && given != nullptr;
  if (is_asked) text = *given;
  if (text.empty()) return std::nullopt;
  const std::optional<std::int64_t> position = parse_position(text);
  if (!position) throw Problem(400, "Last-Event-ID must be a position, not '" + text + "'");
  return is_asked && *position == 0 ? floor : *position;
}

}  // namespace

Task<http::Response> stream_events(Engine& engine, const http::Request& request, std::shared_ptr<LiveFeed> feed,
                                   const PageQuery& query) {
  const Parameters parameters = query_of(request);
  const std::optional<std::int64_t> last = last_event(request, parameters, feed->state()->floor);
  const std::string* const data = find_parameter(parameters, "data");
  if (data != nullptr && *data != "json" && *data != "atom") {
    throw Problem(400, "data must be atom or json, not '" + *data + "'");
  }
  if (!engine.follower().is_current() || last.value_or(0) > feed->head()) {
    co_await engine.ask_database(feed);
  }
  request.spend(http::Use::kStreams, 1);
  auto stream = std::make_shared<Stream>();
  stream->workspace = feed->facts().workspace;
  stream->name = feed->facts().name;
  stream->reader = request.presence;
  stream->filter = query.filter;
  stream->search = query.search + (query.bound.empty() ? "" : "\n" + query.bound);
  stream->is_json = data != nullptr && *data == "json";
  stream->generation = feed->state()->generation;
  stream->position = last.value_or(feed->head());
  stream->counted = engine.waiting().count_stream();
  stream->opening = http::make_bytes(kRetry + ("id: " + std::to_string(stream->position)) + "\n\n");
  const LogBounds bounds{feed->head(), feed->state()->floor, feed->state()->generation};
  try {
    forward_range(bounds, stream->position, 1);  // throws where the reader cannot go on from there
    // And so does the database, where retention has gone on and this process has not heard of it: while he can be told.
    if (bounds.head > stream->position) stream->first = co_await go_on(engine, stream, feed);
  } catch (Problem& problem) {
    throw with_way_on(std::move(problem), engine.feed_url(feed->facts()));
  }

  http::Response response;
  response.with("Content-Type", "text/event-stream").with("Cache-Control", "no-store").with("Vary", "Accept");
  response.with("X-Accel-Buffering", "no");
  response.more = [&engine, stream] { return next_piece(engine, stream); };
  co_return response;
}

}  // namespace courant::feeds
