// GET /{workspace}/{feed}/delivered?position=p: whether what was published has arrived with the feed's subscribers.
// Specification: docs/API.md ("The hub"); RFC 7240 section 4.3.
// Threads: io threads.
#pragma once

#include "feeds/engine.h"
#include "http/router.h"
#include "hub/hub.h"

namespace courant::server {

// Both must outlive the route.
http::Route delivered_route(feeds::Engine& engine, hub::Hub& hub);

}  // namespace courant::server
