// Atom Hopper's configuration as ours.
// Specification: docs/MIGRATION.md.
// Threads: the main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/result.h"

namespace courant::server {

struct ConvertedConfig {
  std::string toml;                   // with comments for what has no equivalent
  std::vector<std::string> left_out;  // sentences about feeds that cannot be had
};

// A fault where it is no such document.
Result<ConvertedConfig> convert_atom_hopper_config(std::string_view document);

// Prints the TOML that means what atom-server.cfg.xml means, with comments for what has no equivalent. The exit status:
// 0; 1 where the file cannot be read or a feed of it had to be left out.
int import_atom_hopper_config(const std::string& path);

}  // namespace courant::server
