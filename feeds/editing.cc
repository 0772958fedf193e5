#include "feeds/editing.h"

#include <span>

#include "feeds/accepting.h"
#include "feeds/batch.h"
#include "feeds/entry_response.h"
#include "feeds/judging.h"
#include "feeds/media_store.h"
#include "feeds/outcome_reply.h"
#include "feeds/posting.h"
#include "feeds/reader.h"
#include "feeds/visibility.h"
#include "http/coding.h"
#include "http/trace.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

// Which tags of a list count (RFC 9110 section 13.1): all, or none that is weak.
enum class Comparison { kWeak, kStrong };

// Whether one of the entity tags in a list, "12" or "12-gzip" and the like, names a position.
bool names(std::string_view field, std::int64_t position, Comparison comparison) {
  for (std::string_view tag : split(field, ',')) {
    tag = trim(tag);
    if (comparison == Comparison::kWeak && tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.size() < 2 || tag.front() != '"' || tag.back() != '"') continue;
    tag = tag.substr(1, tag.size() - 2);
    const auto named = parse_unsigned(http::without_tag_suffix(tag));
    if (named && *named == static_cast<std::uint64_t>(position)) return true;
  }
  return false;
}

// What the request's conditions expect of the entry. newest: where it stands as far as is known now.
std::int64_t expected_position(const Request& request, std::optional<std::int64_t> newest) {
  const std::string match = request.combined_header("if-match");
  const std::string none_match = request.combined_header("if-none-match");
  std::int64_t expected = Change::kAny;
  if (trim(match) == "*") expected = Change::kSome;
  if (!match.empty() && expected != Change::kSome) {
    if (!newest) throw Problem(412, "There is no entry for If-Match to name");
    // Held against what is stored when the change is made, which also tells whether it was made already.
    expected = names(match, *newest, Comparison::kStrong) ? *newest : Change::kNowhere;
  }
  if (trim(none_match) == "*") {
    if (expected != Change::kAny) throw Problem(412, "The entry cannot be there and not be there");
    return Change::kNone;
  }
  if (newest && names(none_match, *newest, Comparison::kWeak)) {
    throw Problem(412, "The entry is what If-None-Match names");
  }
  return expected;
}

Task<std::optional<StoredEntry>> find_newest(Engine& engine, std::shared_ptr<LiveFeed> feed, std::string id) {
  const auto find = [feed, id](sql::Session& session) -> std::optional<StoredEntry> {
    std::optional<FoundEntry> found = read_entry_by_id(session, feed->facts().key, id);
    if (!found) return std::nullopt;
    return std::move(found->entry);
  };
  std::optional<StoredEntry> newest = co_await engine.executor().run(find);
  co_return newest;
}

PreparedEntry read_put(const PostRules& rules, const Request& request, const std::string& id) {
  Posted posted = read_posted(request.body, rules);
  if (posted.is_batch) throw Problem(422, "A feed document cannot be put under the URL of one entry");
  PreparedEntry& entry = posted.entries.front();
  if (const auto broken = broken_id(id)) throw Problem(422, "The URL must end with the entry's id: " + broken->detail);
  if (entry.id.empty()) set_id(entry, id);
  if (entry.id != id) throw Problem(409, "The entry's id is " + entry.id + ", the URL's is " + id);
  return std::move(entry);
}

}  // namespace

void throw_contended() {
  throw Problem(503, "Others keep changing this entry: try again in a moment").with("Retry-After", "1");
}

void require_edits(const FeedSettings& settings) {
  if (settings.edits) return;
  throw Problem(405, "Entries of this feed cannot be changed").with("Allow", "GET, HEAD, OPTIONS");
}

std::uint64_t admit_put(Engine& engine, const Request& request) {
  const std::string type = request.combined_header("content-type");
  if (body_kind(type) != BodyKind::kAtom) throw Problem(415, "An entry is put as application/atom+xml, not " + type);
  return engine.options().max_entry_bytes;
}

Task<Response> put_entry(Engine& engine, const Request& request, PathArguments arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.find_feed(arguments[0], arguments[1]);
  const FeedSettings settings = engine.settings_for_publishing(arguments[0], arguments[1], feed.get());
  require_edits(settings);
  const std::string id = arguments[2];
  const std::string feed_url = engine.feed_url(arguments[0], arguments[1]);
  request.spend(http::Use::kBytes, static_cast<std::int64_t>(request.body.size()));
  request.spend(http::Use::kEntries, 1);
  const std::optional<Problem> full = engine.quotas().refusal(arguments[0], request.body.size());
  if (full && !feed) throw *full;
  const access::Identity& identity = asker_of(request);
  for (int tries = 0; tries < kMostTries; ++tries) {
    std::optional<StoredEntry> newest;
    if (feed) newest = co_await find_newest(engine, feed, id);
    if (newest && !sees(identity, *newest)) throw_no_such_entry(id);
    const bool is_media_link = newest && !newest->media.empty();
    const auto judge = [&](PostRules rules) {
      rules.entry.is_media_link = is_media_link;
      rules.entry.server_ids = false;  // the id in the body is not the client's choice here: it must be the URL's
      rules.around.is_edit = true;
      return read_put(rules, request, id);
    };
    PreparedEntry read;
    if (settings.door.is_open()) {
      read = judge(post_rules(engine, settings, feed_url));
    } else {
      read = co_await judged(engine, settings, request, arguments, judge);
    }
    if (is_media_link) set_media(read, media_facts(*newest));
    require_within(identity, std::span(&read, 1));
    read.trace = http::trace_to_keep(request);
    const auto entry = std::make_shared<const PreparedEntry>(std::move(read));
    if (!newest) require_accepted(settings, request.combined_header("content-type"));
    if (!newest && settings.server_ids) {
      throw Problem(404,
                    "There is no entry " + id + ", and this feed makes its ids itself: post the entry to the feed");
    }
    if (!feed) {
      if (expected_position(request, std::nullopt) == Change::kSome) throw Problem(412, "There is no such entry");
      feed = co_await engine.require_feed_for_publishing(arguments[0], arguments[1]);
    }
    Change change;
    change.kind = Change::Kind::kRevision;
    change.expected = expected_position(request, newest ? std::optional(newest->position) : std::nullopt);
    // What it says of its bytes must still be so when the revision is appended.
    bool is_bound = is_media_link && change.expected != Change::kNone && change.expected != Change::kNowhere;
    if (is_bound) change.expected = newest->position;
    // Who sees a part must not meet what another has put there meanwhile.
    if (identity.is_filtered() && change.expected == Change::kAny) {
      is_bound = true;
      change.expected = newest ? newest->position : Change::kNone;
    }
    if (full) change.head = Change::kNowhere;  // the content that is there already is not stored again
    const Published result = co_await engine.publish(identity, feed, entry, change);
    if (full && is_missing(result.outcome)) throw *full;
    if (result.outcome == PublishOutcome::kStale && is_bound) continue;
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
  throw_contended();
}

Task<Response> delete_entry(Engine& engine, const Request& request, PathArguments arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  require_edits(feed->state()->settings);
  const std::string id = arguments[2];
  const std::string feed_url = engine.feed_url(feed->facts());
  if (broken_id(id)) throw Problem(404, "The feed can have no entry with the id " + id);
  request.spend(http::Use::kEntries, 1);
  const access::Identity& identity = asker_of(request);
  for (int tries = 0; tries < kMostTries; ++tries) {
    const std::optional<StoredEntry> newest = co_await find_newest(engine, feed, id);
    const bool is_hidden = newest ? !sees(identity, *newest) : identity.is_filtered();
    if (is_hidden) throw_no_such_entry(id);
    std::int64_t expected = expected_position(request, newest ? std::optional(newest->position) : std::nullopt);
    // What another puts there meanwhile may be hidden from who sees a part.
    const bool is_bound = identity.is_filtered() && expected == Change::kAny;
    if (is_bound) expected = newest->position;
    const Published result = co_await append_tombstone(engine, request, feed, id, expected);
    if (result.outcome == PublishOutcome::kStale && is_bound) continue;
    co_return deletion_response(result, id, feed_url);
  }
  throw_contended();
}

Task<Published> append_tombstone(Engine& engine, const Request& request, std::shared_ptr<LiveFeed> feed, std::string id,
                                 std::int64_t expected) {
  Change change;
  change.kind = Change::Kind::kDeletion;
  change.expected = expected;
  PreparedEntry tombstone;
  tombstone.id = id;
  const TombstoneText text = tombstone_text(id);
  tombstone.before_times = text.before;
  tombstone.after_times = text.after;
  tombstone.trace = http::trace_to_keep(request);
  const auto entry = std::make_shared<const PreparedEntry>(std::move(tombstone));
  const Published result = co_await engine.publish(asker_of(request), feed, entry, change);
  co_return result;
}

Response deletion_response(const Published& result, const std::string& id, const std::string& feed_url) {
  if (result.outcome != PublishOutcome::kAppended) throw_unpublished(result, id, feed_url);
  Response response;
  response.status = 204;
  response.with("Feed-Position", std::to_string(result.position));
  response.with("Feed-Chain", std::to_string(result.position) + " " + result.chain);
  return response;
}

}  // namespace courant::feeds
