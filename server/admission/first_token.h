// The token of a new installation: whoever has just started it shall be able to publish.
// Threads: the main thread.
#pragma once

#include <optional>
#include <string>

#include "kernel/time.h"
#include "sql/database.h"

namespace courant::server {

// A token that may do everything, in a database in which there has never been one; nullopt: there has.
// Throws sql::Unavailable.
std::optional<std::string> first_token(sql::Database& database, Instant now);

}  // namespace courant::server
