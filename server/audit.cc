#include "server/audit.h"

#include <nlohmann/json.hpp>
#include <pwd.h>
#include <unistd.h>

namespace courant::server {

std::string actor_at_command_line() {
  const passwd* const account = ::getpwuid(::getuid());
  char host[256] = "";
  ::gethostname(static_cast<char*>(host), sizeof(host) - 1);
  return "command line: " + (account != nullptr ? std::string(account->pw_name) : std::to_string(::getuid())) + "@" +
         static_cast<const char*>(host);
}

void note_act(sql::Session& session, std::string_view actor, std::string_view act, std::string_view subject,
              nlohmann::json details, Instant now) {
  details["actor"] = actor;
  const auto replace = nlohmann::json::error_handler_t::replace;
  feeds::put_notice(session,
                    {feeds::kAuditFeed, "courant.audit." + std::string(act), std::string(subject),
                     details.dump(-1, ' ', false, replace)},
                    now);
}

}  // namespace courant::server
