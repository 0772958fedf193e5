// courant publish: entries from files to a feed of a running server, over HTTP, as any client could.
// Threads: the main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "kernel/result.h"

namespace courant::server {

struct PublishOptions {
  std::string feed_url;
  std::string token_file;          // empty: COURANT_TOKEN in the environment
  std::string token;               // what was found there; empty: none
  std::vector<std::string> files;  // each an Atom entry; "-" is standard input
  // A folder that keeps the entries until they are stored (spool_command.h); then feed and files may be missing.
  std::optional<std::string> spool;
  std::optional<std::chrono::milliseconds> patience = std::chrono::minutes(5);  // nullopt: no end
  std::chrono::milliseconds attempt = std::chrono::seconds(30);                 // the longest for one request
};

// A file's bytes, or those of standard input for "-": all of them. The fault: "path cannot be read: why".
Result<std::string> read_whole(const std::string& path);

}  // namespace courant::server
