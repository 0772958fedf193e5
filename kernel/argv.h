// Arguments as exec and spawn take them, for programs that are started.
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

namespace courant {

// Ends with null; valid as long as the arguments. To be made before a fork: behind it no memory may be asked for in a
// process with threads.
inline std::vector<char*> argv_of(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

}  // namespace courant
