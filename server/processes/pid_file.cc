#include "server/processes/pid_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace courant::server {

PidFile::~PidFile() {
  if (!is_taken_) return;
  // Emptied, not removed: whoever has it open would lock a file that nobody else sees.
  if (::ftruncate(lock_.file(), 0) != 0) return;
}

Result<bool> PidFile::take() {
  if (is_taken_) return true;
  std::error_code error;
  std::filesystem::create_directories(data_, error);
  if (error) return Fault{"the data directory " + data_ + " cannot be made: " + error.message()};
  if (lock_.file() < 0 && !lock_.open(path())) {
    return Fault{"the file " + path() + " cannot be opened: " + std::strerror(errno)};
  }
  if (!lock_.try_take(FileLock::Mode::kExclusive)) return false;
  ::fchmod(lock_.file(), 0644);
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock_.file(), 0) != 0 || ::pwrite(lock_.file(), text.data(), text.size(), 0) < 0) {
    return Fault{"the file " + path() + " cannot be written: " + std::strerror(errno)};
  }
  is_taken_ = true;
  return true;
}

std::optional<pid_t> PidFile::holder() const {
  if (is_taken_ || !std::filesystem::exists(path())) return std::nullopt;
  FileLock probe;
  if (!probe.open(path()) || probe.try_take(FileLock::Mode::kShared)) return std::nullopt;
  pid_t process = 0;
  std::ifstream(path()) >> process;
  return process > 0 ? std::optional(process) : std::nullopt;
}

}  // namespace courant::server
