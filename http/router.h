// The table of all URLs: pattern and method to handler. Answers 404, 405 (with Allow), 501, OPTIONS and HEAD itself.
// Patterns are segments: "/{workspace}/{feed}/entries/{id}"; a literal wins over a placeholder; {name} takes exactly
// one decoded segment. HEAD is served by the GET handler, the server leaves the body out.
// Specification: RFC 9110 sections 9 and 15.5.6.
// Threads: add() before start; then immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/handler.h"

namespace courant::http {

// The decoded values of a pattern's placeholders in their order.
using PathArguments = std::vector<std::string>;

struct Route {
  std::string pattern;
  Method method;
  std::function<Task<Response>(const Request&, PathArguments)> answer;
  // Optional: see Handler::answer_at_once.
  std::function<std::optional<Response>(const Request&, const PathArguments&)> answer_at_once;
  // Optional: the longest body; 0 where absent. May throw Problem, see Handler::admit.
  std::function<std::uint64_t(const Request&, const PathArguments&)> admit;
};

class Router final : public Handler {
 public:
  Router();
  ~Router() override;

  void add(Route route);

  std::uint64_t admit(const Request& request) override;
  std::string_view route_of(const Request& request) const override;  // "(none)": no pattern fits
  std::optional<Response> answer_at_once(const Request& request) override;
  Task<Response> answer(const Request& request) override;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace courant::http
