#include "server/audit.h"

#include <pwd.h>
#include <unistd.h>

#include "kernel/host_name.h"

namespace courant::server {

std::string actor_at_command_line() {
  const passwd* const account = ::getpwuid(::getuid());
  return "command line: " + (account != nullptr ? std::string(account->pw_name) : std::to_string(::getuid())) + "@" +
         host_name();
}

}  // namespace courant::server
