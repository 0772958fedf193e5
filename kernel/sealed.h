// Secrets at rest: authenticated encryption with the keys of a file (kernel/key_file.h). What is new is sealed with the
// newest key; what was sealed with any of them is opened. The file may be changed while it is in use: it is looked at
// before something is sealed, and when something cannot be opened, and read again where it is another one.
// Specification: AES-256-GCM (NIST SP 800-38D). Sealed form: version byte, 12-byte nonce, ciphertext, 16-byte tag; in
// version 2, by a key with an id, the 4 bytes of that stand behind the version byte. Version 1 may be by any key.
// Threads: a Vault, and its copies, which are the same one, may be used from any thread that may read a file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/digest.h"
#include "kernel/key_file.h"
#include "kernel/result.h"

namespace courant {

class Vault {
 public:
  explicit Vault(Sha256 key);  // has no file, and the key no id
  ~Vault();
  Vault(const Vault&);
  Vault& operator=(const Vault&);

  // Reads the key file, or makes it where it does not exist.
  static Result<Vault> from_file(const std::string& path);

  // 32 bytes that only who has the newest key can know, others for each use.
  std::string derive(std::string_view use) const;

  // The same of each key that is kept, the newest first: what was made before another key came is recognised still.
  std::vector<std::string> derive_all(std::string_view use) const;

  std::string seal(std::string_view secret) const;
  // nullopt: sealed with a key that is not there, which is logged, or changed since.
  std::optional<std::string> open(std::string_view sealed) const;

  // Another number where the keys are others than the last time. Looks at the file.
  std::uint64_t generation() const;

  // What everything begins with that the newest key seals, and nothing else; empty: that key has no id.
  std::string mark() const;

 private:
  struct State;
  explicit Vault(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// The id of the key that something was sealed with; empty: it does not say.
std::string key_id_of(std::string_view sealed);

}  // namespace courant
