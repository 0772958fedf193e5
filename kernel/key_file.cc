#include "kernel/key_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/at_end.h"
#include "kernel/text.h"

namespace courant {
namespace {

constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kMostBytes = 64 * 1024;  // of the file

Fault refusal(const std::string& path, const char* what) {
  return Fault{"the key file " + path + " cannot be " + what + ": " + std::strerror(errno)};
}

std::optional<SealingKey> key_in(std::string_view line) {
  SealingKey key;
  const std::size_t space = line.find(' ');
  if (space != std::string_view::npos) {
    key.id = ascii_lower(line.substr(0, space));
    const std::optional<std::string> id = from_hex(key.id);
    if (!id || id->size() != kIdBytes) return std::nullopt;
    line = trim(line.substr(space));
  }
  const std::optional<std::string> bytes = from_hex(line);
  if (!bytes || bytes->size() != key.key.size()) return std::nullopt;
  std::memcpy(key.key.data(), bytes->data(), key.key.size());
  return key;
}

std::string text_of_keys(const std::vector<SealingKey>& keys) {
  std::string text;
  for (const SealingKey& key : keys) {
    text += key.id + (key.id.empty() ? "" : " ") + to_hex(bytes_of(key.key)) + "\n";
  }
  return text;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file) == 0;
}

// So that the name of a file is on the disk, too.
bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return false;
  const bool is_synced = ::fsync(opened) == 0;
  ::close(opened);
  return is_synced;
}

// A file beside the one of that path, with these keys and the same owner as `like`, where that is given.
Result<std::string> write_beside(const std::string& path, const std::vector<SealingKey>& keys,
                                 const struct stat* like) {
  std::string name = path + "." + to_hex(random_bytes(kIdBytes));
  const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return refusal(path, "replaced");
  const AtEnd closing{[file] { ::close(file); }};
  const bool is_owned = like == nullptr ||
                        (::fchown(file, like->st_uid, like->st_gid) == 0 && ::fchmod(file, like->st_mode & 07777) == 0);
  if (is_owned && write_all(file, text_of_keys(keys))) return name;
  const Fault fault = refusal(path, "written");
  ::unlink(name.c_str());
  return fault;
}

}  // namespace

SealingKey make_sealing_key() {
  SealingKey key;
  key.id = to_hex(random_bytes(kIdBytes));
  std::memcpy(key.key.data(), random_bytes(key.key.size()).data(), key.key.size());
  return key;
}

// A link is made or is there already: of two processes that begin at once one makes the file, with all of its key.
Result<bool> make_key_file(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return true;
  SealingKey key = make_sealing_key();
  key.id.clear();
  const Result<std::string> made = write_beside(path, {key}, nullptr);
  if (!made) return made.fault();
  const bool is_there = ::link(made->c_str(), path.c_str()) == 0 || errno == EEXIST;
  const Fault fault = refusal(path, "made");
  ::unlink(made->c_str());
  if (!is_there || !sync_folder_of(path)) return fault;
  return true;
}

Result<std::vector<SealingKey>> read_key_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return refusal(path, "read");
  const AtEnd closing{[file] { ::close(file); }};
  std::string text(kMostBytes, '\0');
  const ssize_t length = ::read(file, text.data(), text.size());
  if (length < 0) return refusal(path, "read");
  text.resize(static_cast<std::size_t>(length));
  std::vector<SealingKey> keys;
  for (const std::string_view line : split(text, '\n')) {
    if (trim(line).empty()) continue;
    const std::optional<SealingKey> key = key_in(trim(line));
    if (!key) {
      keys.clear();
      break;
    }
    keys.push_back(*key);
  }
  if (!keys.empty()) return keys;
  return Fault{"the key file " + path +
               " must hold one key a line, the newest first: 64 hexadecimal digits, and before them perhaps an id of 8 "
               "and a space (make a key with: openssl rand -hex 32)"};
}

Result<bool> replace_key_file(const std::string& path, const std::vector<SealingKey>& keys) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0) return refusal(path, "replaced");
  const Result<std::string> made = write_beside(path, keys, &now);
  if (!made) return made.fault();
  if (::rename(made->c_str(), path.c_str()) == 0 && sync_folder_of(path)) return true;
  const Fault fault = refusal(path, "replaced");
  ::unlink(made->c_str());
  return fault;
}

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0) return std::nullopt;
  return FileStamp{now.st_dev, now.st_ino, now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_size};
}

}  // namespace courant
