#include "http/coding.h"

#include <cstdlib>

#include <brotli/encode.h>
#include <zstd.h>

#include "http/gzip.h"

namespace courant::http {
namespace {

// Measured in docs/decisions/0006-content-codings.md: the levels above cost many times as much and save little.
constexpr int kBrotliLevel = 5;
constexpr int kZstdLevel = 3;

std::string brotli(std::string_view text) {
  std::size_t length = BrotliEncoderMaxCompressedSize(text.size());
  std::string out(length, '\0');
  const bool is_done = BrotliEncoderCompress(kBrotliLevel, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, text.size(),
                                             reinterpret_cast<const std::uint8_t*>(text.data()), &length,
                                             reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_TRUE;
  if (!is_done) std::abort();
  out.resize(length);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t length = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), kZstdLevel);
  if (ZSTD_isError(length) != 0) std::abort();
  out.resize(length);
  return out;
}

}  // namespace

std::string_view coding_name(Coding coding) {
  return coding == Coding::kIdentity ? "identity" : tag_suffix(coding).substr(1);
}

std::optional<Coding> parse_coding(std::string_view name) {
  if (name == "x-gzip") return Coding::kGzip;  // RFC 9110 section 8.4.1.3
  for (const Coding coding : kCodings) {
    if (name == coding_name(coding)) return coding;
  }
  return std::nullopt;
}

std::string_view tag_suffix(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
      return "-gzip";
    case Coding::kBrotli:
      return "-br";
    case Coding::kZstd:
      return "-zstd";
    default:
      return "";
  }
}

std::string_view without_tag_suffix(std::string_view opaque) {
  for (const Coding coding : kCodings) {
    const std::string_view suffix = tag_suffix(coding);
    if (!suffix.empty() && opaque.ends_with(suffix)) return opaque.substr(0, opaque.size() - suffix.size());
  }
  return opaque;
}

std::string compress(Coding coding, std::string_view text, Effort effort) {
  switch (coding) {
    case Coding::kGzip:
      return gzip(text, effort == Effort::kThorough ? 6 : 1);
    case Coding::kBrotli:
      return brotli(text);
    case Coding::kZstd:
      return zstd(text);
    default:
      return std::string(text);
  }
}

}  // namespace courant::http
