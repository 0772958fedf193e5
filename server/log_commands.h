// The operator's commands on the log itself, on the database of a server, which may run: redact, delete-feed and
// new-generation. Servers notice within milliseconds.
// Threads: the main thread.
#pragma once

#include <string>

#include "server/app.h"

namespace courant::server {

struct RedactOptions {
  std::string feed;  // "workspace/feed"
  std::string id;    // atom:id
};
struct DeleteFeedOptions {
  std::string feed;
  bool is_meant = false;  // --yes
};

// Each prints what it did and returns the exit status: 0; 1 where it was not done, with a sentence; 2 for wrong words.
int redact(const ServeOptions& options, const RedactOptions& redaction);
int delete_feed(const ServeOptions& options, const DeleteFeedOptions& deletion);
int new_generation(const ServeOptions& options);

}  // namespace courant::server
