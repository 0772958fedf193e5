// Keeps what the server emits in tests, so that one test at the end holds all of it against the grammar of Atom
// (tests/support/check_documents). At most a few hundred documents of one process, each once.
// Threads: any.
#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace courant::test {

inline void keep_emitted(const std::string& document) {
  constexpr int kMost = 300;
  static std::atomic<int> kept{0};
  const std::string folder = COURANT_BINARY_DIR "/emitted/";
  const std::string path = folder + std::to_string(std::hash<std::string>{}(document)) + ".xml";
  if (kept >= kMost || std::filesystem::exists(path)) return;
  ++kept;
  std::filesystem::create_directories(folder);
  std::ofstream(path, std::ios::binary) << document;
}

}  // namespace courant::test
