#include "http/gzip.h"

#include <cstdlib>
#include <utility>

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

struct Unpacking::Stream : z_stream {};

Unpacking::Unpacking(std::string_view data, std::uint64_t max_bytes)
    : stream_(std::make_unique<Stream>()), max_bytes_(max_bytes) {
  if (inflateInit2(stream_.get(), kGzipWindow) != Z_OK) std::abort();
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream_->avail_in = static_cast<uInt>(data.size());
}

Unpacking::~Unpacking() {
  inflateEnd(stream_.get());
}

bool Unpacking::go_on(std::size_t portion) {
  char piece[16384];
  for (std::size_t done = 0; !is_over_ && done < portion;) {
    stream_->next_out = reinterpret_cast<Bytef*>(piece);
    stream_->avail_out = sizeof piece;
    const int status = inflate(stream_.get(), Z_NO_FLUSH);
    const std::size_t count = sizeof piece - stream_->avail_out;
    out_.append(piece, count);
    done += count;
    is_whole_ = status == Z_STREAM_END && stream_->avail_in == 0;
    const bool is_cut_short = status == Z_OK && stream_->avail_in == 0 && stream_->avail_out != 0;
    is_over_ = status != Z_OK || is_cut_short || out_.size() > max_bytes_;
  }
  return !is_over_;
}

Unpacked Unpacking::result() && {
  if (out_.size() > max_bytes_) return {Unpacked::End::kTooLong, {}};
  if (!is_whole_) return {Unpacked::End::kBroken, {}};
  return {Unpacked::End::kWhole, std::move(out_)};
}

Unpacked unpack(std::string_view data, std::uint64_t max_bytes) {
  Unpacking unpacking(data, max_bytes);
  while (unpacking.go_on(1 << 20)) {
  }
  return std::move(unpacking).result();
}

std::optional<std::string> gunzip(std::string_view data, std::uint64_t max_bytes) {
  Unpacked unpacked = unpack(data, max_bytes);
  if (unpacked.end != Unpacked::End::kWhole) return std::nullopt;
  return std::move(unpacked.bytes);
}

}  // namespace courant::http
