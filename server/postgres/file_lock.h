// A lock on a file (flock(2)) that lasts as long as its holder's process: whoever dies lets go of it.
// Threads: one at a time.
#pragma once

#include <string>

namespace courant::server {

class FileLock {
 public:
  enum class Mode { kShared, kExclusive };

  FileLock() = default;
  ~FileLock();  // lets go
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Opens the file, which is made where it is missing. False: it cannot be (errno says why).
  bool open(const std::string& path);
  // Waits for whoever stands against it.
  void take(Mode mode);
  // False: somebody stands against it. What was held before is let go of either way.
  bool try_take(Mode mode);
  void release();  // and closes the file

  int file() const { return file_; }  // -1: none is open

 private:
  int file_ = -1;
};

}  // namespace courant::server
