// The process that runs the private PostgreSQL for all who use it: each of them starts a keeper of its own, one of
// which holds DATA/postgres/keeper and works; the others wait to take its place. So the cluster outlives a server whose
// successor is there already, and ends with the last process that uses it, however that ends: when nobody holds
// DATA/postgres/users any more, or when the keeper itself is killed (PostgreSQL gets a fast shutdown by its parent's
// death). A keeper that has not begun to work ends with the process that has started it.
// Threads: a process of its own.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "server/postgres/embedded_postgres.h"

namespace courant::server {

struct KeeperOptions {
  EmbeddedPostgresOptions postgres;
  int started_by = 0;  // the process that has started this one
};

// Returns when nobody uses the cluster any more. The exit status.
int keep_postgres(const KeeperOptions& options);

// The arguments of such a process.
std::vector<std::string> keeper_arguments(const EmbeddedPostgresOptions& options);

// A file that names a process which is not this cluster's postmaster, as after a power cut or in a new container, would
// stop the next start. It then names a process that cannot be; what else it says stays, for PostgreSQL looks there for
// memory that is still in use.
void disarm_stale_pid_file(const std::string& cluster);

}  // namespace courant::server
