#include "http/chunked_body.h"

#include <algorithm>

#include <boost/beast/http/chunk_encode.hpp>

#include "http/exchange.h"
#include "http/field_characters.h"

namespace courant::http {
namespace {

constexpr std::size_t kLargeBody = 1 << 20;
constexpr std::string_view kLineEnd = "\r\n";

[[noreturn]] void refuse_chunks(std::string detail) {
  throw Problem(400, std::move(detail));
}

// Takes the line that `rest` begins with, without its end; nullopt: it is not there yet. What cannot become the end of
// a line is refused before the line is whole.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find_first_of(kLineEnd);
  if (end == std::string_view::npos) return std::nullopt;
  if (rest[end] == '\n') refuse_chunks("A line of the chunked body ends with a bare LF");
  if (end + 1 == rest.size()) return std::nullopt;
  if (rest[end + 1] != '\n') refuse_chunks("A line of the chunked body holds a bare CR");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + kLineEnd.size());
  return line;
}

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

void ChunkedBody::count_aside(std::size_t size) {
  aside_ += size;
  if (aside_ > most_aside_) refuse_chunks("The chunk extensions and the trailer are too long");
}

// chunk-size [ chunk-ext ] (section 7.1)
void ChunkedBody::judge_size(std::string_view line) {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (int digit = 0; digits < line.size() && (digit = hexadecimal(line[digits])) >= 0; ++digits) {
    size = size * 16 + static_cast<std::uint64_t>(digit);
    if (size > limit_ - body_.size()) throw body_too_long(limit_);
  }
  if (digits == 0) refuse_chunks("A chunk has no size");
  const std::string_view extensions = line.substr(digits);
  if (!extensions.empty()) {
    count_aside(extensions.size());
    boost::beast::error_code error;
    boost::beast::http::chunk_extensions().parse({extensions.data(), extensions.size()}, error);
    if (error || !std::ranges::all_of(extensions, is_value_character)) refuse_chunks("A chunk extension is malformed");
  }
  left_ = size;
  next_ = size > 0 ? Next::kData : Next::kTrailer;
}

void ChunkedBody::judge_trailer(std::string_view line) {
  if (line.empty()) {
    next_ = Next::kNothing;
    return;
  }
  count_aside(line.size() + kLineEnd.size());
  judge_field_line(line);
}

// The data of a chunk and the end of line behind it. False: more bytes are needed.
bool ChunkedBody::take_data(std::string_view& rest) {
  if (next_ == Next::kData) {
    const std::size_t piece = std::min<std::uint64_t>(left_, rest.size());
    body_.append(rest, 0, piece);
    rest.remove_prefix(piece);
    left_ -= piece;
    // Small bodies grow by doubling; a large one gets room for all that it may be, so that growing never copies it.
    // What has not arrived is not touched, so it costs nothing.
    if (body_.size() > kLargeBody && body_.capacity() < limit_) body_.reserve(limit_);
    if (left_ > 0) return false;
    next_ = Next::kEndOfData;
  }
  const std::string_view end = rest.substr(0, kLineEnd.size());
  if (!kLineEnd.starts_with(end)) refuse_chunks("A chunk is longer than its size");
  if (end.size() < kLineEnd.size()) return false;
  rest.remove_prefix(end.size());
  next_ = Next::kSize;
  return true;
}

bool ChunkedBody::take(std::string& bytes) {
  std::string_view rest = bytes;
  while (next_ != Next::kNothing) {
    if (next_ == Next::kData || next_ == Next::kEndOfData) {
      if (!take_data(rest)) break;
      continue;
    }
    const std::optional<std::string_view> line = take_line(rest);
    // Whoever sends an endless one is stopped here.
    if (!line && rest.size() > most_aside_) refuse_chunks("A line of the chunked body is too long");
    if (!line) break;
    next_ == Next::kSize ? judge_size(*line) : judge_trailer(*line);
  }
  bytes.erase(0, bytes.size() - rest.size());
  return next_ == Next::kNothing;
}

}  // namespace courant::http
