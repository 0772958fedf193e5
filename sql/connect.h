// The connection string that every session and listener is opened with.
// Threads: pure functions.
#pragma once

#include <string>

#include "sql/database.h"

namespace courant::sql {

// options.url with UTF-8, UTC, the timeouts and the keep-alive settings added; what the url says itself wins.
std::string connection_string(const DatabaseOptions& options);

}  // namespace courant::sql
