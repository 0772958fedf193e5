// Where the program that runs here lies, to start it again or to say how it is called.
// Threads: any.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace courant::server {

// Its path, also where an upgrade has put another file in its place; empty: it cannot be said.
inline std::string own_program() {
  constexpr std::string_view kReplaced = " (deleted)";
  std::error_code error;
  std::string program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (program.ends_with(kReplaced)) program.resize(program.size() - kReplaced.size());
  return program;
}

}  // namespace courant::server
