#include "http/connection.h"

#include <algorithm>
#include <array>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/gzip.h"
#include "http/problem_reply.h"
#include "http/response_bytes.h"
#include "kernel/log.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadPiece = 16 * 1024;
constexpr std::size_t kBodyPiece = 64 * 1024;
constexpr std::size_t kLargeBody = 1 << 20;
constexpr std::size_t kWritePiece = 256 * 1024;
constexpr std::size_t kGatherBelow = 16 * 1024;  // shorter bodies are copied behind their head
constexpr std::size_t kFlushAbove = 64 * 1024;   // pipelined answers are gathered up to this

std::string address_of(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

// Takes gzip off; the bound holds for what comes out.
void take_off_coding(Request& request, std::uint64_t limit) {
  const std::string coding = ascii_lower(trim(request.combined_header("content-encoding")));
  if (coding.empty() || coding == "identity") return;
  if (coding != "gzip" && coding != "x-gzip") {
    throw Problem(415, "Content-Encoding '" + coding + "' is not taken: send gzip or none")
        .with("Accept-Encoding", "gzip");
  }
  Unpacked plain = unpack(request.body, limit);
  if (plain.end == Unpacked::End::kTooLong) {
    throw Problem(413, "The body is longer than " + std::to_string(limit) + " bytes when inflated");
  }
  if (plain.end == Unpacked::End::kBroken) throw Problem(400, "The body is no whole gzip stream");
  request.body = std::move(plain.bytes);
}

}  // namespace

ServerMetrics::ServerMetrics(Metrics& metrics)
    : connections(metrics.gauge("courant_http_connections", "Open connections")),
      requests(metrics.counter("courant_http_requests_total", "Requests answered")),
      refused(metrics.counter("courant_http_refused_total", "Malformed requests, answered and closed")),
      timeouts(metrics.counter("courant_http_timeouts_total", "Connections ended because the peer was too slow")) {}

Connection::Connection(asio::ip::tcp::socket socket, ConnectionContext& context)
    : socket_(std::move(socket)), context_(context), client_address_(address_of(socket_)) {
  enter(Phase::kIdle);
  context_.metrics.connections.add(1);
}

Connection::~Connection() {
  context_.metrics.connections.add(-1);
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  switch (phase) {
    case Phase::kIdle:
      deadline_ = context_.now + context_.options.idle_timeout;
      break;
    case Phase::kHead:
      deadline_ = context_.now + context_.options.header_timeout;
      break;
    case Phase::kBody:
      deadline_ = context_.now + context_.options.body_timeout;
      break;
    case Phase::kWrite:
      deadline_ = context_.now + context_.options.write_timeout;
      break;
    case Phase::kAnswer:
      deadline_ = Ticks::max();
      break;
  }
}

void Connection::check_deadline() {
  if (context_.now < deadline_ || expired_) return;
  expired_ = true;
  if (phase_ != Phase::kIdle) context_.metrics.timeouts.add();
  if (phase_ == Phase::kWrite) return close();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::finish() {
  if (phase_ == Phase::kIdle) close();
}

void Connection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

Task<void> Connection::serve() {
  bool goes_on = true;
  while (goes_on && socket_.is_open()) {
    try {
      goes_on = co_await serve_one();
    } catch (const std::exception& error) {
      log_error("a connection ended by an unexpected error", {{"error", error.what()}});
      goes_on = false;
    }
  }
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  close();
}

Task<bool> Connection::read_more() {
  const std::size_t used = in_.size();
  in_.resize(used + kReadPiece);
  auto [error, count] = co_await socket_.async_read_some(asio::buffer(in_.data() + used, kReadPiece), kToken);
  in_.resize(used + (error ? 0 : count));
  co_return !error;
}

// Writes what is composed, then `body` where there is one; a short one in one gathered write. A reader of a long one
// has the whole time for each piece: it may be slow, but not stop.
Task<bool> Connection::flush(Bytes body) {
  if (out_.empty() && !body) co_return true;
  std::string_view rest;
  if (body) rest = *body;
  do {
    enter(Phase::kWrite);
    const std::string_view piece = rest.substr(0, kWritePiece);
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(out_), asio::buffer(piece)};
    auto [error, count] = co_await asio::async_write(socket_, buffers, kToken);
    out_.clear();
    if (error) co_return false;
    rest.remove_prefix(piece.size());
  } while (!rest.empty());
  co_return true;
}

Task<bool> Connection::flush_composed() {
  const Bytes none;
  const bool written = co_await flush(none);
  co_return written;
}

// What comes behind the body that is there already. False: not all of it could be had or written.
Task<bool> Connection::write_rest(Response& response) {
  std::uint64_t left = *response.content_length - response.body->size();
  while (left > 0) {
    enter(Phase::kAnswer);
    const Bytes piece = co_await response.more();
    if (!piece || piece->empty() || piece->size() > left) co_return false;
    left -= piece->size();
    const bool written = co_await flush(piece);
    if (!written) co_return false;
  }
  co_return true;
}

Response Connection::answer_to_failure(std::exception_ptr failure, const Request& request) const {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const Problem& problem) {
    return reply_to(problem, request);
  } catch (const std::exception& error) {
    log_error("a request failed", {{"path", request.path}, {"error", error.what()}});
    return reply_to(Problem(500, "The server failed on this request"), request);
  }
}

Task<bool> Connection::refuse(Problem problem, Request request) {
  context_.metrics.refused.add();
  const Response response = reply_to(problem, request);
  append_head(out_, response, {context_.date_line, false, false, request.method == Method::kHead});
  // Named, since g++ 12 destroys a conditional temporary of an awaited call twice.
  Bytes body;
  if (request.method != Method::kHead) body = response.body;
  const bool written = co_await flush(body);
  if (!written) co_return false;
  // A close with unread bytes would reset the connection and take the answer with it: read some of them first.
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  enter(Phase::kHead);
  for (std::size_t rest = 0; rest < 64; ++rest) {
    in_.clear();
    const bool more = co_await read_more();
    if (!more) break;
  }
  co_return false;
}

Task<bool> Connection::read_body(const RequestHead& head, std::uint64_t limit, Request& request) {
  const Framing& framing = head.framing;
  const Problem too_large(413, "The body is longer than the " + std::to_string(limit) + " bytes allowed here");
  if (framing.content_length.value_or(0) > limit) throw too_large;
  const bool has_body = framing.is_chunked || framing.content_length.value_or(0) > 0;
  if (!has_body) co_return true;
  if (framing.expects_continue && in_.empty()) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    const bool written = co_await flush_composed();
    if (!written) co_return false;
  }
  enter(Phase::kBody);
  if (!framing.is_chunked) {
    const std::size_t length = static_cast<std::size_t>(*framing.content_length);
    // Room for all of it at once, so that growing never copies: the body is in memory once. What has not arrived yet is
    // not touched, so it costs nothing.
    std::string& body = request.body;
    body.reserve(length);
    body.append(in_, 0, length);
    in_.erase(0, length);
    while (body.size() < length) {
      const std::size_t used = body.size();
      const std::size_t piece = std::min(kBodyPiece, length - used);
      body.resize(used + piece);
      auto [error, count] = co_await socket_.async_read_some(asio::buffer(body.data() + used, piece), kToken);
      body.resize(used + (error ? 0 : count));
      if (error) co_return false;
    }
    co_return true;
  }
  // Chunks by Beast's parser, which is given a head of its own.
  beast_http::request_parser<beast_http::string_body> parser;
  parser.body_limit(limit);
  parser.eager(true);
  boost::beast::error_code error;
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  parser.put(asio::buffer(kHead.data(), kHead.size()), error);
  for (;;) {
    error = {};
    const std::size_t used = in_.empty() ? 0 : parser.put(asio::buffer(in_), error);
    in_.erase(0, used);
    if (error == beast_http::error::body_limit) throw too_large;
    if (error && error != beast_http::error::need_more) throw Problem(400, "The chunked body is malformed");
    if (parser.is_done()) break;
    // A chunk's own line is short: whoever sends an endless one is stopped here.
    if (in_.size() > context_.options.max_header_bytes)
      throw Problem(400, "A chunk's header or the trailer is too long");
    // Small bodies grow by doubling; a large one gets room for all that it may be, as above.
    std::string& body = parser.get().body();
    if (body.size() > kLargeBody && body.capacity() < limit) body.reserve(limit);
    if (used > 0 && !in_.empty()) continue;
    const bool more = co_await read_more();
    if (!more) co_return false;
  }
  request.body = std::move(parser.get().body());
  co_return true;
}

Task<bool> Connection::serve_one() {
  // The head, with answers to pipelined requests before it written as late as possible.
  in_.erase(0, skip_empty_lines(in_));
  std::optional<std::size_t> length = head_length(in_);
  if (!length || out_.size() > kFlushAbove) {
    const bool written = co_await flush_composed();
    if (!written) co_return false;
  }
  if (!length) enter(in_.empty() ? Phase::kIdle : Phase::kHead);
  if (context_.stopping && in_.empty()) co_return false;
  while (!length) {
    if (in_.size() > context_.options.max_header_bytes) {
      const bool is_line = in_.find('\n') == std::string::npos;
      const Problem problem(is_line ? 414 : 431,
                            is_line ? "The request line is too long" : "The header block is too long");
      const Request unread;
      const bool goes_on = co_await refuse(problem, unread);
      co_return goes_on;
    }
    const bool more = co_await read_more();
    if (!more && expired_ && phase_ == Phase::kHead) {
      expired_ = false;
      const Problem problem(408, "The request's header took too long to arrive");
      const Request unread;
      const bool goes_on = co_await refuse(problem, unread);
      co_return goes_on;
    }
    if (!more) co_return false;
    in_.erase(0, skip_empty_lines(in_));
    if (phase_ == Phase::kIdle && !in_.empty()) enter(Phase::kHead);
    length = head_length(in_);
  }
  std::string head_bytes(in_, 0, *length);
  in_.erase(0, *length);

  RequestHead head;
  std::optional<Problem> refusal;
  std::uint64_t limit = 0;
  try {
    if (head_bytes.size() > context_.options.max_header_bytes) throw Problem(431, "The header block is too long");
    head = read_head(head_bytes);
    head.request.client_address = client_address_;
    context_.hosts.check(head.request, head.authority);
  } catch (const Problem& problem) {
    refusal = problem;
  }
  if (refusal) {
    const bool goes_on = co_await refuse(*refusal, head.request);
    co_return goes_on;
  }

  // From here on a refusal need not end the connection, unless a body is left unread.
  Request& request = head.request;
  const bool has_body = head.framing.is_chunked || head.framing.content_length.value_or(0) > 0;
  std::optional<Response> response;
  bool body_read = !has_body;
  try {
    limit = context_.handler.admit(request);
  } catch (...) {
    response = answer_to_failure(std::current_exception(), request);
  }
  if (!response && has_body) {
    bool arrived = false;
    try {
      arrived = co_await read_body(head, limit, request);
      if (arrived) take_off_coding(request, limit);
      body_read = arrived;
    } catch (const Problem& problem) {
      refusal = problem;
    }
    if (refusal) {
      const bool goes_on = co_await refuse(*refusal, request);
      co_return goes_on;
    }
    if (!arrived && expired_) {
      expired_ = false;
      const Problem problem(408, "The request's body took too long to arrive");
      const bool goes_on = co_await refuse(problem, request);
      co_return goes_on;
    }
    if (!arrived) co_return false;
  }
  enter(Phase::kAnswer);
  if (!response) {
    std::exception_ptr failure;
    try {
      response = context_.handler.answer_at_once(request);
      if (!response) {
        Response answered = co_await context_.handler.answer(request);
        response = std::move(answered);
      }
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) response = answer_to_failure(failure, request);
  }

  const bool keep_alive = head.framing.keep_alive && body_read && !context_.stopping;
  const bool is_head = request.method == Method::kHead;
  append_head(out_, *response, {context_.date_line, keep_alive, head.framing.is_http10, is_head});
  context_.metrics.requests.add();
  Bytes body;
  if (!is_head) body = response->body;
  if (body && body->size() < kGatherBelow) {
    out_ += *body;
  } else if (body) {
    const bool written = co_await flush(body);
    if (!written) co_return false;
  }
  if (body && response->more) {
    const bool written = co_await write_rest(*response);
    if (!written) co_return false;
  }
  if (keep_alive) co_return true;
  co_await flush_composed();
  co_return false;
}

}  // namespace courant::http
