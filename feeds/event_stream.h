// A feed as server-sent events: what is in the log after a position, then whatever comes. The log is the buffer: a
// reader that is slow is read to from there, and nothing is kept for it.
// Specification: HTML, "Server-sent events"; docs/API.md ("Waiting").
// Threads: io threads.
#pragma once

#include <memory>

#include "feeds/engine.h"
#include "feeds/page.h"
#include "http/message.h"

namespace courant::feeds {

// Begins behind Last-Event-ID (or ?lastEventId=), else at the head; query gives the filter. Throws Problem 400, 410.
http::Task<http::Response> stream_events(Engine& engine, const http::Request& request, std::shared_ptr<LiveFeed> feed,
                                         const PageQuery& query);

}  // namespace courant::feeds
