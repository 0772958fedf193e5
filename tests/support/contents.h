// What is in a file; empty where there is none, or where it goes while it is read.
// Threads: any.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace courant::test {

inline std::string contents_of(const std::filesystem::path& path) {
  // `<<` of a buffer keeps a failure in the stream, where an iterator over it would throw.
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace courant::test
