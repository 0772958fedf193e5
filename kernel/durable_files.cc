#include "kernel/durable_files.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace courant {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const char* what, const fs::path& path) {
  throw fs::filesystem_error(what, path, std::error_code(errno, std::generic_category()));
}

Descriptor open_file(const fs::path& path, int flags) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (file.number() < 0) refuse("open", path);
  return file;
}

Descriptor open_for_lock(const fs::path& path) {
  return open_file(path, fs::is_directory(path) ? O_RDONLY | O_DIRECTORY : O_RDWR | O_CREAT);
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor lock(const fs::path& path) {
  Descriptor file = open_for_lock(path);
  while (::flock(file.number(), LOCK_EX) != 0) {
    if (errno != EINTR) refuse("lock", path);
  }
  return file;
}

std::optional<Descriptor> try_lock(const fs::path& path) {
  Descriptor file = open_for_lock(path);
  if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno != EWOULDBLOCK) refuse("lock", path);
  return std::nullopt;
}

void write_durably(const fs::path& path, std::string_view bytes, const std::optional<fs::path>& like) {
  const Descriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (like) {
    struct stat facts {};
    if (::stat(like->c_str(), &facts) != 0) refuse("look at", *like);
    if (::fchown(file.number(), facts.st_uid, facts.st_gid) != 0 ||
        ::fchmod(file.number(), facts.st_mode & 07777) != 0) {
      refuse("give away", path);
    }
  }
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.number(), bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) refuse("write", path);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file.number()) != 0) refuse("sync", path);
}

void sync_folder(const fs::path& path) {
  const Descriptor folder = open_file(path, O_RDONLY | O_DIRECTORY);
  if (::fsync(folder.number()) != 0) refuse("sync", path);
}

std::string read_file(const fs::path& path) {
  return read_rest(open_file(path, O_RDONLY), path);
}

std::string read_rest(const Descriptor& file, const fs::path& path) {
  std::string bytes;
  char piece[65536];
  ssize_t count = 0;
  while ((count = ::read(file.number(), piece, sizeof piece)) != 0) {
    if (count < 0 && errno != EINTR) refuse("read", path);
    if (count > 0) bytes.append(piece, static_cast<std::size_t>(count));
  }
  return bytes;
}

}  // namespace courant
