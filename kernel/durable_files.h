// Files that outlive a power cut, and locks between processes.
// Everything here throws std::filesystem::filesystem_error with the path, where the system refuses.
// Threads: a Descriptor belongs to one; the functions may be called from any.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace courant {

// An open file or folder, closed at the end; a lock on it ends with it, also where the process is killed.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int number() const { return number_; }

 private:
  int number_;
};

// Holds the lock of a file (made where it is missing) or of a folder while the result lives. lock() waits for it;
// try_lock() gives nullopt where another holds it.
Descriptor lock(const std::filesystem::path& path);
std::optional<Descriptor> try_lock(const std::filesystem::path& path);

// A new file with these bytes, on the disk when this returns; its owner's alone, or with the owner, group and mode of
// `like`. The folder's own entry for it needs sync_folder().
void write_durably(const std::filesystem::path& path, std::string_view bytes,
                   const std::optional<std::filesystem::path>& like = std::nullopt);

// The names in a folder are on the disk when this returns.
void sync_folder(const std::filesystem::path& path);

// All of a file, or of what is open already, which path names.
std::string read_file(const std::filesystem::path& path);
std::string read_rest(const Descriptor& file, const std::filesystem::path& path);

}  // namespace courant
