// The program's parts, made, joined, started and stopped in one place.
// Threads: run from the main thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/settings/config.h"

namespace courant::server {

struct ServeOptions {
  std::string data = "data";  // the data directory
  Config config;
  std::string config_file;                    // empty: there is none
  std::function<ConfigReading()> read_again;  // the file, and the command line's flags over it
  std::vector<std::string> arguments;         // of the command line, for further processes
  int started_by = 0;                         // the process that has started this one of several
  bool takes_over = false;                    // from the server that runs on the data directory, where one does
  int predecessor = 0;                        // the process that is taken over from; 0: none
  int process = 0;                            // which of several, from 1; 0: the only one, or the one that starts them
};

// Prints a fault as a sentence on standard error and gives the exit status.
int say(const Fault& fault, int status = 1);

// Serves until SIGINT or SIGTERM. Returns the exit status; what went wrong is said on standard error.
int serve(ServeOptions options);

// Takes part in delivering to subscribers, and nothing else, until SIGINT or SIGTERM.
int push(ServeOptions options);

// Brings the database to this program's schema and ends.
int migrate(const ServeOptions& options);

}  // namespace courant::server
