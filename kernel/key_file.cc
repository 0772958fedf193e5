#include "kernel/key_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/at_end.h"
#include "kernel/durable_files.h"
#include "kernel/text.h"

namespace courant {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kMostBytes = 64 * 1024;  // of the file

Fault refusal(const std::string& path, const char* what, const std::error_code& why) {
  return Fault{"the key file " + path + " cannot be " + what + ": " + why.message()};
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

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Writes them beside the file, with the owner of `like` where that is given, has that put into its place, and leaves
// nothing beside it. what: of the fault.
template <class Put>
Result<bool> put_keys(const fs::path& path, const std::vector<SealingKey>& keys, const std::optional<fs::path>& like,
                      const char* what, Put put) {
  try {
    {
      const fs::path beside = path.string() + "." + to_hex(random_bytes(kIdBytes));
      const AtEnd removing{[&beside] {
        std::error_code ignored;
        fs::remove(beside, ignored);
      }};
      write_durably(beside, text_of_keys(keys), like);
      put(beside);
    }
    sync_folder(folder_of(path));
    return true;
  } catch (const fs::filesystem_error& refused) {
    return refusal(path, what, refused.code());
  }
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
  return put_keys(path, {key}, std::nullopt, "made", [&path](const fs::path& beside) {
    std::error_code failure;
    fs::create_hard_link(beside, path, failure);
    if (failure && failure != std::errc::file_exists) throw fs::filesystem_error("link", path, failure);
  });
}

Result<std::vector<SealingKey>> read_key_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return refusal(path, "read", std::error_code(errno, std::generic_category()));
  const AtEnd closing{[file] { ::close(file); }};
  std::string text(kMostBytes, '\0');
  const ssize_t length = ::read(file, text.data(), text.size());
  if (length < 0) return refusal(path, "read", std::error_code(errno, std::generic_category()));
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
  return put_keys(path, keys, path, "replaced", [&path](const fs::path& beside) { fs::rename(beside, path); });
}

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0) return std::nullopt;
  return FileStamp{now.st_dev, now.st_ino, now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_size};
}

}  // namespace courant
