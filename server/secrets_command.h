// courant rotate-secrets-key: another key for what the database keeps sealed, while servers run.
// Threads: the main thread.
#pragma once

#include "server/app.h"

namespace courant::server {

struct KeyRotation {
  bool makes_key = true;   // else the first key in the file is the new one
  bool drops_old = false;  // older keys are taken out of the file, where nothing is sealed with them any more
};

// Prints what it did and returns the exit status: 0; 1 where something is left to be done, with a sentence.
int rotate_secrets_key(const ServeOptions& options, const KeyRotation& rotation);

}  // namespace courant::server
