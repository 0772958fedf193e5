// What the dashboard shows of a process, as JSON: all metrics, the feeds that move most, the subscriptions that lag.
// Specification: docs/OPERATIONS.md ("The dashboard").
// Threads: any, one at a time; nothing is asked of the database.
#pragma once

#include <string>

#include "server/core.h"

namespace courant::server {

// delivers: this process takes its share of the subscriptions.
std::string status_json(Core& core, bool delivers);

}  // namespace courant::server
