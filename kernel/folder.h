// A folder whose files are read, and nothing outside of it: neither by "..", nor by an absolute path, nor by a link
// that leads out. Threads: a plain value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kernel/result.h"

namespace courant {

class Folder {
 public:
  // No folder at all: nothing is read.
  Folder() = default;
  explicit Folder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  // Where a file of the folder lies, as an absolute path without links. name: relative to the folder; or an absolute
  // path, or a file: URL, that lies in it. A fault says why not.
  Result<std::string> locate(std::string_view name) const;

  // The file's bytes; a fault also where it is longer than max_bytes.
  Result<std::string> read(std::string_view name, std::size_t max_bytes = 4 << 20) const;

  bool operator==(const Folder&) const = default;

 private:
  std::string path_;
};

}  // namespace courant
