// The keys of an installation: what it keeps secret is sealed with the newest one, and further keys follow from it. All
// servers of a database have the same.
// Threads: any.
#pragma once

#include <optional>
#include <string>

#include "kernel/result.h"
#include "kernel/sealed.h"
#include "server/settings/config.h"
#include "sql/database.h"

namespace courant::server {

// The file that they are in: hub.secrets_key, else one in the data directory.
std::string secrets_path(const Config& config, const std::string& data);

// Where the file is missing and would be made: a fault where the database's secrets are sealed with another key
// already, so that no file is left that helps nobody, and that a backup would keep in the place of the right one.
std::optional<Fault> fault_of_missing_key(const Config& config, const std::string& data, sql::Database& database);

// Reads the file, or makes it where it is missing.
Result<Vault> open_vault(const Config& config, const std::string& data);

}  // namespace courant::server
