// The program's parts, made, joined, started and stopped in one place.
// Threads: run from the main thread.
#pragma once

#include <string>

#include "server/config.h"

namespace courant::server {

struct ServeOptions {
  std::string data = "data";  // the data directory
  Config config;
};

// Serves until SIGINT or SIGTERM. Returns the exit status; what went wrong is said on standard error.
int serve(const ServeOptions& options);

// Brings the database to this program's schema and ends.
int migrate(const ServeOptions& options);

}  // namespace courant::server
