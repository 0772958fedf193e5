// What the doctor (doctor.h) finds: one line for each thing that was looked at.
// Threads: plain values.
#pragma once

#include <string>
#include <vector>

namespace courant::server {

struct Finding {
  enum class Level { kOk, kWarning, kProblem };
  Level level = Level::kOk;
  std::string about;   // "open files"
  std::string detail;  // what it is, and what is wrong with it
  std::string change;  // what to do; empty where nothing is to be done
};
using Findings = std::vector<Finding>;

inline Finding ok(std::string about, std::string detail) {
  return {Finding::Level::kOk, std::move(about), std::move(detail), {}};
}
inline Finding warning(std::string about, std::string detail, std::string change) {
  return {Finding::Level::kWarning, std::move(about), std::move(detail), std::move(change)};
}
inline Finding problem(std::string about, std::string detail, std::string change) {
  return {Finding::Level::kProblem, std::move(about), std::move(detail), std::move(change)};
}

// "warning  open files: 1024 ... -> raise ...", one line each.
std::string as_text(const Findings& findings);
// {"status": "ok", "findings": [{"level": "warning", "about": ..., "detail": ..., "change": ...}]}
std::string as_json(const Findings& findings);
// Whether any is a problem.
bool has_problem(const Findings& findings);

}  // namespace courant::server
