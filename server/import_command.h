// The command import: history of Atom Hopper into the log of a server, which may run; and Atom Hopper's configuration
// as ours.
// Specification: docs/MIGRATION.md.
// Threads: the main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/result.h"
#include "server/app.h"

namespace courant::server {

struct ImportOptions {
  std::string source;             // postgresql://..., with Atom Hopper's table `entries`
  std::string feed;               // one feed, by its name there or here; empty: all
  std::string time_zone = "UTC";  // of timestamps that the table keeps without one
  bool again = false;             // from the beginning: what is there already is recognised
};

// Takes the rows that are not here yet, with progress on standard error and a summary of every feed. May be killed at
// any moment and run again: nothing is lost or doubled. The exit status: 0 where every row of the source is here; 1
// where one was refused, which has been said, or the import stopped.
int import_atom_hopper(const ServeOptions& options, const ImportOptions& import);

struct ConvertedConfig {
  std::string toml;                   // with comments for what has no equivalent
  std::vector<std::string> left_out;  // sentences about feeds that cannot be had
};

// Atom Hopper's configuration as ours. A fault where it is no such document.
Result<ConvertedConfig> convert_atom_hopper_config(std::string_view document);

// Prints the TOML that means what atom-server.cfg.xml means, with comments for what has no equivalent. The exit status:
// 0; 1 where the file cannot be read or a feed of it had to be left out.
int import_atom_hopper_config(const std::string& path);

}  // namespace courant::server
