// Content codings: what they are called, and a text in each of them.
// Specification: RFC 9110 section 8.4; RFC 1952 (gzip), RFC 7932 (br), RFC 8878 (zstd).
// Threads: pure functions.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace courant::http {

enum class Coding { kIdentity, kGzip, kBrotli, kZstd };

// All of them, in our order of preference (docs/decisions/0006-content-codings.md).
inline constexpr std::array kCodings = {Coding::kBrotli, Coding::kZstd, Coding::kGzip, Coding::kIdentity};

// As Content-Encoding and Accept-Encoding have it: "gzip".
std::string_view coding_name(Coding coding);
// In lower case, "x-gzip" too; nullopt: none of ours.
std::optional<Coding> parse_coding(std::string_view name);

// What the entity tag of a text in that coding ends with, so that strong tags differ: "-gzip"; of identity nothing.
std::string_view tag_suffix(Coding coding);
// An opaque tag without that: "12" of "12-gzip".
std::string_view without_tag_suffix(std::string_view opaque);

// How much time gzip may take: little for a text that is soon replaced. The others are made in spare time, at one
// level.
enum class Effort { kQuick, kThorough };
std::string compress(Coding coding, std::string_view text, Effort effort);

}  // namespace courant::http
