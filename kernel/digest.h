// Hashes, message authentication, random bytes and the identifiers made of them.
// Specification: FIPS 180-4 (SHA-2), RFC 2104 (HMAC), RFC 9562 (UUID versions 5 and 7), RFC 4648 (hex, base64).
// Threads: pure functions; random bytes may be asked for from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/time.h"

namespace courant {

using Sha256 = std::array<std::uint8_t, 32>;
using Bytes16 = std::array<std::uint8_t, 16>;

Sha256 sha256(std::string_view data);
Sha256 sha256(std::string_view first, std::string_view second);  // of the two, one after the other

// The first 64 bits of sha256(data): a hash that every process and version computes alike.
std::uint64_t stable_hash(std::string_view data);

enum class HmacAlgorithm { kSha1, kSha256, kSha384, kSha512 };
std::string_view name_of(HmacAlgorithm algorithm);  // "sha256", as in X-Hub-Signature
std::string hmac(HmacAlgorithm algorithm, std::string_view key, std::string_view data);  // raw bytes
// Of the two, one after the other.
std::string hmac(HmacAlgorithm algorithm, std::string_view key, std::string_view first, std::string_view second);

std::string to_hex(std::string_view bytes);  // lower case
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);  // with padding, nothing else between
std::string to_base64url(std::string_view bytes);               // without padding
std::optional<std::string> from_hex(std::string_view text);

// From the system's random source; aborts where there is none.
std::string random_bytes(std::size_t count);

// Compares without telling by its duration where the difference lies.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// 36 characters in lower case.
std::string uuid_v7(Instant now);
std::string uuid_v5(std::string_view name);  // in Courant's own name space

template <std::size_t N>
std::string_view bytes_of(const std::array<std::uint8_t, N>& array) {
  return {reinterpret_cast<const char*>(array.data()), N};
}

}  // namespace courant
