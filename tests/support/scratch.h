// Where a test may put files: a folder of its test program's, so that programs (and the shards of one) run side by
// side. Threads: any.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace courant::test {

// The path of a file or folder of that name; what was there from an earlier run stays.
inline std::string scratch(const std::string& name) {
  const char* const shard = std::getenv("GTEST_SHARD_INDEX");
  const std::string folder =
      std::string(COURANT_BINARY_DIR "/scratch/") + program_invocation_short_name + "-" + (shard ? shard : "0");
  std::filesystem::create_directories(folder);
  return folder + "/" + name;
}

}  // namespace courant::test
