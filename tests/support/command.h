// A command that is run to its end, with all that it printed. One that has none is killed and said so: a test that
// waited for it for ever would tell nobody which one it was. Threads: one.
#pragma once

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <signal.h>

#include "tests/support/contents.h"
#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/wait_until.h"

namespace courant::test {

struct Ran {
  int status = 0;
  std::string output;  // standard output and error
};

inline Ran run_command(const std::vector<std::string>& arguments) {
  const std::string path = scratch("command-output.txt");
  std::ofstream(path).close();
  Process process(arguments, path);
  std::optional<int> status;
  const bool has_ended = wait_until([&] { return (status = process.ended()).has_value(); }, std::chrono::minutes(5));
  if (has_ended) return {*status, contents_of(path)};
  process.signal(SIGKILL);
  return {process.wait(), contents_of(path) + "\n" + arguments.front() + " had not ended after five minutes: killed\n"};
}

inline Ran run_courant(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), courant_program());
  return run_command(arguments);
}

}  // namespace courant::test
