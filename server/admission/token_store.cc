#include "server/admission/token_store.h"

#include <nlohmann/json.hpp>

#include "access/token.h"
#include "feeds/filter.h"
#include "kernel/log.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "server/queries.h"

namespace courant::server {
namespace {

Result<access::KnownToken> known_token(const sql::Row& row) {
  access::KnownToken token;
  const std::string hash = row.bytes(2);
  if (hash.size() != token.hash.size()) return Fault{"its hash is no SHA-256"};
  std::copy(hash.begin(), hash.end(), token.hash.begin());
  Result<access::Scopes> scopes = access::Scopes::parse(row.text(3));
  if (!scopes) return scopes.fault();
  Result<std::vector<access::Pattern>> on = access::Pattern::parse_list(row.text(4));
  if (!on) return on.fault();
  const std::string filter(row.text(5));
  if (!filter.empty()) {
    const Result<std::string> canonical = mandatory_filter(filter);
    if (!canonical) return canonical.fault();
  }
  token.grant = {row.integer(0), std::string(row.text(1)), *scopes, *std::move(on), filter, std::nullopt};
  token.grant.expires = row.find_instant(6);
  // Not for ever, but taken by nobody: what was meant cannot be told.
  if (!row.is_null(6) && !token.grant.expires) return Fault{"it ends at " + std::string(row.text(6))};
  return token;
}

std::string list_of(const std::vector<access::Pattern>& patterns) {
  std::string list;
  for (const access::Pattern& pattern : patterns) list += (list.empty() ? "" : ",") + pattern.text();
  return list;
}

}  // namespace

std::int64_t access_revision(sql::Session& session) {
  return session.run(queries::access_revision)[0].integer(0);
}

std::vector<access::KnownToken> good_tokens(sql::Session& session, Instant now) {
  const sql::Rows rows = session.run(queries::good_tokens, sql::Parameters().add(now));
  std::vector<access::KnownToken> tokens;
  for (int i = 0; i < rows.size(); ++i) {
    Result<access::KnownToken> token = known_token(rows[i]);
    if (token) {
      tokens.push_back(*std::move(token));
    } else {
      log_error("a token is not understood, and not taken",
                {{"token", rows[i].text(1)}, {"why", token.fault().detail}});
    }
  }
  return tokens;
}

bool has_tokens(sql::Session& session) {
  return session.run(queries::has_tokens)[0].boolean(0);
}

bool is_token_name(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  const bool can_be_named = name != "." && name != "..";
  return !name.empty() && name.size() <= kLongest && is_valid_utf8(name) && without_controls(name) == name &&
         can_be_named;
}

nlohmann::json details_of(const NewToken& token) {
  nlohmann::json details = {{"scopes", token.scopes.text()}, {"feeds", list_of(token.on)}, {"filter", token.filter}};
  details["expires"] = token.expires ? nlohmann::json(format_rfc3339(*token.expires)) : nlohmann::json();
  return details;
}

Result<std::string> make_token(sql::Session& session, const NewToken& token, Instant now) {
  std::string secret = access::make_token();
  sql::Parameters parameters;
  parameters.add(token.name).add_bytes(bytes_of(access::hash_of_token(secret))).add(token.scopes.text());
  parameters.add(list_of(token.on)).add(token.filter).add(now);
  if (token.expires) {
    parameters.add(*token.expires);
  } else {
    parameters.add_null();
  }
  if (session.run(queries::put_token, parameters).empty()) {
    return Fault{"there is a token called " + token.name + ": revoke it, or call this one otherwise"};
  }
  return secret;
}

bool revoke_token(sql::Session& session, const std::string& name, Instant now) {
  return !session.run(queries::revoke_token, sql::Parameters().add(name).add(now)).empty();
}

Result<std::string> mandatory_filter(std::string text) {
  if (trim(text).empty()) return Fault{"the filter is empty: leave it out where all may be seen"};
  if (!text.starts_with('(') && !text.starts_with('+')) text = "(" + text + ")";
  try {
    const feeds::Filter filter = feeds::Filter::parse(text);
    if (filter.required().empty()) {
      return Fault{"the filter must require a category: NOT alone lets through what belongs to others"};
    }
    return filter.canonical();
  } catch (const Problem& problem) {
    return Fault{problem.detail()};
  }
}

std::string gap_of(const std::string& filter) {
  if (filter.empty()) return "";
  const feeds::Filter parsed = feeds::Filter::parse(filter);
  for (const std::vector<std::string>& any : parsed.required()) {
    for (const std::string& term : any) {
      if (term.find(':') != std::string::npos) continue;
      return "nothing keeps the category " + term +
             " to its holder: an entry may have it beside other categories, so who is bound to another can show his "
             "entries here, and who publishes with this can show his there. Those with a colon (tenant:" +
             term + ") are kept apart";
    }
  }
  return "";
}

}  // namespace courant::server
