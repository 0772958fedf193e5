// The management API: /-/manage/, JSON for programs that administer, of whoever has an `admin` token. Everything that
// the commands do beside running servers, noted in the same feed.
// Specification: docs/API.md ("Managing"), OpenAPI 3.1, RFC 9457.
// Threads: io threads; what waits for PostgreSQL is done by the core's executor.
#pragma once

#include <vector>

#include "http/router.h"
#include "server/core.h"

namespace courant::server {

// core must outlive them.
std::vector<http::Route> manage_routes(Core& core);

}  // namespace courant::server
