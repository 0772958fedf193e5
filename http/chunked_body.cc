#include "http/chunked_body.h"

#include <string_view>

#include <boost/asio/buffer.hpp>

#include "http/exchange.h"

namespace courant::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;

constexpr std::size_t kLargeBody = 1 << 20;
// "0", CRLF, CRLF: what every chunked body ends with. Beast asserts that it is there when it goes on after the "0".
constexpr std::size_t kLastChunk = 5;

}  // namespace

// The parser is given a head of its own: ours has been judged already.
ChunkedBody::ChunkedBody(std::uint64_t limit, std::size_t most_line) : limit_(limit), most_line_(most_line) {
  parser_.body_limit(limit);
  parser_.eager(true);
  boost::beast::error_code error;
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  parser_.put(asio::buffer(kHead.data(), kHead.size()), error);
}

bool ChunkedBody::take(std::string& bytes) {
  while (bytes.size() >= kLastChunk && !parser_.is_done()) {
    boost::beast::error_code error;
    const std::size_t used = parser_.put(asio::buffer(bytes), error);
    bytes.erase(0, used);
    if (error == beast_http::error::body_limit) throw body_too_long(limit_);
    if (error && error != beast_http::error::need_more) throw Problem(400, "The chunked body is malformed");
    if (used == 0) break;
  }
  if (parser_.is_done()) return true;
  // A chunk's own line is short: whoever sends an endless one is stopped here.
  if (bytes.size() > most_line_) throw Problem(400, "A chunk's header or the trailer is too long");
  // Small bodies grow by doubling; a large one gets room for all that it may be, so that growing never copies it. What
  // has not arrived is not touched, so it costs nothing.
  std::string& body = parser_.get().body();
  if (body.size() > kLargeBody && body.capacity() < limit_) body.reserve(limit_);
  return false;
}

}  // namespace courant::http
