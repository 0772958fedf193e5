// GET of a feed: its pages in every form, from memory where they are there and hold.
// Specification: docs/API.md ("Reading"); RFC 4287, RFC 5005 section 3, RFC 9110 section 13.
// Threads: io threads.
#pragma once

#include <optional>

#include "feeds/engine.h"
#include "http/message.h"
#include "http/router.h"

namespace courant::feeds {

// What can be answered from memory; nullopt: get_feed has to be asked.
std::optional<http::Response> feed_at_once(Engine& engine, const http::Request& request,
                                           const http::PathArguments& arguments);

http::Task<http::Response> get_feed(Engine& engine, const http::Request& request, http::PathArguments arguments);

}  // namespace courant::feeds
