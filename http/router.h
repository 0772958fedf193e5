// The table of all URLs: pattern and method to handler. Answers 404, 405 (with Allow), 501, OPTIONS and HEAD itself.
// Patterns are segments: "/{workspace}/{feed}/entries/{id}"; a literal wins over a placeholder; {name} takes exactly
// one decoded segment. HEAD is served by the GET handler, the server leaves the body out.
// Specification: RFC 9110 sections 9, 13.1.1 and 15.5.6.
// Threads: add() before start; then immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/handler.h"

namespace courant::http {

// The decoded values of a pattern's placeholders in their order.
using PathArguments = std::vector<std::string>;

// What whoever asks must be allowed to do. A route that says nothing is a mistake: Router::undeclared.
enum class Need : std::uint8_t {
  kUndeclared,
  kNothing,  // nobody is asked who he is
  kOwn,      // the handler judges by itself what the request's identity may see or do
  kList,     // see the workspace
  kRead,     // the feed, as the following
  kPublish,
  kEdit,
};

struct Route {
  std::string pattern;
  Method method;
  std::function<Task<Response>(const Request&, PathArguments)> answer;
  // Optional: see Handler::answer_at_once.
  std::function<std::optional<Response>(const Request&, const PathArguments&)> answer_at_once;
  // Optional: the longest body; 0 where absent. May throw Problem, see Handler::admit.
  std::function<std::uint64_t(const Request&, const PathArguments&)> admit;
  Need need = Need::kUndeclared;
  bool is_whole = false;  // it shows what no filter can take anything out of
};

class Router final : public Handler {
 public:
  Router();
  ~Router() override;

  void add(Route route);

  std::string_view route_of(const Request& request) const override;  // "(none)": no pattern fits
  // The pattern of a route that does not say what it needs; nullopt: each does.
  std::optional<std::string> undeclared() const;

  // The route that the request will be answered by; null: it will be refused, or answered by the router itself.
  const Route* find(const Request& request) const;

  std::uint64_t admit(Request& request) override;
  std::optional<Response> answer_at_once(const Request& request) override;
  Task<Response> answer(const Request& request) override;
  // 412 where a GET's or HEAD's If-Match does not name what would be sent (RFC 9110 section 13.1.1); other methods
  // judge theirs before they do anything.
  Response finished(Response response, const Request& request) override;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace courant::http
