// The operator's page of the hub: how far subscriptions are behind, and which ones are the longest.
// Specification: docs/OPERATIONS.md ("Watching the hub").
// Threads: pure functions.
#pragma once

#include <string>

#include "hub/census.h"

namespace courant::server {

std::string hub_json(const hub::Overview& overview);
std::string hub_html(const hub::Overview& overview);

}  // namespace courant::server
