// What the management API is made of: a table of routes, from which the router and the OpenAPI document are made, and
// what the work of a route is given.
// Specification: docs/API.md ("Managing").
// Threads: the table is immutable; a ManageCall is a database thread's.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/router.h"
#include "kernel/problem.h"
#include "kernel/time.h"
#include "kernel/uri.h"
#include "server/core.h"

namespace courant::server {

// Members in the order in which people read them.
using Json = nlohmann::ordered_json;

// What a request says.
struct ManageAsked {
  std::string actor;        // who asks, as the audit feed has it
  bool is_for_all = false;  // whether he may manage all there is
  http::PathArguments arguments;
  Parameters query;
  Json body;                  // an object; empty where the route takes none
  std::string if_match;       // the field, or empty
  std::string if_none_match;  // the same
};

// One request's work: all it does is one transaction.
struct ManageCall {
  Core& core;
  sql::Session& session;
  const ManageAsked& asked;
  const Instant now;

  // What comes of it beside the answer's body.
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::set<std::int64_t> lanes = {};  // whose servers are told, once it is committed

  const std::string& argument(std::size_t index) const { return asked.arguments[index]; }
  void note(std::string_view act, std::string_view subject, nlohmann::json details) const;
};

// Which feeds an `admin` token must be for. All but kNobody: one that has no filter.
enum class ManageRight { kNobody, kFeed, kWorkspace, kAll };

struct QueryParameter {
  std::string_view name;
  std::string_view type;  // of JSON
  std::string_view help;
};

struct ManageRoute {
  http::Method method;
  std::string_view pattern;
  ManageRight right;
  std::string_view name;     // of the operation: "putFeed"
  std::string_view summary;  // a sentence
  std::string_view body;     // its schema; empty: none is taken
  std::string_view answer;   // its schema; empty: 204
  bool makes = false;        // 201 where it was not there before
  std::vector<QueryParameter> query = {};
  Json (*work)(ManageCall&) = nullptr;
};

const std::vector<ManageRoute>& manage_table();

// Schemas by name (JSON Schema 2020-12, as OpenAPI 3.1 has it), and an example of each.
struct ManageSchema {
  Json schema;
  Json example;
};
const std::vector<std::pair<std::string, ManageSchema>>& manage_schemas();

// The document that tells programs all of this.
Json openapi_document(const std::string& public_url);

// A member of the body. Throws Problem 400.
std::string require_text(const Json& body, const char* name);
std::int64_t require_number(const Json& body, const char* name, std::int64_t least);
std::chrono::milliseconds require_duration(const Json& body, const char* name);  // some time, at most kLongestDuration

// The feed that the URL names, as the transaction sees it: what servers know in memory is not touched before it is
// committed. Throws Problem 404.
std::shared_ptr<feeds::LiveFeed> require_stored_feed(ManageCall& call);

// The works, by the file that has them.
Json list_workspaces(ManageCall& call);  // server/management/manage_settings.cc
Json get_workspace(ManageCall& call);
Json put_workspace(ManageCall& call);
Json remove_workspace(ManageCall& call);
Json get_feed(ManageCall& call);
Json put_feed(ManageCall& call);
Json remove_feed(ManageCall& call);  // server/management/manage_log.cc
Json redact_entry(ManageCall& call);
Json get_generation(ManageCall& call);
Json begin_generation(ManageCall& call);
Json list_tokens(ManageCall& call);  // server/management/manage_tokens.cc
Json create_token(ManageCall& call);
Json revoke_token(ManageCall& call);
Json sign_url(ManageCall& call);  // server/management/manage_keys.cc
Json rotate_key(ManageCall& call);
Json list_subscriptions(ManageCall& call);  // server/management/manage_subscriptions.cc
Json get_subscription(ManageCall& call);
Json pause_subscription(ManageCall& call);
Json resume_subscription(ManageCall& call);
Json replay_subscription(ManageCall& call);
Json test_subscription(ManageCall& call);
Json remove_subscription(ManageCall& call);

}  // namespace courant::server
