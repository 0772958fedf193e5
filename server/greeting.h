// What a server says to whoever has started it at a terminal.
// Threads: the main thread.
#pragma once

#include <optional>
#include <string>

#include "server/settings/config.h"

namespace courant::server {

// Where it serves, and commands to try, with the token in them where one was made for it.
void greet(const Config& config, const std::optional<std::string>& token);

}  // namespace courant::server
