#include "server/management/manage.h"

#include <algorithm>
#include <set>

#include "feeds/follower.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "server/audit.h"
#include "server/management/manage_route.h"

namespace courant::server {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

constexpr std::uint64_t kMaxBody = 64 * 1024;
constexpr int kDeepest =
    8;  // of what stands within each other in a body: much that takes it apart does so by recursion

// Whether an identity may manage all that a pattern of a token names; empty: whatever it is called.
bool may_manage(const access::Identity& identity, const std::string& workspace, const std::string& feed) {
  return !identity.is_filtered() && identity.may(access::Scope::kAdmin, workspace, feed);
}

// The same of all there is, now that the route has let him in.
bool may_manage_all(const Core& core, const Request& request) {
  return core.rules().load()->is_open() || (request.identity && may_manage(*request.identity, "", ""));
}

// Throws Problem 401, 403.
void require_right(const Core& core, ManageRight right, const Request& request, const PathArguments& arguments) {
  if (right == ManageRight::kNobody || core.rules().load()->is_open()) return;
  if (!request.identity || request.identity->is_anonymous()) {
    throw Problem(401, "Say who you are: send an admin token as Authorization: Bearer")
        .with("WWW-Authenticate", "Bearer realm=\"courant\"");
  }
  const std::string workspace = right == ManageRight::kAll ? "" : arguments[0];
  const std::string feed = right == ManageRight::kFeed ? arguments[1] : "";
  if (may_manage(*request.identity, workspace, feed)) return;
  const std::string what = right == ManageRight::kFeed        ? workspace + "/" + feed
                           : right == ManageRight::kWorkspace ? "all of " + workspace + "/*"
                                                              : "*, all there is";
  throw Problem(403, "This takes a token with the scope admin on " + what + ", and without a filter")
      .with("WWW-Authenticate", "Bearer realm=\"courant\", error=\"insufficient_scope\", scope=\"admin\"");
}

std::uint64_t admit(const Core& core, const ManageRoute& route, const Request& request,
                    const PathArguments& arguments) {
  require_right(core, route.right, request, arguments);
  if (route.body.empty()) return 0;
  const std::string type = ascii_lower(trim(split(request.combined_header("content-type"), ';').front()));
  if (type != "application/json") {
    throw Problem(415, "This takes application/json, not " + (type.empty() ? "nothing" : type));
  }
  return kMaxBody;
}

// What is kept here stands in documents that everybody reads. Throws Problem 400.
void require_xml_text(std::string_view text) {
  const std::string lacked = lacked_by_xml(text);
  if (!lacked.empty()) throw Problem(400, "No text here holds " + lacked + ", which XML cannot");
}

// Throws Problem 400.
Json read_body(const std::string& text) {
  std::vector<std::set<std::string>> members;  // of the objects that are open, from the outermost on
  const auto guard = [&members](int depth, Json::parse_event_t event, Json& read) {
    if (event == Json::parse_event_t::object_start) members.emplace_back();
    if (event == Json::parse_event_t::object_end) members.pop_back();
    if (event == Json::parse_event_t::key && !members.back().insert(read.get_ref<const std::string&>()).second) {
      throw Problem(400, "The member " + read.get_ref<const std::string&>() + " is there twice");
    }
    const bool is_text = event == Json::parse_event_t::key || (event == Json::parse_event_t::value && read.is_string());
    if (is_text) require_xml_text(read.get_ref<const std::string&>());
    if (depth > kDeepest) throw Problem(400, "The body is nested more than " + std::to_string(kDeepest) + " deep");
    return true;
  };
  Json body = Json::parse(text, guard, false);
  if (body.is_discarded()) throw Problem(400, "The body is not JSON");
  if (!body.is_object()) throw Problem(400, "The body must be a JSON object");
  return body;
}

// Members that the schema does not name are errors, before anything is done. Those of settings are judged as in a
// file (server/management/manage_settings.cc).
void require_known(const ManageRoute& route, const Json& body) {
  const auto& schemas = manage_schemas();
  const auto found = std::find_if(schemas.begin(), schemas.end(), [&](const auto& s) { return s.first == route.body; });
  const Json& known = found->second.schema["properties"];
  for (const auto& [name, value] : body.items()) {
    if (!known.contains(name)) throw Problem(400, "There is no member " + name);
  }
}

void require_known(const ManageRoute& route, const Parameters& query) {
  for (const auto& [name, value] : query) {
    require_xml_text(value);
    if (std::ranges::none_of(route.query, [&name = name](const QueryParameter& one) { return one.name == name; })) {
      throw Problem(400, "There is no parameter " + name);
    }
  }
}

bool is_settings(const ManageRoute& route) {
  return route.body == "WorkspaceSettings" || route.body == "FeedSettings";
}

ManageAsked read_asked(const Core& core, const ManageRoute& route, const Request& request, PathArguments arguments) {
  ManageAsked asked;
  asked.actor = (request.identity ? request.identity->name() : std::string("anybody")) + " at " +
                std::string(request.client_address);
  asked.is_for_all = may_manage_all(core, request);
  asked.arguments = std::move(arguments);
  asked.query = query_of(request);
  require_known(route, asked.query);
  asked.if_match = request.combined_header("if-match");
  asked.if_none_match = request.combined_header("if-none-match");
  const bool is_judged =
      route.method == http::Method::kPut || route.method == http::Method::kGet || route.name == "deleteFeed";
  if (!is_judged && !asked.if_match.empty()) throw Problem(412, "Nothing here has an entity tag for If-Match to name");
  if (route.body.empty()) return asked;
  asked.body = read_body(request.body);
  if (!is_settings(route)) require_known(route, asked.body);
  return asked;
}

// What cannot be undone is done; that dead rows or other servers take longer is no failure of it.
void finish(ManageCall& call) {
  try {
    if (!call.lanes.empty()) feeds::tell_servers(call.core.database().options(), call.lanes);
  } catch (const std::exception& error) {
    log_warning("an administrative act takes longer to be seen", {{"why", error.what()}});
  }
}

Response run(Core& core, const ManageRoute& route, const ManageAsked& asked, sql::Session& session) {
  ManageCall call{core, session, asked, core.clock().now()};
  Json answer;
  session.transaction([&] { answer = route.work(call); });
  finish(call);
  Response response;
  response.status = route.answer.empty() ? 204 : call.status;
  response.with("Cache-Control", "no-store");
  for (auto& [name, value] : call.headers) response.with(name, std::move(value));
  if (route.answer.empty()) return response;
  response.with("Content-Type", "application/json");
  response.body = http::make_bytes(answer.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  return response;
}

http::Route route_of(Core& core, const ManageRoute& route) {
  const auto answer = [&core, &route](const Request& request, PathArguments arguments) -> Task<Response> {
    const ManageAsked asked = read_asked(core, route, request, std::move(arguments));
    const auto work = [&core, &route, asked](sql::Session& session) { return run(core, route, asked, session); };
    Response response = co_await core.managers().run(work);
    co_return response;
  };
  const auto admitted = [&core, &route](const Request& request, const PathArguments& arguments) {
    return admit(core, route, request, arguments);
  };
  return {std::string(route.pattern), route.method, answer, nullptr, admitted, http::Need::kOwn};
}

http::Route document_route(const std::string& public_url) {
  const std::string text = openapi_document(public_url).dump(2) + "\n";
  const auto answer = [text](const Request&, const PathArguments&) {
    return std::optional(http::text_response(200, "application/json", text).with("Cache-Control", "no-store"));
  };
  return {"/-/manage/openapi.json", http::Method::kGet, nullptr, answer, nullptr, http::Need::kNothing};
}

}  // namespace

void ManageCall::note(std::string_view act, std::string_view subject, nlohmann::json details) const {
  note_act(session, asked.actor, act, subject, std::move(details), now);
}

std::string require_text(const Json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || !found->is_string() || found->get_ref<const std::string&>().empty()) {
    throw Problem(400, std::string(name) + " must be a text");
  }
  return found->get<std::string>();
}

std::int64_t require_number(const Json& body, const char* name, std::int64_t least) {
  const auto found = body.find(name);
  if (found == body.end() || !found->is_number_integer() || found->get<std::int64_t>() < least) {
    throw Problem(400, std::string(name) + " must be a whole number from " + std::to_string(least) + " on");
  }
  return found->get<std::int64_t>();
}

std::chrono::milliseconds require_duration(const Json& body, const char* name) {
  const std::optional<std::chrono::milliseconds> duration = parse_duration(require_text(body, name));
  if (duration && duration->count() > 0) return *duration;
  throw Problem(400, std::string(name) + " must be a duration such as \"12h\" or \"90d\", of at most " +
                         format_duration(kLongestDuration));
}

std::vector<http::Route> manage_routes(Core& core) {
  std::vector<http::Route> routes;
  for (const ManageRoute& route : manage_table()) routes.push_back(route_of(core, route));
  routes.push_back(document_route(core.config().server.public_url));
  return routes;
}

}  // namespace courant::server
