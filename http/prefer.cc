#include "http/prefer.h"

#include <algorithm>

#include "kernel/capped.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

// Takes up to one of `ends`, none of which counts inside a quoted string; without the spaces around.
std::string_view take_until(std::string_view& text, std::string_view ends) {
  bool is_quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (is_quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && ends.find(text[at]) != std::string_view::npos) {
      break;
    }
  }
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(taken.size());
  return trim(taken);
}

std::string unquoted(std::string_view word) {
  if (word.size() < 2 || word.front() != '"' || word.back() != '"') return std::string(word);
  std::string plain;
  for (std::size_t at = 1; at + 1 < word.size(); ++at) {
    if (word[at] == '\\' && at + 2 < word.size()) ++at;
    plain += word[at];
  }
  return plain;
}

}  // namespace

std::optional<std::string> preference(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    std::string_view member = take_until(field, ",");
    if (!field.empty()) field.remove_prefix(1);
    std::string_view own = take_until(member, ";");  // parameters are for preferences that have some
    if (!equal_ignoring_case(take_until(own, "="), name)) continue;
    if (own.empty()) return std::string();
    return unquoted(trim(own.substr(1)));
  }
  return std::nullopt;
}

std::optional<std::chrono::seconds> wait_preference(const Request& request, std::chrono::seconds cap) {
  std::optional<std::uint64_t> seconds;
  if (request.query.find("wait=") != std::string_view::npos) {
    const Parameters parameters = query_of(request);
    if (const std::string* const text = find_parameter(parameters, "wait")) {
      seconds = parse_capped(*text);
      if (!seconds) throw Problem(400, "wait must be a number of seconds, not '" + *text + "'");
    }
  }
  if (!seconds && request.header("prefer")) {
    seconds = parse_capped(preference(request.combined_header("prefer"), "wait").value_or(""));
  }
  if (!seconds || *seconds == 0) return std::nullopt;
  return std::chrono::seconds(std::min(*seconds, static_cast<std::uint64_t>(cap.count())));
}

}  // namespace courant::http
