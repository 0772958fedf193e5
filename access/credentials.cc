#include "access/credentials.h"

#include "access/token.h"
#include "kernel/digest.h"
#include "kernel/text.h"

namespace courant::access {

std::optional<std::string> token_in(std::string_view authorization) {
  authorization = trim(authorization);
  const std::size_t space = authorization.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = authorization.substr(0, space);
  const std::string_view rest = trim(authorization.substr(space));
  std::string token;
  if (equal_ignoring_case(scheme, "bearer")) {
    token = rest;
  } else if (equal_ignoring_case(scheme, "basic")) {
    const std::optional<std::string> pair = from_base64(rest);
    if (!pair) return std::nullopt;
    // RFC 7617 section 2: a user's name holds no colon, a password may.
    const std::size_t colon = pair->find(':');
    if (colon == std::string::npos) return std::nullopt;
    token = pair->substr(colon + 1);
  }
  if (!has_token_form(token)) return std::nullopt;
  return token;
}

}  // namespace courant::access
