#include "feeds/media_store.h"

#include <algorithm>
#include <stdexcept>

#include "feeds/queries.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

using http::ByteRange;
using http::Task;

// The value of an attribute of the media element, which stands last in the entry as set_media has written it.
std::string_view attribute_of(std::string_view element, std::string_view name) {
  const std::string start = " " + std::string(name) + "=\"";
  const std::size_t at = element.find(start);
  if (at == std::string_view::npos) throw std::logic_error("a media link entry without " + std::string(name));
  element.remove_prefix(at + start.size());
  return element.substr(0, element.find('"'));
}

// What of a range lies in its first piece, and what does not.
ByteRange front_of(ByteRange range) {
  return {range.first, std::min<std::uint64_t>(range.length, kMediaPiece - range.first % kMediaPiece)};
}
ByteRange behind(ByteRange front, ByteRange range) {
  return {range.first + front.length, range.length - front.length};
}

// Puts a part of one piece into the room of its reader. Null: it is not there.
Task<http::Bytes> read_piece(Engine& engine, FeedKey feed, std::string upload, ByteRange part,
                             std::shared_ptr<std::string> room) {
  const auto read = [feed, upload, part](sql::Session& session) {
    sql::Parameters parameters;
    parameters.add(feed.lane).add(feed.feed).add(upload).add(static_cast<std::int64_t>(part.first / kMediaPiece));
    const sql::Rows rows = session.run(queries::read_media_piece, parameters);
    return rows.empty() ? std::string() : rows[0].bytes(0);
  };
  const std::string piece = co_await engine.executor().run(read);
  const std::uint64_t skipped = part.first % kMediaPiece;
  if (piece.size() < skipped + part.length) co_return nullptr;
  room->assign(piece, skipped, part.length);
  co_return room;
}

}  // namespace

Task<MediaFacts> describe_media(Engine& engine, std::string type, std::string_view body) {
  MediaFacts facts;
  facts.type = std::move(type);
  facts.length = body.size();
  // Not on an io thread: the digest of megabytes takes a while.
  const auto digest = [body](sql::Session&) { return sha256(body); };
  facts.sha256 = co_await engine.executor().run(digest);
  co_return facts;
}

Task<std::string> store_media(Engine& engine, FeedKey feed, std::string_view body) {
  const std::string upload = uuid_v7(engine.clock().now());
  const Instant due = engine.clock().now() + kUploadGrace;
  std::int64_t number = 0;
  for (std::size_t at = 0; at < body.size(); at += kMediaPiece, ++number) {
    const std::string_view piece = body.substr(at, kMediaPiece);
    const bool is_last = at + piece.size() == body.size();
    const auto put = [feed, upload, number, piece, due, is_last](sql::Session& session) {
      sql::Parameters parameters;
      parameters.add(feed.lane).add(feed.feed).add(upload).add(number).add_bytes(piece).add(due).add(is_last);
      const sql::Rows rows = session.run(queries::put_media_piece, parameters);
      return !is_last || rows[0].integer(0) == number;
    };
    const bool is_whole = co_await engine.executor().run(put);
    if (!is_whole)
      throw Problem(503, "The database has lost a part of what was sent: send it again").with("Retry-After", "1");
  }
  co_return upload;
}

Task<void> forget_media(Engine& engine, FeedKey feed, std::string upload) {
  const auto doubt = [feed, upload](sql::Session& session) {
    session.run(queries::doubt_media, sql::Parameters().add(feed.lane).add(feed.feed).add(upload));
    return true;
  };
  co_await engine.executor().run(doubt);
}

MediaFacts media_facts(const StoredEntry& entry) {
  const std::string_view xml = entry.xml;
  const std::string_view element = xml.substr(std::min(xml.size(), xml.rfind("<media ")));
  MediaFacts facts;
  facts.type = entry.media_type;
  facts.upload = entry.media;
  facts.length = parse_unsigned(attribute_of(element, "length")).value_or(0);
  const std::string digest = from_hex(attribute_of(element, "sha256")).value_or("");
  std::copy_n(digest.begin(), std::min(digest.size(), facts.sha256.size()), facts.sha256.begin());
  return facts;
}

Task<std::optional<MediaBody>> read_media(Engine& engine, FeedKey feed, std::string upload, ByteRange range) {
  const std::shared_ptr<std::string> room =
      engine.media_room().make(std::min<std::uint64_t>(range.length, kMediaPiece));
  MediaBody body;
  body.first = room;
  if (range.length == 0) co_return body;
  const ByteRange front = front_of(range);
  body.first = co_await read_piece(engine, feed, upload, front, room);
  if (!body.first) co_return std::nullopt;
  body.more = [&engine, feed, upload, room, rest = behind(front, range)]() mutable {
    const ByteRange part = front_of(rest);
    rest = behind(part, rest);
    return read_piece(engine, feed, upload, part, room);
  };
  co_return body;
}

}  // namespace courant::feeds
