// Tokens in the database.
// Threads: database threads, and the keeper's (server/admission/access_keeper.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/rules.h"
#include "kernel/result.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::server {

// Another number whenever tokens were made or revoked.
std::int64_t access_revision(sql::Session& session);

// All that may be used. One that says what this version does not understand is left out, which is logged.
std::vector<access::KnownToken> good_tokens(sql::Session& session, Instant now);

bool has_tokens(sql::Session& session);  // whether one was ever made

// What a token may be called: 1 to 100 bytes of UTF-8 without controls.
bool is_token_name(std::string_view name);

struct NewToken {
  std::string name;
  access::Scopes scopes;
  std::vector<access::Pattern> on;
  std::string filter;  // canonical; empty: none
  std::optional<Instant> expires;
};
// The token, which is nowhere else from now on. A fault: one of that name is good still.
Result<std::string> make_token(sql::Session& session, const NewToken& token, Instant now);

// False: none of that name is good.
bool revoke_token(sql::Session& session, const std::string& name, Instant now);

// A mandatory filter in its one spelling: as for search=, or without parentheses, "cat=news". A fault where it is none,
// or would let entries through that have no category at all, such as tombstones of others.
Result<std::string> mandatory_filter(std::string text);

}  // namespace courant::server
