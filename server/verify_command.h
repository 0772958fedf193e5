// The command that verifies a feed from outside: walks its archive over HTTP and remembers how far it was verified.
// Specification: docs/AUDIT.md.
// Threads: the main thread.
#pragma once

#include <string>

namespace courant::server {

struct VerifyOptions {
  std::string feed_url;
  std::string token;    // empty: none
  std::string state;    // the file that remembers; empty: below $XDG_STATE_HOME or ~/.local/state
  bool forget = false;  // begin anew: what was verified before is not held against the feed
};

// Progress on standard error, the result on standard output. The exit status: 0 where everything holds, 1 where
// something does not, 2 where the feed cannot be read.
int verify(const VerifyOptions& options);

}  // namespace courant::server
