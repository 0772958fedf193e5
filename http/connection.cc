#include "http/connection.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

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

constexpr std::size_t kFirstPiece = 2 * 1024;  // what a connection at rest keeps room for
constexpr std::size_t kReadPiece = 16 * 1024;
constexpr std::size_t kBodyPiece = 64 * 1024;
constexpr std::size_t kLargeBody = 1 << 20;
constexpr std::size_t kMostLingered = 16 << 20;
constexpr std::size_t kGatherBelow = 4 * 1024;  // shorter bodies are copied behind their head
constexpr std::size_t kFlushAbove = 64 * 1024;  // pipelined answers are gathered up to this

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
    : transport_(std::move(socket)), context_(context), client_address_(transport_.peer_address()) {
  enter(Phase::kIdle);
  context_.metrics.connections.add(1);
}

Connection::~Connection() {
  context_.metrics.connections.add(-1);
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  expired_ = false;
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
  if (context_.now < deadline_) return;
  // Again with each sweep: a read that had bytes already was not there to be cancelled.
  if (!std::exchange(expired_, true) && phase_ != Phase::kIdle) context_.metrics.timeouts.add();
  if (phase_ == Phase::kWrite) return close();
  transport_.cancel();
}

void Connection::finish() {
  if (phase_ == Phase::kIdle) close();
}

void Connection::close() {
  transport_.close();
}

Task<void> Connection::serve() {
  bool goes_on = true;
  while (goes_on && transport_.is_open()) {
    try {
      answer_known();
      if (body_ || out_.size() > kFlushAbove) {
        if (send_at_once() != Sending::kDone) goes_on = co_await flush();
      } else if (const std::optional<std::size_t> length = head_length(in_)) {
        goes_on = co_await serve_one(*length);
      } else {
        goes_on = co_await read_on();
      }
    } catch (const std::exception& error) {
      log_error("a connection ended by an unexpected error", {{"error", error.what()}});
      goes_on = false;
    }
  }
  transport_.shutdown_send();
  close();
}

// Composes, without a coroutine, the answers to requests that were answered before, as long as whole ones are there.
void Connection::answer_known() {
  if (context_.stopping) return;  // such an answer would not say that the connection ends
  std::size_t used = skip_empty_lines(in_);
  while (!body_ && out_.size() <= kFlushAbove) {
    const std::string_view rest = std::string_view(in_).substr(used);
    const std::optional<std::size_t> length = head_length(rest);
    if (!length) break;
    std::optional<AnswerMemo::Known> known = context_.memo.find(rest.substr(0, *length));
    if (!known) break;
    out_.append(known->before_date).append(context_.date_line).append(known->after_date);
    if (known->body) put_body(std::move(known->body));
    ++context_.answered;
    phase_ = Phase::kAnswer;
    used += *length;
    used += skip_empty_lines(rest.substr(*length));
  }
  in_.erase(0, used);
}

// What is composed, in one write as far as the peer takes it at once.
Connection::Sending Connection::send_at_once() {
  while (!is_written()) {
    const std::string_view body = body_ ? std::string_view(*body_).substr(body_sent_) : std::string_view();
    const std::optional<std::size_t> sent = transport_.send(out_, body);
    if (!sent) return Sending::kGone;
    if (*sent == 0) return Sending::kBlocked;
    const std::size_t of_head = std::min(*sent, out_.size());
    out_.erase(0, of_head);
    body_sent_ += *sent - of_head;
    if (body_ && body_sent_ == body_->size()) {
      body_.reset();
      body_sent_ = 0;
    }
    // A reader that is slow has the whole time again whenever it took something: it may be slow, but not stop.
    if (phase_ == Phase::kWrite) enter(Phase::kWrite);
  }
  return Sending::kDone;
}

Task<bool> Connection::flush() {
  Sending sending = send_at_once();
  if (sending == Sending::kBlocked) enter(Phase::kWrite);
  while (sending == Sending::kBlocked) {
    const bool writable = co_await transport_.wait_writable();
    if (!writable) co_return false;
    sending = send_at_once();
  }
  co_return sending == Sending::kDone;
}

Task<bool> Connection::read_more() {
  const std::size_t used = in_.size();
  const std::size_t room = used == 0 ? kFirstPiece : kReadPiece;
  in_.resize(used + room);
  const std::size_t count = co_await transport_.read_some(in_.data() + used, room);
  in_.resize(used + count);
  co_return count > 0;
}

// Reads on for a head, with all answers written before. False: the connection is over.
Task<bool> Connection::read_on() {
  bool goes_on = send_at_once() == Sending::kDone;
  if (!goes_on) goes_on = co_await flush();
  if (!goes_on || (context_.stopping && in_.empty())) co_return false;
  // Who has sent a piece of a head has no idle time before its end.
  const Phase phase = in_.empty() && phase_ != Phase::kHead ? Phase::kIdle : Phase::kHead;
  if (phase_ != phase) enter(phase);
  if (in_.size() > context_.options.max_header_bytes) {
    const bool is_line = in_.find('\n') == std::string::npos;
    const Problem problem(is_line ? 414 : 431,
                          is_line ? "The request line is too long" : "The header block is too long");
    const Request unread;
    goes_on = co_await refuse(problem, unread);
    co_return goes_on;
  }
  const bool more = co_await read_more();
  if (!more && expired_ && phase_ == Phase::kHead) {
    expired_ = false;
    const Problem problem(408, "The request's header took too long to arrive");
    const Request unread;
    goes_on = co_await refuse(problem, unread);
    co_return goes_on;
  }
  in_.erase(0, skip_empty_lines(in_));
  co_return more;
}

// What comes behind the body that is there already. False: not all of it could be had or written.
Task<bool> Connection::write_rest(Response& response) {
  std::uint64_t left = *response.content_length - response.body->size();
  while (left > 0) {
    const bool written = co_await flush();
    if (!written) co_return false;
    enter(Phase::kAnswer);
    Bytes piece = co_await response.more();
    if (!piece || piece->empty() || piece->size() > left) co_return false;
    left -= piece->size();
    body_ = std::move(piece);
  }
  co_return true;
}

// Piece by piece, each asked for when the one before has been written. False: the connection is over.
Task<bool> Connection::write_stream(Response& response, bool is_chunked) {
  for (;;) {
    const bool written = co_await flush();
    if (!written) co_return false;
    if (context_.stopping) break;
    enter(Phase::kAnswer);
    Bytes piece;
    try {
      piece = co_await response.more();
    } catch (const Problem&) {
      co_return false;  // such as a database that went away: the end that is missing tells the reader
    }
    if (!piece) break;
    if (piece->empty()) continue;
    if (is_chunked) {
      std::array<char, 18> size{};
      out_.append(size.data(),
                  static_cast<std::size_t>(std::snprintf(size.data(), size.size(), "%zx\r\n", piece->size())));
    }
    body_ = std::move(piece);
    const bool sent = co_await flush();
    if (!sent) co_return false;
    if (is_chunked) out_ += "\r\n";
  }
  if (is_chunked) out_ += "0\r\n\r\n";
  co_return is_chunked;
}

// Puts an answer behind those that are composed already.
void Connection::compose(const Response& response, const Request& request, const Framing& framing, bool keep_alive) {
  append_head_before_date(out_, response);
  out_ += context_.date_line;
  append_head_after_date(out_, response, {keep_alive, framing.is_http10});
  ++context_.answered;
  if (request.method == Method::kHead || !response.body || is_stream(response)) return;
  put_body(response.body);
}

// A short one is copied behind its head, a long one sent from where it is.
void Connection::put_body(Bytes body) {
  if (body->size() < kGatherBelow) {
    out_ += *body;
  } else {
    body_ = std::move(body);
  }
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
  compose(reply_to(problem, request), request, {}, false);
  const bool written = co_await flush();
  if (!written) co_return false;
  co_await linger();
  co_return false;
}

// A close with unread bytes would reset the connection and take the answer with it: they are read first, within limits.
Task<void> Connection::linger() {
  transport_.shutdown_send();
  enter(Phase::kHead);
  in_.resize(kBodyPiece);
  std::size_t count = 1;
  for (std::size_t read = 0; count > 0 && read < kMostLingered; read += count) {
    count = co_await transport_.read_some(in_.data(), in_.size());
  }
  in_.clear();
}

Task<bool> Connection::read_body(const RequestHead& head, std::uint64_t limit, Request& request) {
  const Framing& framing = head.framing;
  const Problem too_large(413, "The body is longer than the " + std::to_string(limit) + " bytes allowed here");
  if (framing.content_length.value_or(0) > limit) throw too_large;
  const bool has_body = framing.is_chunked || framing.content_length.value_or(0) > 0;
  if (!has_body) co_return true;
  if (framing.expects_continue && in_.empty()) out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  // Answers to requests before this one do not wait for its body.
  const bool written = co_await flush();
  if (!written) co_return false;
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
      const std::size_t count = co_await transport_.read_some(body.data() + used, piece);
      body.resize(used + count);
      if (count == 0) co_return false;
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

Task<bool> Connection::serve_one(std::size_t head_length) {
  const std::string head_bytes(in_, 0, head_length);
  in_.erase(0, head_length);

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
        // Answers to requests before this one do not wait for it.
        if (!is_written()) co_await flush();
        enter(Phase::kAnswer);
        Response answered = co_await context_.handler.answer(request);
        response = std::move(answered);
      }
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) response = answer_to_failure(failure, request);
  }

  const bool is_endless = is_stream(*response) && head.framing.is_http10;  // until the connection closes
  const bool keep_alive = head.framing.keep_alive && body_read && !context_.stopping && !is_endless;
  const bool is_head = request.method == Method::kHead;
  compose(*response, request, head.framing, keep_alive);
  if (keep_alive && !has_body && !head.framing.is_http10) context_.memo.keep(head_bytes, *response, !is_head);
  if (!is_head && response->more) {
    bool written = false;
    if (is_stream(*response)) {
      written = co_await write_stream(*response, !head.framing.is_http10);
    } else {
      written = co_await write_rest(*response);
    }
    if (!written) co_return false;
  }
  if (keep_alive) co_return true;
  const bool written = co_await flush();
  if (written && !body_read) co_await linger();
  co_return false;
}

}  // namespace courant::http
