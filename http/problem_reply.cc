#include "http/problem_reply.h"

#include <array>

#include <nlohmann/json.hpp>

#include "http/negotiate.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

std::string as_json(const Problem& problem, const Request& request) {
  nlohmann::ordered_json document = {{"type", "about:blank"},
                                     {"title", reason_phrase(problem.status())},
                                     {"status", problem.status()},
                                     {"detail", problem.detail()}};
  if (!request.path.empty()) document["instance"] = std::string(request.path);  // else it could not be read
  for (const EntryProblem& entry : problem.entries()) {
    document["entries"].push_back(
        {{"index", entry.index}, {"id", entry.id}, {"title", entry.title}, {"detail", entry.detail}});
  }
  // What a client sent may stand in the detail: bytes that are no UTF-8 are replaced.
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string as_xml(const Problem& problem) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error xmlns=\"http://abdera.apache.org\"><code>" +
         std::to_string(problem.status()) + "</code><message>" + xml_text(without_controls(problem.detail())) +
         "</message></error>\n";
}

std::string as_html(const Problem& problem) {
  const std::string title = std::to_string(problem.status()) + " " + std::string(reason_phrase(problem.status()));
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\"><link rel=\"stylesheet\" href=\"/-/style.css\"><title>" +
         title + "</title></head><body><main><h1>" + title + "</h1><p>" + xml_text(without_controls(problem.detail())) +
         "</p></main></body></html>\n";
}

}  // namespace

Response reply_to(const Problem& problem, const Request& request) {
  // A client that accepts anything gets JSON; one that asks for XML and not for JSON, Atom Hopper's form.
  const std::vector<std::string_view> offered = {"application/problem+json", "application/json", "application/xml",
                                                 "application/atom+xml",     "text/xml",         "text/html"};
  const std::size_t choice = choose_media_type(request.combined_header("accept"), offered).value_or(0);
  Response response = choice <= 1
                          ? text_response(problem.status(), "application/problem+json", as_json(problem, request))
                      : choice <= 4 ? text_response(problem.status(), "application/xml", as_xml(problem))
                                    : text_response(problem.status(), "text/html; charset=utf-8", as_html(problem));
  response.with("Cache-Control", "no-store");
  for (const auto& [name, value] : problem.headers()) response.with(name, value);
  return response;
}

}  // namespace courant::http
