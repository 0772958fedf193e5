// What the Authorization field of a request says: a token, in one of two forms.
// Specification: RFC 6750 section 2.1 (Bearer), RFC 7617 (Basic: the password is the token, the user may be called
// anything).
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace courant::access {

// The token that a field holds; nullopt: it is of another scheme, or holds nothing that could be a token.
std::optional<std::string> token_in(std::string_view authorization);

}  // namespace courant::access
