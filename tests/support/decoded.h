// What a client makes of an answer in a content coding, by the libraries themselves.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <brotli/decode.h>
#include <zstd.h>

#include "http/gzip.h"

namespace courant::test {

// coding: as in Content-Encoding. nullopt: it is none of ours, or the bytes are not in it.
inline std::optional<std::string> decoded(std::string_view coding, std::string_view bytes) {
  constexpr std::size_t kMost = 4 << 20;
  if (coding.empty()) return std::string(bytes);
  if (coding == "gzip") return http::gunzip(bytes, kMost);
  std::string text(kMost, '\0');
  if (coding == "br") {
    std::size_t length = text.size();
    const BrotliDecoderResult result =
        BrotliDecoderDecompress(bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()), &length,
                                reinterpret_cast<std::uint8_t*>(text.data()));
    if (result != BROTLI_DECODER_RESULT_SUCCESS) return std::nullopt;
    text.resize(length);
    return text;
  }
  if (coding != "zstd") return std::nullopt;
  const std::size_t length = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(length) != 0) return std::nullopt;
  text.resize(length);
  return text;
}

}  // namespace courant::test
