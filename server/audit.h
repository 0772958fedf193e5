// Administrative acts, as the feed _courant/audit tells of them (feeds/chronicler.h).
// Threads: database threads.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "feeds/chronicler.h"

namespace courant::server {

// Who acts: whoever runs a command, by the name of his account on this machine.
std::string actor_at_command_line();

// Notes that somebody has done something to a subject: act "token-created", subject "token ci". In a transaction with
// the act itself. details say how, and hold no secret: the feed keeps them for ever.
void note_act(sql::Session& session, std::string_view actor, std::string_view act, std::string_view subject,
              nlohmann::json details, Instant now);

}  // namespace courant::server
