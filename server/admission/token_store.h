// Tokens in the database.
// Threads: database threads, and the keeper's (server/admission/access_keeper.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

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

// What a token may be called: 1 to 100 bytes of UTF-8 without controls, and not "." or "..", which no URL can name.
bool is_token_name(std::string_view name);

struct NewToken {
  std::string name;
  access::Scopes scopes;
  std::vector<access::Pattern> on;
  std::string filter;  // canonical; empty: none
  std::optional<Instant> expires;
};
// What the audit feed is told of it: scopes, feeds, filter, expires (null: never).
nlohmann::json details_of(const NewToken& token);

// The token, which is nowhere else from now on. A fault: one of that name is good still.
Result<std::string> make_token(sql::Session& session, const NewToken& token, Instant now);

// False: none of that name is good.
bool revoke_token(sql::Session& session, const std::string& name, Instant now);

// A mandatory filter in its one spelling: as for search=, or without parentheses, "cat=news". A fault where it is none,
// or would let entries through that have no category at all, such as tombstones of others.
Result<std::string> mandatory_filter(std::string text);

// What a filter, canonical or empty, does not keep apart, for who makes a token of it; empty: nothing that is known. A
// term that has no colon is of no kind (feeds/visibility.cc), so that others may give it to their entries, too.
std::string gap_of(const std::string& filter);

}  // namespace courant::server
