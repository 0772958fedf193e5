// The bytes of media resources: in pieces beside the log. They are written before the entry that names them is
// published, and read by who has found that entry; what no entry names, the janitor removes (archive/janitor.h).
// What is sent to us is in memory as a whole, once; what we send, one piece for each reader.
// Specification: sql/migrations/0008_media.sql.
// Threads: io threads; each piece is a short statement of the executor's, so that others have their turn between two.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "feeds/engine.h"
#include "feeds/render.h"
#include "http/message.h"
#include "http/range.h"

namespace courant::feeds {

// All pieces of an upload but the last are so long. Part of what is stored: it cannot be changed.
inline constexpr std::size_t kMediaPiece = 256 * 1024;

// How long an upload may wait for its entry: longer than any publish takes.
inline constexpr std::chrono::hours kUploadGrace{1};

// What was sent, without an upload yet. The body stays where it is until the task is complete.
http::Task<MediaFacts> describe_media(Engine& engine, std::string type, std::string_view body);

// Writes the bytes; gives the name of the upload.
http::Task<std::string> store_media(Engine& engine, FeedKey feed, std::string_view body);

// An upload that no entry will name.
http::Task<void> forget_media(Engine& engine, FeedKey feed, std::string upload);

// What a stored media link entry says of its bytes.
MediaFacts media_facts(const StoredEntry& entry);

// A range of a resource as the body of a response: http::Response::body and ::more. All pieces share the room of one.
struct MediaBody {
  http::Bytes first;
  std::function<http::Task<http::Bytes>()> more = nullptr;
};

// nullopt: the bytes are not there (any more). Throws Problem 503 where there is no room (feeds/media_room.h).
http::Task<std::optional<MediaBody>> read_media(Engine& engine, FeedKey feed, std::string upload,
                                                http::ByteRange range);

}  // namespace courant::feeds
