#include "http/gzip.h"

#include <cstdlib>

#include <zlib.h>

namespace courant::http {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, with a gzip header

}  // namespace

std::string gzip(std::string_view data, int level) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  std::string out(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

Unpacked unpack(std::string_view data, std::uint64_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) std::abort();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  std::string out;
  char piece[16384];
  int status = Z_OK;
  while (status == Z_OK && out.size() <= max_bytes) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
    if (status == Z_OK && stream.avail_in == 0 && stream.avail_out != 0) break;  // cut short
  }
  const bool is_whole = status == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (out.size() > max_bytes) return {Unpacked::End::kTooLong, {}};
  if (!is_whole) return {Unpacked::End::kBroken, {}};
  return {Unpacked::End::kWhole, std::move(out)};
}

std::optional<std::string> gunzip(std::string_view data, std::uint64_t max_bytes) {
  Unpacked unpacked = unpack(data, max_bytes);
  if (unpacked.end != Unpacked::End::kWhole) return std::nullopt;
  return std::move(unpacked.bytes);
}

}  // namespace courant::http
