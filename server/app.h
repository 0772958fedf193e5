// The program's parts, made, joined, started and stopped in one place.
// Threads: run from the main thread.
#pragma once

#include <string>
#include <vector>

#include "kernel/result.h"

namespace courant::server {

struct ServeOptions {
  std::string data = "data";  // the data directory
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  std::string public_url;  // empty: from the first listen address
  std::string database;    // empty: a private PostgreSQL under `data`
};

// Serves until SIGINT or SIGTERM. Returns the exit status; what went wrong is said on standard error.
int serve(const ServeOptions& options);

// Brings the database to this program's schema and ends.
int migrate(const ServeOptions& options);

}  // namespace courant::server
