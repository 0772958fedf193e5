// PUT and DELETE of an entry: a revision or a tombstone is appended; nothing that is in the log changes.
// Specification: RFC 5023 sections 9.3 and 9.4; RFC 6721 (tombstones); RFC 9110 section 13 (If-Match, If-None-Match).
// Threads: io threads.
#pragma once

#include <cstdint>

#include "feeds/engine.h"
#include "http/router.h"

namespace courant::feeds {

// How often a change is tried again that others were faster than, where the client has not said what it expects.
inline constexpr int kMostTries = 10;
// Throws Problem 503: that was not often enough.
[[noreturn]] void throw_contended();

// Throws Problem 405 where the feed's entries cannot be changed.
void require_edits(const FeedSettings& settings);

// Appends the tombstone of an entry, for who asks. expected: as Change has it.
http::Task<Published> append_tombstone(Engine& engine, const http::Request& request, std::shared_ptr<LiveFeed> feed,
                                       std::string id, std::int64_t expected);
// How that is answered; throws the Problem where nothing was appended.
http::Response deletion_response(const Published& result, const std::string& id, const std::string& feed_url);

std::uint64_t admit_put(Engine& engine, const http::Request& request);
http::Task<http::Response> put_entry(Engine& engine, const http::Request& request, http::PathArguments arguments);
http::Task<http::Response> delete_entry(Engine& engine, const http::Request& request, http::PathArguments arguments);

}  // namespace courant::feeds
