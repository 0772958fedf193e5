// Where a test may put files: a folder of the ctest entry that it runs in, since these run side by side. Threads: any.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "kernel/digest.h"

namespace courant::test {

// The path of a file or folder of that name; what was there from an earlier run stays.
inline std::string scratch(const std::string& name) {
  const char* const entry = std::getenv("COURANT_TEST_ENTRY");
  const std::string folder =
      std::string(COURANT_BINARY_DIR "/scratch/") + (entry != nullptr ? entry : program_invocation_short_name);
  std::filesystem::create_directories(folder);
  return folder + "/" + name;
}

// A data directory for a private PostgreSQL, removed at the end. Not in the checkout: root's PostgreSQL runs as a user
// who may not enter root's home.
class DataFolder {
 public:
  DataFolder() : path_("/tmp/courant-data-" + to_hex(random_bytes(6))) {}
  ~DataFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

}  // namespace courant::test
