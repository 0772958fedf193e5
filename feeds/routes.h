// The URLs of feeds and entries: all of them in one table.
// Specification: docs/API.md.
// Threads: io threads.
#pragma once

#include <vector>

#include "feeds/engine.h"
#include "http/router.h"

namespace courant::feeds {

// The engine must outlive the routes.
std::vector<http::Route> routes(Engine& engine);

}  // namespace courant::feeds
