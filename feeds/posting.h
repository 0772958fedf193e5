// POST to a feed: an entry or a batch is judged, published and answered.
// Specification: RFC 5023 section 9.2; docs/API.md ("Publishing").
// Threads: io threads.
#pragma once

#include <cstdint>

#include "feeds/batch.h"
#include "feeds/engine.h"
#include "http/router.h"

namespace courant::feeds {

// What a feed says about what is posted to it.
PostRules post_rules(const Engine& engine, const FeedSettings& settings, const std::string& feed_url);

// How long a body may be; throws Problem 415 for media types that are not taken.
std::uint64_t admit_post(Engine& engine, const http::Request& request, const http::PathArguments& arguments);

http::Task<http::Response> post_to_feed(Engine& engine, const http::Request& request, http::PathArguments arguments);

}  // namespace courant::feeds
