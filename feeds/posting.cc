#include "feeds/posting.h"

#include <algorithm>
#include <cstdint>
#include <exception>

#include <nlohmann/json.hpp>

#include "feeds/accepting.h"
#include "feeds/batch.h"
#include "feeds/entry_response.h"
#include "feeds/judging.h"
#include "feeds/media.h"
#include "feeds/media_store.h"
#include "feeds/outcome_reply.h"
#include "feeds/reader.h"
#include "feeds/render.h"
#include "feeds/representation.h"
#include "feeds/visibility.h"
#include "http/prefer.h"
#include "http/trace.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

constexpr std::uint64_t kLongestExpiry = 100ULL * 365 * 86'400;  // seconds

// An id for an entry that came without one: made of the Idempotency-Key, so that a retry meets the same. index: in its
// batch; nullopt: it came alone.
void give_id(Engine& engine, const LiveFeed& feed, const Request& request, PreparedEntry& entry,
             std::optional<std::size_t> index) {
  if (!entry.id.empty()) return;
  const std::optional<std::string_view> key = request.header("idempotency-key");
  if (!key) return set_id(entry, "urn:uuid:" + uuid_v7(engine.clock().now()));
  std::string name = feed.facts().uri + "\n" + asker_of(request).name() + "\n" + std::string(*key);
  if (index) name += "\n" + std::to_string(*index);
  set_id(entry, "urn:uuid:" + uuid_v5(name));
}

// Entry-Expires: an instant, or so many seconds from now.
std::optional<Instant> expiry_of(const Request& request, Instant now) {
  const std::optional<std::string_view> field = request.header("entry-expires");
  if (!field) return std::nullopt;
  if (const auto seconds = parse_unsigned(*field); seconds && *seconds <= kLongestExpiry) {
    return now + std::chrono::seconds(*seconds);
  }
  if (const auto instant = parse_rfc3339(*field)) return instant;
  throw Problem(
      400, "Entry-Expires must be an instant such as 2026-11-25T12:00:00Z, or seconds, not " + std::string(*field));
}

Posted read_body(const Request& request, const PostRules& rules) {
  switch (body_kind(request.combined_header("content-type"))) {
    case BodyKind::kEvent:
      return read_posted_event(request.body, rules);
    case BodyKind::kEvents:
      return read_posted_events(request.body, rules);
    case BodyKind::kMedia:
      return {false, {media_link_entry(request, rules)}};
    default:
      return read_posted(request.body, rules);
  }
}

// What to say of an item of a batch that was not stored.
std::string reason_of(const Published& result) {
  switch (result.outcome) {
    case PublishOutcome::kConflict:
    case PublishOutcome::kSame:
      return "the feed holds an entry with this id already, at position " + std::to_string(result.position);
    case PublishOutcome::kGone:
      return "the entry was deleted and cannot come back";
    default:
      return "the server could not store it";
  }
}

[[noreturn]] void throw_unpublished_batch(const std::vector<std::shared_ptr<const PreparedEntry>>& entries,
                                          const std::vector<Published>& results, const std::string& feed_url) {
  std::vector<EntryProblem> problems;
  bool is_conflict = false;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const PublishOutcome outcome = results[i].outcome;
    if (outcome == PublishOutcome::kBatchFailed) continue;
    const bool is_of_all = outcome != PublishOutcome::kConflict && outcome != PublishOutcome::kSame &&
                           outcome != PublishOutcome::kGone && outcome != PublishOutcome::kRefused;
    if (is_of_all) throw_unpublished(results[i], entries[i]->id, feed_url);
    is_conflict = is_conflict || outcome != PublishOutcome::kRefused;
    problems.push_back({i, entries[i]->id, "", reason_of(results[i])});
  }
  Problem problem(is_conflict ? 409 : 500, "The batch was not stored, nothing of it");
  std::int64_t upto = 0;
  for (const Published& result : results) {
    upto = result.outcome == PublishOutcome::kSame && upto >= 0 ? std::max(upto, result.position) : -1;
  }
  if (upto > 0) {
    problem = Problem(409, "The feed holds all of this batch already").with("Feed-Position", std::to_string(upto));
  }
  throw std::move(problem).with_entries(std::move(problems));
}

// If-Match: the head that the publisher has seen, by its position or the head page's entity tag (RFC 9110 section
// 13.1.1). Where it names neither, nothing matches. feed: null where it is not there yet, which is position 0.
std::int64_t expected_head(const LiveFeed* feed, const Request& request) {
  const std::string field = request.combined_header("if-match");
  if (field.empty() || (feed != nullptr && trim(field) == "*")) return Change::kAnywhere;
  const std::int64_t head = feed == nullptr ? 0 : feed->head();
  std::int64_t expected = -1;
  for (std::string_view tag : split(field, ',')) {
    tag = trim(tag);
    if (feed != nullptr &&
        (tag == page_etag(feed->facts(), *feed->state(), "atom", "", head) ||
         tag == page_etag(feed->facts(), *feed->state(), tag_word(offers_of_feeds()[1]), "", head))) {
      return head;
    }
    const bool is_quoted = tag.size() > 1 && tag.front() == '"' && tag.back() == '"';
    const auto position = parse_unsigned(is_quoted ? tag.substr(1, tag.size() - 2) : tag);
    if (!position || *position > INT64_MAX) continue;
    if (static_cast<std::int64_t>(*position) == head) return head;
    expected = std::max(expected, static_cast<std::int64_t>(*position));  // another process may know a later head
  }
  // The feed itself tells whether that is the retry of what is stored already.
  if (feed != nullptr) return expected >= 0 ? expected : Change::kNowhere;
  throw Problem(412, "The feed does not stand where If-Match says: it is at position " + std::to_string(head));
}

// A feed document of the stored entries in the order sent, or only where they are.
Response batch_response(const LiveFeed& feed, std::vector<StoredEntry> entries, const std::string& feed_url,
                        const Request& request) {
  std::int64_t upto = 0;
  for (const StoredEntry& entry : entries) upto = std::max(upto, entry.position);
  Response response;
  response.with("Feed-Position", std::to_string(upto)).with("Cache-Control", "no-cache");
  // Who sees a part may have sent what the feed has given to another part: he is told where it is, and no more.
  const access::Identity& identity = asker_of(request);
  const bool is_shown = std::ranges::all_of(entries, [&](const StoredEntry& entry) { return sees(identity, entry); });
  if (!is_shown || http::preference(request.combined_header("prefer"), "return") == "minimal") {
    nlohmann::json places = nlohmann::json::array();
    for (const StoredEntry& entry : entries) {
      places.push_back({{"location", entry_url(feed_url, entry.id)}, {"position", entry.position}});
    }
    response.with("Content-Type", "application/json");
    if (is_shown) response.with("Preference-Applied", "return=minimal");
    response.body = http::make_bytes(nlohmann::json{{"entries", places}}.dump() + "\n");
    return response;
  }
  FeedDocument document;
  document.id = feed.facts().uri;
  document.title = feed.state()->settings.title;
  document.author = feed.state()->settings.author;
  document.feed_url = feed_url;
  document.has_edits = feed.state()->settings.edits;
  document.links = {{"self", feed_url}};
  for (const StoredEntry& entry : entries) document.updated = std::max(document.updated, entry.updated);
  document.entries = std::move(entries);
  response.with("Content-Type", kFeedType);
  response.body = http::make_bytes(render_feed(document));
  return response;
}

Task<Response> post_batch(Engine& engine, const Request& request, std::shared_ptr<LiveFeed> feed, Posted posted,
                          std::int64_t head, std::optional<Problem> full) {
  const std::string feed_url = engine.feed_url(feed->facts());
  std::vector<std::shared_ptr<const PreparedEntry>> entries;
  for (PreparedEntry& entry : posted.entries) {
    entries.push_back(std::make_shared<const PreparedEntry>(std::move(entry)));
  }
  const access::Identity& identity = asker_of(request);
  const bool is_strict = feed->state()->settings.duplicates_conflict;
  std::vector<Published> results = co_await engine.publish_batch(identity, feed, entries, is_strict, head);
  if (full && std::ranges::any_of(results, is_missing, &Published::outcome)) throw *full;
  const auto is_stored = [is_strict](const Published& result) {
    return result.outcome == PublishOutcome::kCreated || (result.outcome == PublishOutcome::kSame && !is_strict);
  };
  if (!std::all_of(results.begin(), results.end(), is_stored)) throw_unpublished_batch(entries, results, feed_url);
  const auto read = [feed, &entries, &results](sql::Session& session) {
    std::vector<StoredEntry> stored;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      std::optional<StoredEntry> known;
      const bool is_new = results[i].outcome == PublishOutcome::kCreated;
      if (!is_new) known = read_entry_at(session, feed->facts().key, results[i].position);
      stored.push_back(known ? *std::move(known) : stored_form(*entries[i], results[i]));
    }
    return stored;
  };
  const bool is_all_new = std::all_of(results.begin(), results.end(), [](const Published& result) {
    return result.outcome == PublishOutcome::kCreated;
  });
  std::vector<StoredEntry> stored;
  if (is_all_new) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      stored.push_back(stored_form(*entries[i], std::move(results[i])));
    }
  } else {
    stored = co_await engine.executor().run(read);
  }
  co_return batch_response(*feed, std::move(stored), feed_url, request);
}

// Where all that was sent is stored already, as it was sent, that is the answer, whatever the feed asks for by now.
// Throws the refusal otherwise.
Task<Response> answer_refused(Engine& engine, const Request& request, std::shared_ptr<LiveFeed> feed,
                              std::exception_ptr refusal) {
  const FeedSettings settings = feed->state()->settings;
  const std::string feed_url = engine.feed_url(feed->facts());
  PostRules rules = post_rules(engine, settings, feed_url);
  rules.around.tally = nullptr;  // what is wrong with it has been counted
  Posted posted = read_body(request, rules);
  for (std::size_t i = 0; i < posted.entries.size(); ++i) {
    give_id(engine, *feed, request, posted.entries[i], posted.is_batch ? std::optional(i) : std::nullopt);
  }
  const access::Identity& identity = asker_of(request);
  const auto find = [feed, &posted, &identity](sql::Session& session) {
    std::vector<StoredEntry> stored;
    for (const PreparedEntry& entry : posted.entries) {
      std::optional<StoredEntry> one = read_retried(session, feed->facts().key, entry);
      if (!one || !sees(identity, *one)) break;
      stored.push_back(*std::move(one));
    }
    return stored;
  };
  const std::vector<StoredEntry> stored = co_await engine.executor().run(find);
  if (stored.size() < posted.entries.size()) std::rethrow_exception(refusal);
  if (posted.is_batch) co_return batch_response(*feed, stored, feed_url, request);
  co_return entry_response(200, stored.front(), feed_url, settings.edits, request);
}

}  // namespace

PostRules post_rules(const Engine& engine, const FeedSettings& settings, const std::string& feed_url) {
  PostRules rules;
  rules.entry.default_author = settings.author;
  rules.entry.base = feed_url + "/";
  rules.entry.server_ids = settings.server_ids;
  rules.entry.client_updated = settings.client_updated;
  rules.entry.lenient = settings.lenient;
  rules.entry.max_bytes = engine.options().max_entry_bytes;
  rules.max_batch_bytes = engine.options().max_batch_bytes;
  rules.max_batch = engine.options().max_batch;
  rules.around.tally = &engine.door_tally();
  return rules;
}

// Which bodies are taken at all, before one is read.
std::uint64_t admit_post(Engine& engine, const Request& request, const PathArguments& arguments) {
  const std::string type = request.combined_header("content-type");
  if (body_kind(type) == BodyKind::kMedia) {
    // A feed that this process does not know yet is asked for when the body is here.
    const std::shared_ptr<LiveFeed> feed = engine.directory().find(arguments[0], arguments[1]);
    const WorkspaceSettings* const workspace = engine.workspace(arguments[0]);
    if (feed) require_accepted(feed->state()->settings, type);
    if (!feed && workspace == nullptr) throw Problem(404, "There is no workspace " + arguments[0]);
    return engine.options().max_media_bytes;
  }
  if (says_one_entry(type)) return engine.options().max_entry_bytes;
  return std::max(engine.options().max_entry_bytes, engine.options().max_batch_bytes);
}

Task<Response> post_to_feed(Engine& engine, const Request& request, PathArguments arguments) {
  // The body is judged first: what is refused makes no feed.
  std::shared_ptr<LiveFeed> feed = co_await engine.find_feed(arguments[0], arguments[1]);
  const FeedSettings settings = engine.settings_for_publishing(arguments[0], arguments[1], feed.get());
  const std::string type = request.combined_header("content-type");
  require_accepted(settings, type);
  const bool is_media = body_kind(type) == BodyKind::kMedia;
  const std::string feed_url = engine.feed_url(arguments[0], arguments[1]);
  Posted posted;
  if (settings.door.is_open()) {
    posted = read_body(request, post_rules(engine, settings, feed_url));
  } else {
    const auto judge = [&request](const PostRules& rules) { return read_body(request, rules); };
    std::exception_ptr refusal;
    try {
      posted = co_await judged(engine, settings, request, arguments, judge);
    } catch (const Problem& problem) {
      if (problem.status() != 422 || !feed || is_media || settings.duplicates_conflict) throw;
      refusal = std::current_exception();
    }
    if (refusal) {
      Response answered = co_await answer_refused(engine, request, feed, refusal);
      co_return answered;
    }
  }
  require_within(asker_of(request), posted.entries);
  const std::optional<Instant> expiry = expiry_of(request, engine.clock().now());
  std::int64_t head = expected_head(feed.get(), request);
  const std::string trace = http::trace_to_keep(request);
  request.spend(http::Use::kBytes, static_cast<std::int64_t>(request.body.size()));
  request.spend(http::Use::kEntries, static_cast<std::int64_t>(posted.entries.size()));
  // Whose answer was lost asks again, and is told what is stored; beyond the quota that is all that is looked for.
  const std::optional<Problem> full = engine.quotas().refusal(arguments[0], request.body.size());
  if (full && !feed) throw *full;
  if (full) head = Change::kNowhere;
  if (!feed) feed = co_await engine.require_feed_for_publishing(arguments[0], arguments[1]);
  for (std::size_t i = 0; i < posted.entries.size(); ++i) {
    give_id(engine, *feed, request, posted.entries[i], posted.is_batch ? std::optional(i) : std::nullopt);
    if (!posted.entries[i].expires) posted.entries[i].expires = expiry;
    posted.entries[i].trace = trace;
  }
  if (posted.is_batch) {
    Response answered = co_await post_batch(engine, request, feed, std::move(posted), head, full);
    co_return answered;
  }
  const FeedKey key = feed->facts().key;
  Change change;
  change.head = head;
  if (is_media) {
    const std::string media_type(trim(type));
    const std::string_view body = request.body;
    MediaFacts facts = co_await describe_media(engine, media_type, body);
    if (!full) {
      const std::string upload = co_await store_media(engine, key, body);
      facts.upload = upload;
    }
    set_media(posted.entries.front(), facts);
  }
  const auto entry = std::make_shared<const PreparedEntry>(std::move(posted.entries.front()));
  const access::Identity& identity = asker_of(request);
  const Published result = co_await engine.publish(identity, feed, entry, change);
  if (full && is_missing(result.outcome)) throw *full;
  const bool is_unnamed = result.outcome != PublishOutcome::kCreated && result.outcome != PublishOutcome::kUnknown;
  if (is_unnamed && !entry->media.empty()) co_await forget_media(engine, key, entry->media);
  if (result.outcome == PublishOutcome::kCreated) {
    co_return entry_response(201, stored_form(*entry, result), feed_url, settings.edits, request);
  }
  const bool is_retry = result.outcome == PublishOutcome::kSame && !settings.duplicates_conflict;
  if (is_retry) {
    const auto find = [feed, &result](sql::Session& session) {
      return read_entry_at(session, feed->facts().key, result.position);
    };
    const std::optional<StoredEntry> stored = co_await engine.executor().run(find);
    // Who sees a part has sent the same, and the feed may have given it to another part.
    if (stored && !sees(identity, *stored)) {
      throw Problem(409, "The feed holds an entry with the id " + entry->id + " already");
    }
    if (stored) {
      Response answered = entry_response(200, *stored, feed_url, settings.edits, request);
      co_return answered;
    }
  }
  throw_unpublished(result, entry->id, feed_url);
}

}  // namespace courant::feeds
