// A request body that comes in chunks, put together by Beast's parser.
// Specification: RFC 9112 section 7.1.
// Threads: plain value.
#pragma once

#include <cstdint>
#include <string>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace courant::http {

class ChunkedBody {
 public:
  // limit: for the body; most_line: for what stands between chunks.
  ChunkedBody(std::uint64_t limit, std::size_t most_line);

  // Takes from the front of `bytes` what it can use. True: the body is complete. False: more bytes are needed.
  // Throws Problem 400, and 413 beyond the limit.
  bool take(std::string& bytes);

  std::string body() { return std::move(parser_.get().body()); }

 private:
  const std::uint64_t limit_;
  const std::size_t most_line_;
  boost::beast::http::request_parser<boost::beast::http::string_body> parser_;
};

}  // namespace courant::http
