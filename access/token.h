// Bearer tokens: what is shown once, and what is kept of it.
// A token is 190 bits by chance, so that its SHA-256 is as good as itself against whoever reads the database: there is
// nothing to guess, and a slow hash would only slow every request.
// Specification: RFC 6750 (the form of a bearer token); docs/SECURITY.md.
// Threads: any; pure but for make_token.
#pragma once

#include <string>
#include <string_view>

#include "kernel/digest.h"

namespace courant::access {

inline constexpr std::string_view kTokenPrefix = "crt_";

// "crt_" and 32 letters and digits from the system's random source.
std::string make_token();

// What the database keeps, and tokens are found by.
Sha256 hash_of_token(std::string_view token);

// Whether a text may be a token at all: nothing else is worth a hash.
bool has_token_form(std::string_view text);

}  // namespace courant::access
