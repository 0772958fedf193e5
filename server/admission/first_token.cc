#include "server/admission/first_token.h"

#include "server/admission/token_store.h"

namespace courant::server {

std::optional<std::string> first_token(sql::Database& database, Instant now) {
  std::optional<std::string> token;
  database.with_session([&](sql::Session& session) {
    if (has_tokens(session)) return;
    NewToken first;
    first.name = "first";
    first.scopes = *access::Scopes::parse("admin");
    first.on = {*access::Pattern::parse("*")};
    const Result<std::string> made = make_token(session, first, now);
    if (made) token = *made;  // else another process was first
  });
  return token;
}

}  // namespace courant::server
