#include "server/admission/challenge.h"

#include <utility>

namespace courant::server {

Problem unauthorized(std::string detail, const std::string& error) {
  std::string bearer = "Bearer realm=\"courant\"";
  if (!error.empty()) bearer += ", error=\"" + error + "\", error_description=\"" + detail + "\"";
  return Problem(401, std::move(detail))
      .with("WWW-Authenticate", std::move(bearer))
      .with("WWW-Authenticate", "Basic realm=\"courant\", charset=\"UTF-8\"");
}

Problem who_are_you() {
  return unauthorized("Say who you are: send a token as Authorization: Bearer, or as the password of Basic");
}

Problem lost_credentials() {
  return unauthorized("The token was revoked, or has expired meanwhile", "invalid_token");
}

Problem insufficient_scope(access::Scope scope, const std::string& where) {
  const std::string word(access::name_of(scope));
  return Problem(403, "This token may not " + word + " at " + where + ": it has not the scope " + word)
      .with("WWW-Authenticate", "Bearer realm=\"courant\", error=\"insufficient_scope\", scope=\"" + word + "\"");
}

}  // namespace courant::server
