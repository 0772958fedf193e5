#include "http/http1.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "http/chunked_body.h"
#include "http/exchange.h"
#include "http/let_others.h"
#include "http/problem_reply.h"
#include "http/response_bytes.h"

namespace courant::http {
namespace {

using Phase = Peer::Phase;

constexpr std::size_t kBodyPiece = 64 * 1024;

bool has_body(const Framing& framing) {
  return framing.is_chunked || framing.content_length.value_or(0) > 0;
}

}  // namespace

Task<void> Http1::serve() {
  bool goes_on = true;
  while (goes_on && peer_.is_open()) {
    answer_known();
    if (peer_.has_body() || peer_.out().size() > kFlushAbove) {
      if (peer_.send_at_once() != Peer::Sending::kDone) goes_on = co_await peer_.flush();
    } else if (const std::optional<std::size_t> length = head_length(peer_.in())) {
      goes_on = co_await serve_one(*length);
    } else {
      goes_on = co_await read_on();
    }
  }
}

// Composes, without a coroutine, the answers to requests that were answered before, as long as whole ones are there.
void Http1::answer_known() {
  // Such an answer would not say that the connection ends, and is not logged.
  if (context_.stopping || context_.leaving || context_.options.logged == ServerOptions::Logged::kAll) return;
  std::string& in = peer_.in();
  std::string& out = peer_.out();
  const std::uint64_t revision = context_.handler.revision();
  std::size_t used = skip_empty_lines(in);
  while (!peer_.has_body() && out.size() <= kFlushAbove) {
    const std::string_view rest = std::string_view(in).substr(used);
    const std::optional<std::size_t> length = head_length(rest);
    if (!length) break;
    std::optional<AnswerMemo::Known> known = context_.memo.find(rest.substr(0, *length), revision);
    if (!known) break;
    known->append_head_to(out, context_.date_line);
    if (known->body) peer_.put_body(std::move(known->body));
    if (known->series) context_.tally.count_known(*known->series);
    peer_.enter(Phase::kAnswer);
    used += *length;
    used += skip_empty_lines(rest.substr(*length));
  }
  in.erase(0, used);
}

// Reads on for a head, with all answers written before. False: the connection is over.
Task<bool> Http1::read_on() {
  std::string& in = peer_.in();
  bool goes_on = peer_.send_at_once() == Peer::Sending::kDone;
  if (!goes_on) goes_on = co_await peer_.flush();
  if (!goes_on) co_return false;
  // Who has sent more gets one answer more, which says that it is the last.
  if (context_.stopping && in.empty() && !peer_.transport().has_more()) {
    co_await peer_.end_at_rest();
    co_return false;
  }
  // Who has sent a piece of a head has no idle time before its end.
  const Phase phase = in.empty() && peer_.phase() != Phase::kHead ? Phase::kIdle : Phase::kHead;
  if (peer_.phase() != phase) peer_.enter(phase);
  if (in.size() > context_.options.max_header_bytes) {
    const bool is_line = in.find('\n') == std::string::npos;
    const Problem problem(is_line ? 414 : 431,
                          is_line ? "The request line is too long" : "The header block is too long");
    Request unread;
    unread.client_address = peer_.address();
    unread.id = peer_.next_request();
    co_await refuse(problem, unread, kRefusedRoute);
    co_return false;
  }
  // Read at once it would be asked of the kernel in vain; a busy client's is here when the others have been answered.
  if (in.empty()) co_await let_others_go_first();
  const bool more = co_await peer_.read_more();
  if (!more && peer_.phase() == Phase::kHead && peer_.take_expiry()) {
    const Problem problem(408, "The request's header took too long to arrive");
    Request unread;
    unread.client_address = peer_.address();
    unread.id = peer_.next_request();
    co_await refuse(problem, unread, kRefusedRoute);
    co_return false;
  }
  if (!more) co_await peer_.end_at_rest();
  in.erase(0, skip_empty_lines(in));
  co_return more;
}

// What comes behind the body that is there already. False: not all of it could be had or written.
Task<bool> Http1::write_rest(Response& response) {
  std::uint64_t left = *response.content_length - response.body->size();
  while (left > 0) {
    const bool written = co_await peer_.flush();
    if (!written) co_return false;
    peer_.enter(Phase::kAnswer);
    std::optional<Bytes> piece = co_await next_piece(response, left);
    if (!piece) co_return false;
    peer_.put_body(*std::move(piece));
  }
  co_return true;
}

// Piece by piece, each asked for when the one before has been written. False: the connection is over.
Task<bool> Http1::write_stream(Response& response, bool is_chunked) {
  std::uint64_t unknown = 0;
  for (;;) {
    const bool written = co_await peer_.flush();
    if (!written) co_return false;
    if (context_.stopping || context_.leaving) break;
    peer_.enter(Phase::kAnswer);
    const std::optional<Bytes> next = co_await next_piece(response, unknown);
    if (!next) co_return false;  // the end that is missing tells the reader
    const Bytes& piece = *next;
    if (!piece) break;
    if (piece->empty()) continue;
    if (is_chunked) {
      std::array<char, 18> size{};
      peer_.out().append(size.data(),
                         static_cast<std::size_t>(std::snprintf(size.data(), size.size(), "%zx\r\n", piece->size())));
    }
    peer_.put_body(piece);
    const bool sent = co_await peer_.flush();
    if (!sent) co_return false;
    if (is_chunked) peer_.out() += "\r\n";
  }
  if (is_chunked) peer_.out() += "0\r\n\r\n";
  co_return true;
}

// Puts an answer behind those that are composed already.
void Http1::compose(const Response& response, const Request& request, const Framing& framing, bool keep_alive) {
  std::string& out = peer_.out();
  append_head(out, response, context_.date_line, {keep_alive, framing.is_http10});
  if (request.method == Method::kHead || !response.body || is_stream(response)) return;
  peer_.put_body(response.body);
}

Task<void> Http1::refuse(const Problem& problem, const Request& request, std::string_view route) {
  Response response = reply_to(problem, request);
  note_refusal(context_, response.status);
  note_answer(context_, request, {route}, response);
  compose(response, request, {}, false);
  const bool written = co_await peer_.flush();
  if (written) co_await peer_.linger();
}

// False: the body has not arrived.
Task<bool> Http1::read_body(const RequestHead& head, std::uint64_t limit, Request& request) {
  const Framing& framing = head.framing;
  std::string& in = peer_.in();
  if (framing.content_length.value_or(0) > limit) throw body_too_long(limit);
  if (framing.expects_continue && in.empty()) peer_.out() += "HTTP/1.1 100 Continue\r\n\r\n";
  // Answers to requests before this one do not wait for its body.
  const bool written = co_await peer_.flush();
  if (!written) co_return false;
  peer_.enter(Phase::kBody);
  if (framing.is_chunked) {
    ChunkedBody chunks(limit, context_.options.max_header_bytes);
    while (!chunks.take(in)) {
      const bool more = co_await peer_.read_more();
      if (!more) co_return false;
    }
    request.body = chunks.body();
    co_return true;
  }
  const std::size_t length = static_cast<std::size_t>(*framing.content_length);
  // Room for all of it at once, so that growing never copies: the body is in memory once. What has not arrived yet is
  // not touched, so it costs nothing.
  std::string& body = request.body;
  body.reserve(length);
  body.append(in, 0, length);
  in.erase(0, length);
  while (body.size() < length) {
    const std::size_t piece = std::min(kBodyPiece, length - body.size());
    const std::size_t count = co_await peer_.transport().read_some(body, piece);
    if (count == 0) co_return false;
  }
  co_return true;
}

Task<bool> Http1::serve_one(std::size_t head_length) {
  const std::string head_bytes(peer_.in(), 0, head_length);
  peer_.in().erase(0, head_length);

  RequestHead head;
  head.request.id = peer_.next_request();
  std::optional<Problem> refusal;
  try {
    if (head_bytes.size() > context_.options.max_header_bytes) throw Problem(431, "The header block is too long");
    read_request(head_bytes, context_.hosts, peer_.address(), peer_, head);
  } catch (const Problem& problem) {
    refusal = problem;
  }
  if (refusal) {
    co_await refuse(*refusal, head.request, kRefusedRoute);
    co_return false;
  }

  // From here on a refusal need not end the connection, unless a body is left unread.
  Request& request = head.request;
  std::optional<Response> response;
  const std::uint64_t limit = admit(context_.handler, request, response);
  bool body_read = !has_body(head.framing);
  if (!response && !body_read) {
    try {
      body_read = co_await read_body(head, limit, request);
      if (body_read) co_await take_off_coding(request, limit);
    } catch (const Problem& problem) {
      refusal = problem;
    }
    if (!refusal && !body_read && peer_.take_expiry()) {
      refusal = Problem(408, "The request's body took too long to arrive");
    }
    if (refusal) co_await refuse(*refusal, request, context_.handler.route_of(request));
    if (refusal || !body_read) co_return false;
  }
  const Ticks arrived = std::chrono::steady_clock::now();
  peer_.take_kept_waiting();
  peer_.enter(Phase::kAnswer);
  if (!response) response = answer_at_once(context_.handler, request);
  if (!response) {
    // Answers to requests before this one do not wait for it.
    if (!peer_.is_written()) co_await peer_.flush();
    peer_.enter(Phase::kAnswer);
    std::exception_ptr failure;
    try {
      Response answered = co_await context_.handler.answer(request);
      response = context_.handler.finished(std::move(answered), request);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) response = answer_to_failure(failure, request);
  }

  const bool is_endless = is_stream(*response) && head.framing.is_http10;  // until the connection closes
  // Who has sent more requests already gets their answers, too, before it goes elsewhere.
  const bool is_last = context_.stopping || (context_.leaving && peer_.in().empty());
  const bool keep_alive = head.framing.keep_alive && body_read && !is_last && !is_endless;
  const bool is_head = request.method == Method::kHead;
  const std::string_view route = context_.handler.route_of(request);
  const auto time = std::chrono::steady_clock::now() - arrived;
  const std::uint64_t revision = context_.handler.revision();
  Tally::Series& series = note_answer(context_, request, {route, time, peer_.take_kept_waiting()}, *response);
  compose(*response, request, head.framing, keep_alive);
  if (keep_alive && !has_body(head.framing) && !head.framing.is_http10) {
    context_.memo.keep(head_bytes, *response, !is_head, revision, &series);
  }
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
  const bool written = co_await peer_.flush();
  if (written) co_await peer_.linger();
  co_return false;
}

}  // namespace courant::http
