// The part of a representation that a GET asks for.
// Specification: RFC 9110 sections 14.1.2 (bytes) and 14.2 (Range): one range; whoever asks for several gets all.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace courant::http {

// The bytes [first, first + length) of a representation.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool operator==(const ByteRange&) const = default;
};

// Of a representation of `size` bytes. nullopt: the field is to be ignored (malformed, another unit, several ranges).
// Throws Problem 416 with Content-Range where nothing of the representation lies in the range.
std::optional<ByteRange> read_range(std::string_view field, std::uint64_t size);

}  // namespace courant::http
