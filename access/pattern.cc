#include "access/pattern.h"

#include "kernel/text.h"

namespace courant::access {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.find_first_of("*/ \t,?#%") == std::string_view::npos;
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  Pattern pattern;
  if (text == "*") return pattern;
  const std::size_t slash = text.find('/');
  const std::string_view workspace = text.substr(0, slash);
  const std::string_view feed = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
  if (!is_name(workspace) || (feed != "*" && !is_name(feed))) {
    return Fault{"feeds are named workspace/feed, workspace/* or *, not '" + std::string(text) + "'"};
  }
  pattern.workspace_ = workspace;
  if (feed != "*") pattern.feed_ = feed;
  return pattern;
}

Result<std::vector<Pattern>> Pattern::parse_list(std::string_view list) {
  std::vector<Pattern> patterns;
  for (const std::string_view piece : split(list, ',')) {
    Result<Pattern> pattern = parse(trim(piece));
    if (!pattern) return pattern.fault();
    patterns.push_back(*std::move(pattern));
  }
  return patterns;
}

std::string Pattern::text() const {
  if (workspace_.empty()) return "*";
  return workspace_ + "/" + (feed_.empty() ? "*" : feed_);
}

}  // namespace courant::access
