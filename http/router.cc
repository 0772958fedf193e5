#include "http/router.h"

#include <algorithm>
#include <map>

#include "http/conditional.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::http {
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> placeholder;
  std::vector<Route> routes;  // one for each method
  std::string pattern;

  std::string allowed() const {
    std::string list;
    for (const Route& route : routes) {
      list += std::string(name_of(route.method)) + (route.method == Method::kGet ? ", HEAD, " : ", ");
    }
    return list + "OPTIONS";
  }

  const Route* find(Method method) const {
    if (method == Method::kHead) method = Method::kGet;
    const auto found = std::find_if(routes.begin(), routes.end(), [&](const Route& r) { return r.method == method; });
    return found == routes.end() ? nullptr : &*found;
  }

  std::optional<std::string> undeclared() const {
    for (const Route& route : routes) {
      if (route.need == Need::kUndeclared) return route.pattern;
    }
    for (const auto& [segment, node] : literals) {
      if (std::optional<std::string> found = node->undeclared()) return found;
    }
    return placeholder ? placeholder->undeclared() : std::nullopt;
  }

  // The node that a path leads to, literals first; arguments hold the placeholders' segments.
  static const Node* walk(const Node& node, const std::vector<std::string>& segments, std::size_t depth,
                          PathArguments& arguments) {
    if (depth == segments.size()) return node.routes.empty() ? nullptr : &node;
    if (const auto literal = node.literals.find(segments[depth]); literal != node.literals.end()) {
      if (const Node* end = walk(*literal->second, segments, depth + 1, arguments)) return end;
    }
    if (!node.placeholder) return nullptr;
    arguments.push_back(segments[depth]);
    if (const Node* end = walk(*node.placeholder, segments, depth + 1, arguments)) return end;
    arguments.pop_back();
    return nullptr;
  }

  // The same, for who wants to know nothing else.
  static const Node* walk(const Node& node, const std::vector<std::string>& segments, std::size_t depth) {
    if (depth == segments.size()) return node.routes.empty() ? nullptr : &node;
    if (const auto literal = node.literals.find(segments[depth]); literal != node.literals.end()) {
      if (const Node* end = walk(*literal->second, segments, depth + 1)) return end;
    }
    return node.placeholder ? walk(*node.placeholder, segments, depth + 1) : nullptr;
  }

  // Throws Problem 404 where no pattern fits.
  static const Node& require(const Node& root, const Request& request, PathArguments& arguments) {
    if (const Node* node = walk(root, request.segments, 0, arguments)) return *node;
    throw Problem(404, "There is nothing at " + std::string(request.path));
  }

  const Route& require_route(const Request& request) const {
    if (request.method == Method::kOther) {
      throw Problem(501, "The method " + std::string(request.method_text) + " is not known here");
    }
    if (const Route* route = find(request.method)) return *route;
    throw Problem(405,
                  "The method " + std::string(request.method_text) + " is not allowed on " + std::string(request.path))
        .with("Allow", allowed());
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

void Router::add(Route route) {
  Node* node = root_.get();
  for (const std::string_view segment : split(std::string_view(route.pattern).substr(1), '/')) {
    if (segment.empty()) continue;
    std::unique_ptr<Node>& next = segment.front() == '{' ? node->placeholder : node->literals[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  if (node->pattern.empty()) node->pattern = route.pattern;
  node->routes.push_back(std::move(route));
}

std::optional<std::string> Router::undeclared() const {
  return root_->undeclared();
}

const Route* Router::find(const Request& request) const {
  const Node* const node = Node::walk(*root_, request.segments, 0);
  return node == nullptr ? nullptr : node->find(request.method);
}

std::uint64_t Router::admit(Request& request) {
  PathArguments arguments;
  const Node& node = Node::require(*root_, request, arguments);
  if (request.method == Method::kOptions) return 0;
  const Route& route = node.require_route(request);
  return route.admit ? route.admit(request, arguments) : 0;
}

std::string_view Router::route_of(const Request& request) const {
  const Node* const node = Node::walk(*root_, request.segments, 0);
  return node ? std::string_view(node->pattern) : Handler::route_of(request);
}

std::optional<Response> Router::answer_at_once(const Request& request) {
  PathArguments arguments;
  const Node& node = Node::require(*root_, request, arguments);
  if (request.method == Method::kOptions) {
    Response response;
    response.status = 204;
    response.with("Allow", node.allowed());
    return response;
  }
  const Route& route = node.require_route(request);
  return route.answer_at_once ? route.answer_at_once(request, arguments) : std::nullopt;
}

Task<Response> Router::answer(const Request& request) {
  PathArguments arguments;
  const Node& node = Node::require(*root_, request, arguments);
  const Route& route = node.require_route(request);
  return route.answer(request, std::move(arguments));
}

Response Router::finished(Response response, const Request& request) {
  if ((request.method != Method::kGet && request.method != Method::kHead) || response.status >= 400) return response;
  if (!request.header("if-match")) return response;
  if (if_match_matches(request.combined_header("if-match"), etag_of(response))) return response;
  throw Problem(412, "What is there is not what If-Match names");
}

}  // namespace courant::http
