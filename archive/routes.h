// The URLs of archive pages.
// Specification: RFC 5005, RFC 9530 (Repr-Digest), docs/API.md.
// Threads: io threads.
#pragma once

#include <vector>

#include "feeds/engine.h"
#include "http/router.h"

namespace courant::archive {

// The engine must outlive the routes.
std::vector<http::Route> routes(feeds::Engine& engine);

}  // namespace courant::archive
