// The key of an installation: what it keeps secret is sealed with it, and further keys follow from it. All servers of a
// database have the same.
// Threads: any.
#pragma once

#include <string>

#include "kernel/result.h"
#include "kernel/sealed.h"
#include "server/config.h"

namespace courant::server {

// From hub.secrets_key, else from the data directory, where it is made when it is missing.
Result<Vault> open_vault(const Config& config, const std::string& data);

}  // namespace courant::server
