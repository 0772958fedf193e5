#include "server/admission/cross_origin.h"

#include <utility>

#include "http/response_bytes.h"

namespace courant::server {

using http::Method;
using http::Request;
using http::Response;

ReadingOrigins ReadingOrigins::of(const std::map<std::string, feeds::WorkspaceSettings, std::less<>>& workspaces) {
  ReadingOrigins all;
  for (const auto& [name, settings] : workspaces) {
    if (settings.cors.empty()) continue;
    const auto& listed = all.by_workspace.emplace(name, http::Origins(settings.cors)).first->second;
    if (settings.is_private) all.of_private.add(listed);
  }
  return all;
}

void CurrentOrigins::change(ReadingOrigins origins) {
  const ReadingOrigins& before = *current_;
  if (origins.by_workspace == before.by_workspace && origins.of_private == before.of_private) return;
  origins.revision = before.revision + 1;
  current_.replace(std::move(origins));
}

CrossOrigin::CrossOrigin(http::Handler& inner, const CurrentOrigins& origins, const access::CurrentRules& rules)
    : inner_(inner), origins_(origins), rules_(rules) {}

std::uint64_t CrossOrigin::admit(Request& request) {
  return is_let_ask(request) ? 0 : inner_.admit(request);
}

std::optional<Response> CrossOrigin::answer_at_once(const Request& request) {
  if (!is_let_ask(request)) return inner_.answer_at_once(request);
  Response response;
  response.status = 204;
  return response;
}

CrossOrigin::View CrossOrigin::view_of(const Request& request, const access::Identity& asker) const {
  const ReadingOrigins& all = *origins_;
  if (all.by_workspace.empty() || request.segments.empty()) return {};
  const std::string& workspace = request.segments.front();
  if (workspace == "-" || workspace == "hub") return {};  // no workspace is called so
  if (rules_.load()->judge(asker, workspace) != access::Verdict::kGranted) return {&all.of_private, false};
  const auto found = all.by_workspace.find(workspace);
  return found == all.by_workspace.end() ? View{} : View{&found->second};
}

bool CrossOrigin::is_let_ask(const Request& request) const {
  if (request.method != Method::kOptions || !http::asks_to_read(request)) return false;
  const View view = view_of(request, nobody_);
  return view.origins != nullptr && view.origins->has(*http::origin_of(request));
}

void CrossOrigin::stamp(Response& response, const Request& request) const {
  const bool asks = request.method == Method::kOptions;
  if (!asks && request.method != Method::kGet && request.method != Method::kHead) return;
  const View view = view_of(request, asks || !request.identity ? nobody_ : *request.identity);
  if (view.origins == nullptr) return;
  const bool is_any = view.origins->is_any();
  const std::optional<std::string_view> origin = http::origin_of(request);
  const bool is_listed = origin && view.origins->has(*origin);
  // A cache must not give a page what was answered to another, or to no page at all.
  if (!is_any && (is_listed || view.is_of_workspace)) http::vary_by_origin(response);
  const std::string_view whose = is_any ? "*" : origin.value_or("");
  if (asks) {
    if (response.status == 204 && is_let_ask(request)) http::let_ask(response, whose);
  } else if (is_listed || (is_any && view.is_of_workspace)) {
    http::let_read(response, whose);  // to all who ask, where it is for all: so it is the same for caches
  }
}

}  // namespace courant::server
