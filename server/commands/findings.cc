#include "server/commands/findings.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace courant::server {
namespace {

const char* word_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::kOk:
      return "ok";
    case Finding::Level::kWarning:
      return "warning";
    case Finding::Level::kProblem:
      return "problem";
  }
  return "";
}

}  // namespace

std::string as_text(const Findings& findings) {
  constexpr std::size_t kWidth = 9;
  std::string text;
  for (const Finding& finding : findings) {
    std::string word = word_of(finding.level);
    word.resize(kWidth, ' ');
    text += word + finding.about + ": " + finding.detail;
    if (!finding.change.empty()) text += " -> " + finding.change;
    text += '\n';
  }
  return text;
}

std::string as_json(const Findings& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& finding : findings) {
    nlohmann::json one = {{"level", word_of(finding.level)}, {"about", finding.about}, {"detail", finding.detail}};
    if (!finding.change.empty()) one["change"] = finding.change;
    list.push_back(std::move(one));
  }
  const nlohmann::json document = {{"status", has_problem(findings) ? "problem" : "ok"}, {"findings", list}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

bool has_problem(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.level == Finding::Level::kProblem; });
}

}  // namespace courant::server
