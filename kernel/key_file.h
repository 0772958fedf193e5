// The file of the keys that secrets are sealed with (kernel/sealed.h): one key a line, the newest first. A line is the
// key's id, eight hexadecimal digits, a space, and the key, 64 of them. A key may have no id; then its seals do not say
// which key they need. Such is the one key of a file that a server made.
// The file is changed as a whole: who reads it meanwhile sees the one before or the new one.
// Threads: any; two that replace the same file at once have to agree on it otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/digest.h"
#include "kernel/result.h"

namespace courant {

struct SealingKey {
  std::string id;  // empty: none
  Sha256 key{};
};

SealingKey make_sealing_key();  // by chance, with an id

// Makes the file with one key without an id, for its owner alone (mode 0600), where there is none.
Result<bool> make_key_file(const std::string& path);

// At least one key. Faults name the file and the rule.
Result<std::vector<SealingKey>> read_key_file(const std::string& path);

// Puts other keys into the file, on the disk when this returns. Its owner, group and mode stay.
Result<bool> replace_key_file(const std::string& path, const std::vector<SealingKey>& keys);

// Tells whether a file has been changed or replaced; nullopt: it cannot be looked at.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::int64_t size = 0;
  bool operator==(const FileStamp&) const = default;
};
std::optional<FileStamp> stamp_of(const std::string& path);

}  // namespace courant
