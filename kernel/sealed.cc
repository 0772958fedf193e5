#include "kernel/sealed.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "kernel/digest.h"
#include "kernel/text.h"

namespace courant {
namespace {

constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;
constexpr char kVersion = 1;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Makes the file with a fresh key; a file that another process made meanwhile is left alone.
void make_key_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return;
  const std::string text = to_hex(random_bytes(32)) + "\n";
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!written) ::unlink(path.c_str());
}

}  // namespace

Result<Vault> Vault::from_file(const std::string& path) {
  make_key_file(path);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Fault{"the key file " + path + " cannot be read: " + std::strerror(errno)};
  std::string text(256, '\0');
  const ssize_t length = ::read(file, text.data(), text.size());
  ::close(file);
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::optional<std::string> bytes = from_hex(trim(text));
  if (!bytes || bytes->size() != 32) {
    return Fault{"the key file " + path + " must hold 64 hexadecimal digits (make one with: openssl rand -hex 32)"};
  }
  Sha256 key;
  std::memcpy(key.data(), bytes->data(), key.size());
  return Vault(key);
}

std::string Vault::derive(std::string_view use) const {
  return hmac(HmacAlgorithm::kSha256, bytes_of(key_), use);
}

std::string Vault::seal(std::string_view secret) const {
  const std::string nonce = random_bytes(kNonce);
  std::string out;
  out += kVersion;
  out += nonce;
  out.resize(1 + kNonce + secret.size() + kTag);
  auto* const body = reinterpret_cast<unsigned char*>(out.data()) + 1 + kNonce;
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes_of(nonce));
  EVP_EncryptUpdate(cipher.get(), body, &length, bytes_of(secret), static_cast<int>(secret.size()));
  EVP_EncryptFinal_ex(cipher.get(), body + length, &length);
  EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, body + secret.size());
  return out;
}

std::optional<std::string> Vault::open(std::string_view sealed) const {
  if (sealed.size() < 1 + kNonce + kTag || sealed.front() != kVersion) return std::nullopt;
  const std::string_view nonce = sealed.substr(1, kNonce);
  const std::string_view body = sealed.substr(1 + kNonce, sealed.size() - 1 - kNonce - kTag);
  std::string tag(sealed.substr(sealed.size() - kTag));
  std::string out(body.size(), '\0');
  auto* const plain = reinterpret_cast<unsigned char*>(out.data());
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int length = 0;
  EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes_of(nonce));
  EVP_DecryptUpdate(cipher.get(), plain, &length, bytes_of(body), static_cast<int>(body.size()));
  EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data());
  if (EVP_DecryptFinal_ex(cipher.get(), plain + length, &length) != 1) return std::nullopt;
  return out;
}

}  // namespace courant
