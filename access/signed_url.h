// URLs that can be read without credentials until a certain time: for feed readers that can send no header. The
// signature covers path and query byte for byte, a filter, and the time:
//   /demo/events?format=rss&filter=%2Bnews&expires=1795737600&signature=...
// Specification: RFC 2104 (HMAC with SHA-256); docs/SECURITY.md.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity.h"
#include "kernel/time.h"

namespace courant::access {

// What the keys of signatures are derived from the installation's keys for (Vault::derive).
inline constexpr std::string_view kSigningUse = "signed urls";

// target: path and query as they will be asked for. filter: canonical, or empty.
std::string sign_target(std::string_view target, const std::string& filter, Instant expires, std::string_view key);

// Whether a query claims to be signed.
bool is_signed(std::string_view query);

// What a signed path and query give; nullopt: the signature is of none of the keys, or of something else. Whether it
// has expired is not judged.
std::optional<SignedPage> read_signed(std::string_view path, std::string_view query,
                                      const std::vector<std::string>& keys);

}  // namespace courant::access
