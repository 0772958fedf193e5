// A command that is run to its end, with all that it printed.
// Threads: one.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/contents.h"
#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

namespace courant::test {

struct Ran {
  int status = 0;
  std::string output;  // standard output and error
};

inline Ran run_command(const std::vector<std::string>& arguments) {
  const std::string path = scratch("command-output.txt");
  std::ofstream(path).close();
  const int status = Process(arguments, path).wait();
  return {status, contents_of(path)};
}

inline Ran run_courant(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), courant_program());
  return run_command(arguments);
}

}  // namespace courant::test
