// Which feeds something is about: "workspace/feed", "workspace/*", or "*" for all of them.
// Threads: plain values; pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/result.h"

namespace courant::access {

class Pattern {
 public:
  static Result<Pattern> parse(std::string_view text);
  // One after another, with commas between; at least one.
  static Result<std::vector<Pattern>> parse_list(std::string_view list);

  bool matches(std::string_view workspace, std::string_view feed) const {
    return touches(workspace) && (feed_.empty() || feed_ == feed);
  }
  // Whether it is about any feed of the workspace.
  bool touches(std::string_view workspace) const { return workspace_.empty() || workspace_ == workspace; }

  std::string text() const;

 private:
  std::string workspace_;  // empty: any
  std::string feed_;       // empty: any
};

}  // namespace courant::access
