// Tokens: who may do what (server/admission/token_store.h). A token is shown in the answer to the request that has made
// it, and never again.
#include "server/admission/token_store.h"
#include "server/management/manage_route.h"
#include "server/queries.h"

namespace courant::server {
namespace {

template <class T>
T require(Result<T> result) {
  if (!result) throw Problem(400, result.fault().detail);
  return *std::move(result);
}

// What is no instant that a server takes is told as it stands in the database.
Json time_or_null(const sql::Row& row, int column) {
  if (row.is_null(column)) return {};
  const std::optional<Instant> instant = row.find_instant(column);
  return instant ? format_rfc3339(*instant) : std::string(row.text(column));
}

// A member that may be left out.
std::string text_in(const Json& body, const char* name, const std::string& otherwise) {
  return body.contains(name) ? require_text(body, name) : otherwise;
}

}  // namespace

Json list_tokens(ManageCall& call) {
  Json list = Json::array();
  const sql::Rows rows = call.session.run(queries::list_tokens);
  for (int i = 0; i < rows.size(); ++i) {
    const sql::Row row = rows[i];
    list.push_back({{"name", row.text(1)},
                    {"number", row.integer(0)},
                    {"scopes", row.text(2)},
                    {"on", row.text(3)},
                    {"filter", row.text(4)},
                    {"created", time_or_null(row, 5)},
                    {"expires", time_or_null(row, 6)},
                    {"revoked", time_or_null(row, 7)}});
  }
  return {{"tokens", list}};
}

Json create_token(ManageCall& call) {
  const Json& body = call.asked.body;
  const std::string name = require_text(body, "name");
  if (!is_token_name(name))
    throw Problem(400, "name must have at most 100 characters, no controls, and be neither . nor ..");
  NewToken token{name, require(access::Scopes::parse(text_in(body, "scopes", "read"))),
                 require(access::Pattern::parse_list(require_text(body, "on"))), "", std::nullopt};
  if (body.contains("filter")) token.filter = require(mandatory_filter(require_text(body, "filter")));
  if (body.contains("expires_in")) {
    const std::chrono::milliseconds duration = require_duration(body, "expires_in");
    token.expires = call.now + std::chrono::duration_cast<Instant::duration>(duration);
  }
  const Result<std::string> secret = make_token(call.session, token, call.now);
  if (!secret) throw Problem(409, secret.fault().detail);
  const std::string on = require_text(body, "on");
  call.note("token-created", "token " + name, details_of(token));
  call.status = 201;
  Json answer = {
      {"name", name}, {"token", *secret}, {"scopes", token.scopes.text()}, {"on", on}, {"filter", token.filter}};
  answer["expires"] = token.expires ? Json(format_rfc3339(*token.expires)) : Json();
  if (const std::string gap = gap_of(token.filter); !gap.empty()) answer["note"] = gap;
  return answer;
}

Json revoke_token(ManageCall& call) {
  const std::string& name = call.argument(0);
  if (!revoke_token(call.session, name, call.now)) throw Problem(404, "There is no good token called " + name);
  call.note("token-revoked", "token " + name, nlohmann::json::object());
  return {};
}

}  // namespace courant::server
