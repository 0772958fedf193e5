// Secrets at rest: authenticated encryption with a key from a file.
// Specification: AES-256-GCM (NIST SP 800-38D); sealed form: version byte 1, 12-byte nonce, ciphertext, 16-byte tag.
// Threads: a Vault is immutable after it is made and may be used from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/digest.h"
#include "kernel/result.h"

namespace courant {

class Vault {
 public:
  explicit Vault(Sha256 key) : key_(key) {}

  // Reads the key file (64 hex digits), or makes it with mode 0600 where it does not exist.
  static Result<Vault> from_file(const std::string& path);

  // 32 bytes that only who has the key can know, others for each use.
  std::string derive(std::string_view use) const;

  std::string seal(std::string_view secret) const;
  // nullopt: sealed with another key, or changed since.
  std::optional<std::string> open(std::string_view sealed) const;

 private:
  Sha256 key_;
};

}  // namespace courant
