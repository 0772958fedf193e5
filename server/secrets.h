// The keys of an installation: what it keeps secret is sealed with the newest one, and further keys follow from it. All
// servers of a database have the same.
// Threads: any.
#pragma once

#include <string>

#include "kernel/result.h"
#include "kernel/sealed.h"
#include "server/settings/config.h"

namespace courant::server {

// The file that they are in: hub.secrets_key, else one in the data directory.
std::string secrets_path(const Config& config, const std::string& data);

// Reads the file, or makes it where it is missing.
Result<Vault> open_vault(const Config& config, const std::string& data);

}  // namespace courant::server
