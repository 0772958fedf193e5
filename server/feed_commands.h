// The commands that work on a running server over HTTP, as any client could: publish and tail.
// Threads: the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/result.h"

namespace courant::server {

struct PublishOptions {
  std::string feed_url;
  std::string token;               // empty: none
  std::vector<std::string> files;  // each an Atom entry; "-" is standard input
  // A folder that keeps the entries until they are stored (spool_command.h); then feed and files may be missing.
  std::optional<std::string> spool;
  std::optional<std::chrono::milliseconds> patience = std::chrono::minutes(5);  // nullopt: no end
  std::chrono::milliseconds attempt = std::chrono::seconds(30);                 // the longest for one request
};

// Posts each file, with progress on standard error and a summary. The exit status: 0 where all are stored; with a spool
// see spool_command.h.
int publish(const PublishOptions& options);

// A file's bytes, or those of standard input for "-": all of them. The fault: "path cannot be read: why".
Result<std::string> read_whole(const std::string& path);

struct TailOptions {
  std::string feed_url;
  std::string token;                  // empty: none
  std::optional<std::int64_t> from;   // print what comes after this position; nullopt: after the feed's head
  bool as_xml = false;                // whole entries instead of a line each
  std::optional<std::int64_t> count;  // end after so many entries
};

// Prints entries as they come, oldest first, until stopped. The exit status.
int tail(const TailOptions& options);

}  // namespace courant::server
