// courant apply, courant export: what workspaces and feeds the database has, as a file, and the other way. Servers may
// run, and take it up within about a second.
// Threads: the main thread.
#pragma once

#include <string>

#include "server/app.h"

namespace courant::server {

struct ApplyOptions {
  std::string file;
  bool is_meant = false;  // --yes: nobody is asked
  bool is_dry = false;    // --dry-run: nothing is done
};

// Prints the difference, asks, and makes it so in one transaction. The exit status: 0 done, or nothing to do; 1 not
// done; 2 there was nobody to ask.
int apply_settings(const ServeOptions& options, const ApplyOptions& apply);

// Prints a file that apply_settings() would do nothing for.
int export_settings(const ServeOptions& options);

}  // namespace courant::server
