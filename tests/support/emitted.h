// Keeps what the server emits in tests, so that one test at the end holds all of it against the grammar of Atom
// (tests/support/check_documents); each once.
// Threads: any.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace courant::test {

inline void keep_emitted(const std::string& document) {
  const std::string folder = COURANT_BINARY_DIR "/emitted/";
  const std::string path = folder + std::to_string(std::hash<std::string>{}(document)) + ".xml";
  if (std::filesystem::exists(path)) return;
  std::filesystem::create_directories(folder);
  std::ofstream(path, std::ios::binary) << document;
}

}  // namespace courant::test
