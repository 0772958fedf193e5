// gzip by zlib, whole buffers.
// Specification: RFC 1952.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace courant::http {

// Deterministic: no time stamp, no name; the same input always gives the same bytes with the same zlib.
std::string gzip(std::string_view data, int level = 6);

// nullopt: not gzip, cut short, or inflating to more than max_bytes (a bomb is stopped at the limit).
std::optional<std::string> gunzip(std::string_view data, std::uint64_t max_bytes);

}  // namespace courant::http
