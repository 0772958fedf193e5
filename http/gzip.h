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

// What became of taking gzip off.
struct Unpacked {
  enum class End {
    kWhole,
    kTooLong,  // more than max_bytes: stopped there
    kBroken,   // not gzip, cut short, or with something behind it
  };
  End end = End::kBroken;
  std::string bytes;  // where kWhole
};
Unpacked unpack(std::string_view data, std::uint64_t max_bytes);

// nullopt: not gzip, cut short, or inflating to more than max_bytes (a bomb is stopped at the limit).
std::optional<std::string> gunzip(std::string_view data, std::uint64_t max_bytes);

}  // namespace courant::http
