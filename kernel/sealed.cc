#include "kernel/sealed.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <vector>

#include <openssl/evp.h>

#include "kernel/log.h"

namespace courant {
namespace {

constexpr std::size_t kId = 4;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;
constexpr char kWithoutId = 1;  // versions
constexpr char kWithId = 2;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

using Keys = std::vector<SealingKey>;

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What stands before the nonce of what a key seals.
std::string head_of(const SealingKey& key) {
  if (key.id.empty()) return {kWithoutId};
  return kWithId + from_hex(key.id).value();
}

// A key that has no id may have got one in the file since.
bool may_open(const SealingKey& key, std::string_view sealed) {
  return sealed.front() == kWithoutId || sealed.starts_with(head_of(key));
}

// rest: nonce, ciphertext and tag.
std::optional<std::string> opened_with(const Sha256& key, std::string_view rest) {
  if (rest.size() < kNonce + kTag) return std::nullopt;
  const std::string_view nonce = rest.substr(0, kNonce);
  const std::string_view body = rest.substr(kNonce, rest.size() - kNonce - kTag);
  std::string tag(rest.substr(rest.size() - kTag));
  std::string out(body.size(), '\0');
  auto* const plain = reinterpret_cast<unsigned char*>(out.data());
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), octets_of(nonce));
  EVP_DecryptUpdate(cipher.get(), plain, &length, octets_of(body), static_cast<int>(body.size()));
  EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data());
  if (EVP_DecryptFinal_ex(cipher.get(), plain + length, &length) != 1) return std::nullopt;
  return out;
}

std::optional<std::string> opened_with_any(const Keys& keys, std::string_view sealed) {
  if (sealed.empty()) return std::nullopt;
  const std::size_t head = sealed.front() == kWithId ? 1 + kId : 1;
  for (const SealingKey& key : keys) {
    if (!may_open(key, sealed) || sealed.size() < head) continue;
    std::optional<std::string> secret = opened_with(key.key, sealed.substr(head));
    if (secret) return secret;
  }
  return std::nullopt;
}

}  // namespace

struct Vault::State {
  // The keys as they were read last.
  std::shared_ptr<const Keys> known() {
    const std::lock_guard lock(mutex);
    return keys;
  }
  // As they are now.
  std::shared_ptr<const Keys> current();
  void miss(std::string_view sealed);

  std::string path;  // empty: there is no file

  std::mutex mutex;  // guards what follows; held for moments only
  std::shared_ptr<const Keys> keys;
  std::uint64_t generation = 0;
  std::optional<FileStamp> stamp;  // of the file that was read last, also where it could not be understood
  std::set<std::string> missed;    // ids of keys that were needed and not there
};

std::shared_ptr<const Keys> Vault::State::current() {
  if (path.empty()) return known();
  const std::optional<FileStamp> now = stamp_of(path);
  {
    const std::lock_guard lock(mutex);
    if (!now || now == stamp) return keys;
  }
  // One that is replaced while it is read is noticed the next time: its stamp is another one.
  const Result<Keys> read = read_key_file(path);
  if (read) {
    log_info("the keys of secrets have been read again", {{"keys", static_cast<std::uint64_t>(read->size())}});
  } else {
    log_error("the keys of secrets could not be read again, those of before stay", {{"why", read.fault().detail}});
  }
  const std::lock_guard lock(mutex);
  stamp = now;
  if (!read) return keys;
  keys = std::make_shared<const Keys>(*read);
  ++generation;
  missed.clear();
  return keys;
}

// Of each key once.
void Vault::State::miss(std::string_view sealed) {
  const std::string id = key_id_of(sealed);
  {
    const std::lock_guard lock(mutex);
    if (!missed.insert(id).second) return;
  }
  log_error("a secret is sealed with a key that is not in the key file: nothing is sent that needs it",
            {{"key", id.empty() ? std::string("without an id") : id}, {"file", path}});
}

Vault::Vault(Sha256 key) : state_(std::make_shared<State>()) {
  state_->keys = std::make_shared<const Keys>(Keys{{"", key}});
}
Vault::Vault(std::shared_ptr<State> state) : state_(std::move(state)) {}
Vault::~Vault() = default;
Vault::Vault(const Vault&) = default;
Vault& Vault::operator=(const Vault&) = default;

Result<Vault> Vault::from_file(const std::string& path) {
  if (const Result<bool> made = make_key_file(path); !made) return made.fault();
  const std::optional<FileStamp> stamp = stamp_of(path);
  Result<Keys> keys = read_key_file(path);
  if (!keys) return keys.fault();
  auto state = std::make_shared<State>();
  state->path = path;
  state->keys = std::make_shared<const Keys>(*std::move(keys));
  state->stamp = stamp;
  return Vault(std::move(state));
}

std::string Vault::derive(std::string_view use) const {
  return hmac(HmacAlgorithm::kSha256, bytes_of(state_->current()->front().key), use);
}

std::vector<std::string> Vault::derive_all(std::string_view use) const {
  std::vector<std::string> derived;
  for (const SealingKey& key : *state_->current()) {
    derived.push_back(hmac(HmacAlgorithm::kSha256, bytes_of(key.key), use));
  }
  return derived;
}

std::string Vault::seal(std::string_view secret) const {
  const std::shared_ptr<const Keys> keys = state_->current();
  const std::string nonce = random_bytes(kNonce);
  std::string out = head_of(keys->front()) + nonce;
  const std::size_t begin = out.size();
  out.resize(begin + secret.size() + kTag);
  auto* const body = reinterpret_cast<unsigned char*>(out.data()) + begin;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, keys->front().key.data(), octets_of(nonce));
  EVP_EncryptUpdate(cipher.get(), body, &length, octets_of(secret), static_cast<int>(secret.size()));
  EVP_EncryptFinal_ex(cipher.get(), body + length, &length);
  EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, body + secret.size());
  return out;
}

std::optional<std::string> Vault::open(std::string_view sealed) const {
  std::optional<std::string> secret = opened_with_any(*state_->known(), sealed);
  if (!secret) secret = opened_with_any(*state_->current(), sealed);
  if (!secret) state_->miss(sealed);
  return secret;
}

std::uint64_t Vault::generation() const {
  state_->current();
  const std::lock_guard lock(state_->mutex);
  return state_->generation;
}

std::string Vault::mark() const {
  const std::shared_ptr<const Keys> keys = state_->current();
  return keys->front().id.empty() ? std::string() : head_of(keys->front());
}

std::string key_id_of(std::string_view sealed) {
  if (sealed.size() < 1 + kId || sealed.front() != kWithId) return {};
  return to_hex(sealed.substr(1, kId));
}

}  // namespace courant
