// Another key for what the database keeps sealed (hub/resealing.h) and for what follows from it, while servers run: by
// command and through the API.
// Specification: docs/OPERATIONS.md ("Another key").
// Threads: any that may wait; one at a time in a database, others get a fault.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel/result.h"
#include "sql/database.h"

namespace courant::server {

struct KeyRotation {
  bool makes_key = true;   // else the first key in the file is the new one
  bool drops_old = false;  // older keys are taken out of the file, where nothing is sealed with them any more
};

// Keys are named by their ids; of one that has none it says so.
struct KeyRotated {
  std::string newest;
  std::int64_t sealed_again = 0;             // secrets
  std::map<std::string, std::int64_t> lost;  // secrets that stay as they are: their key, named here, is not in the file
  std::vector<std::string> older;            // keys that were in the file beside it; drops_old: they are not any more
};

// session: of nobody else, and ended afterwards, which lets others begin. path: of the key file, which is there. actor:
// who is noted to have done it. Throws what sql/ throws: what is done is done, and it may be called again, without a
// new key.
Result<KeyRotated> rotate_key(sql::Session& session, const std::string& path, const KeyRotation& rotation,
                              const std::string& actor);

}  // namespace courant::server
