#include "feeds/editing.h"

#include <algorithm>

#include "feeds/accepting.h"
#include "feeds/batch.h"
#include "feeds/entry_response.h"
#include "feeds/outcome_reply.h"
#include "feeds/posting.h"
#include "feeds/reader.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

// The positions that strong entity tags of an entry name: "12", "12-gzip". Weak ones never match (RFC 9110 13.1.1).
std::vector<std::int64_t> positions_in(std::string_view field) {
  std::vector<std::int64_t> positions;
  for (std::string_view tag : split(field, ',')) {
    tag = trim(tag);
    if (tag.size() < 2 || tag.front() != '"' || tag.back() != '"') continue;
    tag = tag.substr(1, tag.size() - 2);
    if (tag.ends_with("-gzip")) tag.remove_suffix(5);
    if (const auto position = parse_unsigned(tag)) positions.push_back(static_cast<std::int64_t>(*position));
  }
  return positions;
}

// What the request's conditions expect of the entry. newest: where it stands as far as is known now.
std::int64_t expected_position(const Request& request, std::optional<std::int64_t> newest) {
  const std::string none_match = request.combined_header("if-none-match");
  if (trim(none_match) == "*") return Change::kNone;
  const std::string match = request.combined_header("if-match");
  if (match.empty()) return Change::kAny;
  if (trim(match) == "*") return Change::kSome;
  const std::vector<std::int64_t> positions = positions_in(match);
  const bool is_named = newest && std::find(positions.begin(), positions.end(), *newest) != positions.end();
  if (!is_named) throw Problem(412, "The entry is not what If-Match names");
  return *newest;  // held against what is stored when the change is made
}

void require_edits(const FeedSettings& settings) {
  if (settings.edits) return;
  throw Problem(405, "Entries of this feed cannot be changed").with("Allow", "GET, HEAD, OPTIONS");
}

Task<std::optional<StoredEntry>> find_newest(Engine& engine, std::shared_ptr<LiveFeed> feed, std::string id) {
  const auto find = [feed, id](sql::Session& session) { return read_entry_by_id(session, feed->facts().key, id); };
  std::optional<StoredEntry> newest = co_await engine.executor().run(find);
  co_return newest;
}

PreparedEntry read_put(const PostRules& rules, const Request& request, const std::string& id) {
  Posted posted = read_posted(request.body, rules);
  if (posted.is_batch) throw Problem(422, "A feed document cannot be put under the URL of one entry");
  PreparedEntry& entry = posted.entries.front();
  if (entry.id.empty()) set_id(entry, id);
  if (entry.id != id) throw Problem(409, "The entry's id is " + entry.id + ", the URL's is " + id);
  return std::move(entry);
}

}  // namespace

std::uint64_t admit_put(Engine& engine, const Request& request) {
  const std::string type = request.combined_header("content-type");
  if (body_kind(type) != BodyKind::kAtom) throw Problem(415, "An entry is put as application/atom+xml, not " + type);
  return engine.options().max_entry_bytes;
}

Task<Response> put_entry(Engine& engine, const Request& request, const PathArguments& arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.find_feed(arguments[0], arguments[1]);
  const FeedSettings settings = engine.settings_for_publishing(arguments[0], arguments[1], feed.get());
  require_edits(settings);
  const std::string id = arguments[2];
  const std::string feed_url = engine.feed_url(arguments[0], arguments[1]);
  const PostRules rules = post_rules(engine, settings, feed_url);
  const auto entry = std::make_shared<const PreparedEntry>(read_put(rules, request, id));
  if (!feed) feed = co_await engine.require_feed_for_publishing(arguments[0], arguments[1]);
  const std::optional<StoredEntry> newest = co_await find_newest(engine, feed, id);
  Change change;
  change.kind = Change::Kind::kRevision;
  change.expected = expected_position(request, newest ? std::optional(newest->position) : std::nullopt);
  const access::Identity identity = access::Identity::anonymous();
  const Published result = co_await engine.publish(identity, feed, entry, change);
  if (result.outcome == PublishOutcome::kCreated) {
    Response created = entry_response(201, stored_form(*entry, result), feed_url, settings.edits, request);
    created.with("Location", entry_url(feed_url, id));
    co_return created;
  }
  if (result.outcome == PublishOutcome::kAppended) {
    co_return entry_response(200, stored_form(*entry, result), feed_url, settings.edits, request);
  }
  if (result.outcome == PublishOutcome::kSame) {
    const std::optional<StoredEntry> stored = co_await find_newest(engine, feed, id);
    if (stored) co_return entry_response(200, *stored, feed_url, settings.edits, request);
  }
  throw_unpublished(result, id, feed_url);
}

Task<Response> delete_entry(Engine& engine, const Request& request, const PathArguments& arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  require_edits(feed->state()->settings);
  const std::string id = arguments[2];
  const std::string feed_url = engine.feed_url(feed->facts());
  const std::optional<StoredEntry> newest = co_await find_newest(engine, feed, id);
  Change change;
  change.kind = Change::Kind::kDeletion;
  change.expected = expected_position(request, newest ? std::optional(newest->position) : std::nullopt);
  PreparedEntry tombstone;
  tombstone.id = id;
  const TombstoneText text = tombstone_text(id);
  tombstone.before_times = text.before;
  tombstone.after_times = text.after;
  const auto entry = std::make_shared<const PreparedEntry>(std::move(tombstone));
  const access::Identity identity = access::Identity::anonymous();
  const Published result = co_await engine.publish(identity, feed, entry, change);
  if (result.outcome != PublishOutcome::kAppended) throw_unpublished(result, id, feed_url);
  Response response;
  response.status = 204;
  response.with("Feed-Position", std::to_string(result.position));
  response.with("Feed-Chain", std::to_string(result.position) + " " + result.chain);
  co_return response;
}

}  // namespace courant::feeds
