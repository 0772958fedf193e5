// Who does administrative acts, which the feed _courant/audit tells of (feeds/chronicler.h).
// Threads: database threads.
#pragma once

#include <string>

#include "feeds/chronicler.h"

namespace courant::server {

// Who acts: whoever runs a command, by the name of his account on this machine.
std::string actor_at_command_line();

using feeds::note_act;

}  // namespace courant::server
