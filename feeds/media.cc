#include "feeds/media.h"

#include <stdexcept>

#include "feeds/accepting.h"
#include "feeds/atom_rules.h"
#include "feeds/editing.h"
#include "feeds/feed_view.h"
#include "feeds/media_name.h"
#include "feeds/media_store.h"
#include "feeds/outcome_reply.h"
#include "feeds/posting.h"
#include "feeds/reader.h"
#include "feeds/visibility.h"
#include "http/conditional.h"
#include "http/trace.h"
#include "kernel/log.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

// The newest revision of a media link entry, and what it says of its bytes.
struct FoundMedia {
  StoredEntry entry;
  MediaFacts facts;
  std::string title;
  std::string etag;
  std::optional<LastModified> last_modified;
};

// Strong: other bytes or another type have another one.
std::string media_etag(const MediaFacts& facts) {
  return "\"" + to_hex(bytes_of(sha256(facts.type + "\n", bytes_of(facts.sha256))).substr(0, 16)) + "\"";
}

// Throws Problem 404 and 410.
Task<FoundMedia> require_media(Engine& engine, const access::Identity& asker, std::shared_ptr<LiveFeed> feed,
                               std::string id) {
  const auto find = [&engine, &asker, feed, id](sql::Session& session) {
    FoundMedia found;
    std::optional<FoundEntry> newest = read_entry_by_id(session, feed->facts().key, id);
    if (!newest || !sees(asker, newest->entry))
      throw Problem(404, "There is no media resource with the id " + id + " in this feed");
    if (newest->entry.is_tombstone) throw Problem(410, "The media resource " + id + " was deleted");
    if (newest->entry.media.empty()) throw Problem(404, "The entry " + id + " is no media link entry");
    found.entry = std::move(newest->entry);
    if (newest->modified) found.last_modified.emplace(*newest->modified, engine.clock().ticks());
    found.facts = media_facts(found.entry);
    found.title = view_of_entry(found.entry.xml).title;
    found.etag = media_etag(found.facts);
    return found;
  };
  FoundMedia found = co_await engine.executor().run(find);
  co_return found;
}

// RFC 9110 section 13.2.2. Held against what is stored when the change is made: the change expects this revision.
void require_conditions(const Request& request, const std::string& etag) {
  const std::string match = request.combined_header("if-match");
  if (!match.empty() && !http::if_match_matches(match, etag)) {
    throw Problem(412, "The media resource is not what If-Match names");
  }
  const std::string none_match = request.combined_header("if-none-match");
  if (!none_match.empty() && http::if_none_match_matches(none_match, etag)) {
    throw Problem(412, "The media resource is what If-None-Match names");
  }
}

// The range that is asked for; nullopt: all of it. RFC 9110 section 13.1.5: If-Range holds for a strong tag that is
// this one.
std::optional<http::ByteRange> wanted_range(const Request& request, const FoundMedia& found) {
  const std::optional<std::string_view> field = request.header("range");
  if (!field || request.method != http::Method::kGet) return std::nullopt;
  const std::optional<std::string_view> unchanged = request.header("if-range");
  if (unchanged && trim(*unchanged) != found.etag) return std::nullopt;
  return http::read_range(*field, found.facts.length);
}

Response media_response(const FoundMedia& found) {
  Response response;
  response.with("Content-Type", found.facts.type).with("Content-Disposition", attachment_field(found.title));
  response.with("ETag", found.etag).with("Cache-Control", "no-cache").with("Accept-Ranges", "bytes");
  response.with("Repr-Digest", "sha-256=:" + to_base64(bytes_of(found.facts.sha256)) + ":");
  // Said here, since pages of ours that are text/html may do more.
  response.with("Content-Security-Policy", "default-src 'none'; sandbox");
  return response;
}

Response not_modified(const std::string& etag) {
  Response response;
  response.status = 304;
  response.with("ETag", etag).with("Cache-Control", "no-cache");
  return response;
}

// The same entry, that is to name other bytes.
PreparedEntry next_revision(const StoredEntry& entry, const MediaFacts& facts) {
  EntryRules rules;
  rules.is_media_link = true;
  rules.max_bytes = entry.xml.size();
  Result<PreparedEntry> read = read_entry(entry.xml, rules);
  if (!read) throw std::logic_error("a stored entry cannot be read: " + read.fault().detail);
  PreparedEntry next = *std::move(read);
  if (!next.expires) next.expires = entry.expires;
  set_media(next, facts);
  return next;
}

bool is_same(const MediaFacts& a, const MediaFacts& b) {
  return a.sha256 == b.sha256 && a.length == b.length && a.type == b.type;
}

// 204 with where the feed stands by it.
Response changed(const std::string& etag, std::int64_t position) {
  Response response;
  response.status = 204;
  response.with("ETag", etag).with("Feed-Position", std::to_string(position));
  return response;
}

}  // namespace

PreparedEntry media_link_entry(const Request& request, PostRules rules) {
  rules.entry.is_media_link = true;
  const auto entry_called = [](const std::string& title) {
    return schema::admit("<entry xmlns=\"" + std::string(kAtomNamespace) + "\"><title>" + xml_text(title) +
                         "</title></entry>");
  };
  const std::optional<std::string> slug = decode_slug(request.header("slug").value_or(""));
  Result<schema::Document> document = entry_called(slug.value_or(""));
  // A Slug may have characters that XML has not.
  if (!slug || !document) document = entry_called(default_title(request.combined_header("content-type")));
  Result<PreparedEntry> entry = read_by_rules(*std::move(document), rules, Source{});
  if (!entry) throw Problem(422, "The media link entry of this resource: " + entry.fault().detail);
  return *std::move(entry);
}

Task<Response> get_media(Engine& engine, const Request& request, PathArguments arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const FeedKey key = feed->facts().key;
  const std::string id = arguments[2];
  for (int tries = 0; tries < kMostTries; ++tries) {
    const FoundMedia found = co_await require_media(engine, asker_of(request), feed, id);
    const std::string match = request.combined_header("if-match");
    if (!match.empty() && !http::if_match_matches(match, found.etag)) {
      throw Problem(412, "The media resource is not what If-Match names");
    }
    const std::string known = request.combined_header("if-none-match");
    if (!known.empty() && http::if_none_match_matches(known, found.etag)) co_return not_modified(found.etag);
    const Ticks now = engine.clock().ticks();
    const bool is_known = found.last_modified && found.last_modified->is_known(request, now);
    Response response = is_known ? not_modified(found.etag) : media_response(found);
    if (found.last_modified) found.last_modified->tell(response, now);
    if (is_known) co_return response;
    if (request.method == http::Method::kHead) {
      response.content_length = found.facts.length;
      co_return response;
    }
    const std::optional<http::ByteRange> range = wanted_range(request, found);
    if (range) {
      response.status = 206;
      response.with("Content-Range", "bytes " + std::to_string(range->first) + "-" +
                                         std::to_string(range->first + range->length - 1) + "/" +
                                         std::to_string(found.facts.length));
    }
    const http::ByteRange part = range.value_or(http::ByteRange{0, found.facts.length});
    const std::optional<MediaBody> body = co_await read_media(engine, key, found.facts.upload, part);
    if (!body) continue;  // the bytes have been replaced or removed since the entry was read
    response.body = body->first;
    response.more = body->more;
    response.content_length = part.length;
    co_return response;
  }
  log_error("the bytes of a media resource are missing", {{"feed", feed->facts().uri}, {"id", id}});
  throw Problem(500, "The bytes of this media resource are missing");
}

std::uint64_t admit_media(Engine& engine, const Request& request, const PathArguments& arguments) {
  const std::shared_ptr<LiveFeed> feed = engine.directory().find(arguments[0], arguments[1]);
  if (feed) {
    require_edits(feed->state()->settings);
    require_media_type(feed->state()->settings, request.combined_header("content-type"));
  }
  return engine.options().max_media_bytes;
}

Task<Response> put_media(Engine& engine, const Request& request, PathArguments arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const FeedKey key = feed->facts().key;
  const std::string id = arguments[2];
  const std::string type(trim(request.combined_header("content-type")));
  require_edits(feed->state()->settings);
  require_media_type(feed->state()->settings, type);
  request.spend(http::Use::kBytes, static_cast<std::int64_t>(request.body.size()));
  request.spend(http::Use::kEntries, 1);
  const access::Identity& identity = asker_of(request);
  const std::string_view body = request.body;
  MediaFacts facts = co_await describe_media(engine, type, body);
  for (int tries = 0; tries < kMostTries; ++tries) {
    const FoundMedia found = co_await require_media(engine, asker_of(request), feed, id);
    require_conditions(request, found.etag);
    if (is_same(found.facts, facts)) co_return changed(found.etag, found.entry.position);
    if (facts.upload.empty()) {
      engine.quotas().require_room(arguments[0], request.body.size());
      const std::string upload = co_await store_media(engine, key, body);
      facts.upload = upload;
    }
    PreparedEntry next = next_revision(found.entry, facts);
    next.trace = http::trace_to_keep(request);
    const auto entry = std::make_shared<const PreparedEntry>(std::move(next));
    Change change;
    change.kind = Change::Kind::kRevision;
    change.expected = found.entry.position;
    const Published result = co_await engine.publish(identity, feed, entry, change);
    if (result.outcome == PublishOutcome::kAppended) co_return changed(media_etag(facts), result.position);
    if (result.outcome == PublishOutcome::kStale) continue;
    if (result.outcome != PublishOutcome::kUnknown) co_await forget_media(engine, key, facts.upload);
    throw_unpublished(result, id, engine.feed_url(feed->facts()));
  }
  co_await forget_media(engine, key, facts.upload);
  throw_contended();
}

Task<Response> delete_media(Engine& engine, const Request& request, PathArguments arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  require_edits(feed->state()->settings);
  const std::string id = arguments[2];
  request.spend(http::Use::kEntries, 1);
  for (int tries = 0; tries < kMostTries; ++tries) {
    const FoundMedia found = co_await require_media(engine, asker_of(request), feed, id);
    require_conditions(request, found.etag);
    const std::int64_t expected = found.entry.position;
    const Published result = co_await append_tombstone(engine, request, feed, id, expected);
    if (result.outcome == PublishOutcome::kStale) continue;
    co_return deletion_response(result, id, engine.feed_url(feed->facts()));
  }
  throw_contended();
}

}  // namespace courant::feeds
