#include "kernel/digest.h"

#include <cstdlib>
#include <cstring>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace courant {
namespace {

const unsigned char* data_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// One context per thread: making one costs more than hashing a kilobyte.
EVP_MD_CTX* digest_context() {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  return context.get();
}

const EVP_MD* sha256_method() {
  static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

// One context for each thread and algorithm, for the same reason: OpenSSL would look both algorithms up by name each
// time.
EVP_MAC_CTX* mac_context(HmacAlgorithm algorithm) {
  struct Free {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  };
  thread_local std::array<std::unique_ptr<EVP_MAC_CTX, Free>, 4> contexts;
  std::unique_ptr<EVP_MAC_CTX, Free>& context = contexts[static_cast<std::size_t>(algorithm)];
  if (!context) {
    static EVP_MAC* const method = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    context.reset(EVP_MAC_CTX_new(method));
    std::string digest(name_of(algorithm));
    const std::array<OSSL_PARAM, 2> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(context.get(), parameters.data()) != 1) std::abort();
  }
  return context.get();
}

std::string uuid_text(Bytes16 bytes, int version) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | version << 4);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  const std::string hex = to_hex(bytes_of(bytes));
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

std::string base64(std::string_view bytes, const char* alphabet, bool padded) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? data_of(bytes)[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      if (k <= count) {
        out += alphabet[group >> (18 - 6 * k) & 0x3F];
      } else if (padded) {
        out += '=';
      }
    }
  }
  return out;
}

}  // namespace

Sha256 sha256(std::string_view data) {
  return sha256(data, {});
}

Sha256 sha256(std::string_view first, std::string_view second) {
  Sha256 out;
  EVP_MD_CTX* const context = digest_context();
  EVP_DigestInit_ex2(context, sha256_method(), nullptr);
  EVP_DigestUpdate(context, first.data(), first.size());
  EVP_DigestUpdate(context, second.data(), second.size());
  EVP_DigestFinal_ex(context, out.data(), nullptr);
  return out;
}

std::uint64_t stable_hash(std::string_view data) {
  const Sha256 digest = sha256(data);
  std::uint64_t hash = 0;
  for (int i = 0; i < 8; ++i) hash = hash << 8 | digest[static_cast<std::size_t>(i)];
  return hash;
}

std::string_view name_of(HmacAlgorithm algorithm) {
  switch (algorithm) {
    case HmacAlgorithm::kSha1:
      return "sha1";
    case HmacAlgorithm::kSha256:
      return "sha256";
    case HmacAlgorithm::kSha384:
      return "sha384";
    case HmacAlgorithm::kSha512:
      return "sha512";
  }
  std::abort();
}

std::string hmac(HmacAlgorithm algorithm, std::string_view key, std::string_view data) {
  return hmac(algorithm, key, data, {});
}

std::string hmac(HmacAlgorithm algorithm, std::string_view key, std::string_view first, std::string_view second) {
  EVP_MAC_CTX* const context = mac_context(algorithm);
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  std::size_t length = 0;
  const std::string_view named = key.data() == nullptr ? std::string_view("", 0) : key;  // null is the key of before
  if (EVP_MAC_init(context, data_of(named), named.size(), nullptr) != 1 ||
      EVP_MAC_update(context, data_of(first), first.size()) != 1 ||
      EVP_MAC_update(context, data_of(second), second.size()) != 1 ||
      EVP_MAC_final(context, out.data(), &length, out.size()) != 1) {
    std::abort();
  }
  return {reinterpret_cast<const char*>(out.data()), length};
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 0x0F];
  }
  return out;
}

std::string to_base64(std::string_view bytes) {
  return base64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.substr(0, text.size() - padding).find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string to_base64url(std::string_view bytes) {
  return base64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

std::optional<std::string> from_hex(std::string_view text) {
  // A table, since whether a digit is a letter cannot be foreseen: archive pages come from PostgreSQL in this form.
  static constexpr auto kDigits = [] {
    std::array<signed char, 256> digits{};
    digits.fill(-1);
    for (int i = 0; i < 10; ++i) digits[static_cast<std::size_t>('0' + i)] = static_cast<signed char>(i);
    for (int i = 10; i < 16; ++i) {
      digits[static_cast<std::size_t>('a' + i - 10)] = static_cast<signed char>(i);
      digits[static_cast<std::size_t>('A' + i - 10)] = static_cast<signed char>(i);
    }
    return digits;
  }();
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  int seen = 0;  // negative where a digit was
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = kDigits[static_cast<unsigned char>(text[2 * i])];
    const int low = kDigits[static_cast<unsigned char>(text[2 * i + 1])];
    seen |= high | low;
    bytes[i] = static_cast<char>(high * 16 + low);
  }
  if (seen < 0) return std::nullopt;
  return bytes;
}

std::string random_bytes(std::size_t count) {
  // The system's source is read in larger pieces: one read per salt would be a system call per entry.
  constexpr std::size_t kPool = 1024;
  thread_local std::array<unsigned char, kPool> pool;
  thread_local std::size_t used = kPool;
  std::string out(count, '\0');
  if (count > kPool) {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1) std::abort();
    return out;
  }
  if (kPool - used < count) {
    if (RAND_bytes(pool.data(), kPool) != 1) std::abort();
    used = 0;
  }
  std::memcpy(out.data(), pool.data() + used, count);
  OPENSSL_cleanse(pool.data() + used, count);
  used += count;
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string uuid_v7(Instant now) {
  Bytes16 bytes;
  const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count() / 1000);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
  const std::string random = random_bytes(10);
  std::memcpy(bytes.data() + 6, random.data(), 10);
  return uuid_text(bytes, 7);
}

std::string uuid_v5(std::string_view name) {
  // Courant's name space: the version 5 identifier of "urn:courant" in the URL name space.
  constexpr std::array<std::uint8_t, 16> kNamespace = {0x5d, 0x0a, 0x41, 0x3e, 0x8f, 0x54, 0x5c, 0x0b,
                                                       0x9a, 0x6b, 0x27, 0xd1, 0x6e, 0x90, 0x3b, 0x4c};
  std::string input(bytes_of(kNamespace));
  input += name;
  std::array<unsigned char, 20> out;
  EVP_Digest(input.data(), input.size(), out.data(), nullptr, EVP_sha1(), nullptr);
  Bytes16 bytes;
  std::memcpy(bytes.data(), out.data(), bytes.size());
  return uuid_text(bytes, 5);
}

}  // namespace courant
