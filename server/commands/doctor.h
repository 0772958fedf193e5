// courant doctor: looks at the machine, the database and the installation, and says what to change. It changes nothing
// and starts nothing; a private PostgreSQL that does not run is not asked.
// Specification: docs/OPERATIONS.md ("Is all well?"). Threads: the main thread.
#pragma once

#include <string_view>

#include "server/app.h"
#include "server/commands/findings.h"

namespace courant::server {

Findings look_at_machine(const ServeOptions& options);       // limits, cores, ciphers, disk space
Findings look_at_database(const ServeOptions& options);      // version, settings, connections, clock
Findings look_at_installation(const ServeOptions& options);  // certificates, keys, URLs

// Of /proc/cpuinfo: whether the processor has instructions for AES.
bool has_aes(std::string_view cpuinfo);

}  // namespace courant::server
