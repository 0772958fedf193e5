// The commands that work on a running server over HTTP, as any client could: publish and tail.
// Threads: the main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace courant::server {

struct PublishOptions {
  std::string feed_url;
  std::vector<std::string> files;  // each an Atom entry; "-" is standard input
};

// Posts each file, with progress on standard error and a summary. The exit status: 0 where all are stored.
int publish(const PublishOptions& options);

struct TailOptions {
  std::string feed_url;
  std::optional<std::int64_t> from;   // print what comes after this position; nullopt: after the feed's head
  bool as_xml = false;                // whole entries instead of a line each
  std::optional<std::int64_t> count;  // end after so many entries
};

// Prints entries as they come, oldest first, until stopped. The exit status.
int tail(const TailOptions& options);

}  // namespace courant::server
