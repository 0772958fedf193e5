#include "server/admission/first_token.h"

#include <nlohmann/json.hpp>

#include "server/admission/token_store.h"
#include "server/audit.h"

namespace courant::server {

std::optional<std::string> first_token(sql::Database& database, Instant now) {
  std::optional<std::string> token;
  database.with_session([&](sql::Session& session) {
    if (has_tokens(session)) return;
    NewToken first;
    first.name = "first";
    first.scopes = *access::Scopes::parse("admin");
    first.on = {*access::Pattern::parse("*")};
    std::optional<std::string> made;
    session.transaction([&] {
      const Result<std::string> secret = make_token(session, first, now);
      if (!secret) return;  // another process was first
      made = *secret;
      note_act(session, actor_at_command_line(), "token-created", "token " + first.name, details_of(first), now);
    });
    token = made;
  });
  return token;
}

}  // namespace courant::server
