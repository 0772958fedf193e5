#include "server/postgres/file_lock.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace courant::server {
namespace {

int operation(FileLock::Mode mode) {
  return mode == FileLock::Mode::kShared ? LOCK_SH : LOCK_EX;
}

}  // namespace

FileLock::~FileLock() {
  release();
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

bool FileLock::open(const std::string& path) {
  release();
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return file_ >= 0;
}

void FileLock::take(Mode mode) {
  while (::flock(file_, operation(mode)) != 0 && errno == EINTR) {
  }
}

bool FileLock::try_take(Mode mode) {
  return ::flock(file_, operation(mode) | LOCK_NB) == 0;
}

void FileLock::release() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
}

}  // namespace courant::server
