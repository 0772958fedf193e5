// A request body that comes in chunks: taken apart line by line, strictly, since what two readers understand
// differently is how requests are smuggled. Lines end with CR LF alone; chunk extensions and trailer fields are judged
// and dropped. Specification: RFC 9112 sections 2.2, 5.2, 7.1. Threads: plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace courant::http {

class ChunkedBody {
 public:
  // limit: for the body; most_aside: for a line between chunks, and for all extensions and trailer fields together.
  ChunkedBody(std::uint64_t limit, std::size_t most_aside) : limit_(limit), most_aside_(most_aside) {}

  // Takes from the front of `bytes` what it can use. True: the body is complete. False: more bytes are needed.
  // Throws Problem 400 as soon as a byte or a line is there that is wrong, and 413 beyond the limit.
  bool take(std::string& bytes);

  std::string body() { return std::move(body_); }

 private:
  enum class Next { kSize, kData, kEndOfData, kTrailer, kNothing };

  bool take_data(std::string_view& rest);
  void judge_size(std::string_view line);
  void judge_trailer(std::string_view line);
  void count_aside(std::size_t size);

  const std::uint64_t limit_;
  const std::size_t most_aside_;
  std::string body_;
  Next next_ = Next::kSize;
  std::uint64_t left_ = 0;  // of the chunk's data
  std::size_t aside_ = 0;   // bytes of extensions and trailer fields so far
};

}  // namespace courant::http
