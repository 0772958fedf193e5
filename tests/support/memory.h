// What a process has used, as the system counts it.
// Threads: any.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/types.h>

namespace courant::test {

// The most memory that it has had at once, in bytes. It may be less than what was said before: the system notes a peak
// only where memory is given back.
inline std::size_t peak_memory(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

// How many files and sockets it has open.
inline std::size_t open_descriptors(pid_t process) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(process) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace courant::test
