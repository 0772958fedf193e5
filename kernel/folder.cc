#include "kernel/folder.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace courant {

namespace fs = std::filesystem;

Result<std::string> Folder::locate(std::string_view name) const {
  constexpr std::string_view kFileScheme = "file://";
  const std::string shown(name);
  if (path_.empty()) return Fault{"the file " + shown + " is not read: no folder is configured for such files"};
  if (name.starts_with(kFileScheme)) name.remove_prefix(kFileScheme.size());
  std::error_code error;
  const fs::path folder = fs::canonical(path_, error);
  if (error) return Fault{"the folder " + path_ + " cannot be opened"};
  const fs::path file = fs::canonical(folder / fs::path(name), error);  // an absolute name stays as it is
  if (error) return Fault{"there is no file " + shown + " in " + path_};
  const fs::path inside = file.lexically_relative(folder);
  if (inside.empty() || *inside.begin() == ".." || *inside.begin() == ".") {
    return Fault{"the file " + shown + " lies outside of " + path_};
  }
  if (!fs::is_regular_file(file, error)) return Fault{shown + " is no file"};
  return file.string();
}

Result<std::string> Folder::read(std::string_view name, std::size_t max_bytes) const {
  const Result<std::string> path = locate(name);
  if (!path) return path.fault();
  std::error_code error;
  const std::uintmax_t size = fs::file_size(*path, error);
  if (error || size > max_bytes) {
    return Fault{"the file " + std::string(name) + " is longer than " + std::to_string(max_bytes) + " bytes"};
  }
  std::ifstream file(*path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Fault{"the file " + std::string(name) + " cannot be read"};
  return std::move(text).str();
}

}  // namespace courant
