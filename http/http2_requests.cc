// Requests and their answers, each on its stream; what the connection does stands in http2.cc.
#include <algorithm>
#include <cstring>
#include <utility>

#include "http/exchange.h"
#include "http/http2.h"
#include "http/problem_reply.h"
#include "http/response_bytes.h"

namespace courant::http {

// A request's head is there.
void Http2::begin(const StreamPtr& stream) {
  // Streams that the peer has reset may still be worked for: they count (rapid reset).
  if (working_ >= kMostStreams) {
    context_.metrics.hit(Limit::kRapidReset).add();
    return reset(stream->id, NGHTTP2_REFUSED_STREAM);
  }
  const bool is_too_long = stream->fields.size() > context_.options.max_header_bytes;
  stream->head = stream->fields.take();
  stream->request.request.id = peer_.next_request();
  stream->request.request.client_address = peer_.address();
  const bool logs_all = context_.options.logged == ServerOptions::Logged::kAll;
  if (stream->is_complete && !context_.stopping && !logs_all) {
    if (std::optional<AnswerMemo::Known> known = context_.memo.find(stream->head, context_.handler.revision())) {
      std::string head;
      known->append_head_to(head, context_.date_line);
      if (known->series) context_.tally.count_known(*known->series);
      stream->is_answered = true;
      stream->has_ended = true;
      stream->piece = std::move(known->body);
      return submit(*stream, head, stream->piece != nullptr);
    }
  }
  try {
    if (is_too_long) throw Problem(431, "The header block is too long");
    read_request(stream->head, context_.hosts, peer_.address(), *stream, stream->request);
  } catch (const Problem& problem) {
    return refuse(*stream, problem);
  }
  std::optional<Response> refusal;
  stream->is_admitted = true;
  stream->arrived = std::chrono::steady_clock::now();
  stream->limit = admit(context_.handler, stream->request.request, refusal);
  if (refusal) return respond(*stream, *std::move(refusal));
  if (stream->is_complete) return complete(stream);
  stream->deadline = context_.now + context_.options.body_timeout;
  if (stream->request.framing.content_length.value_or(0) > stream->limit) return take_data(*stream, {});
  if (stream->request.framing.expects_continue) {
    const Http2ResponseHead head("HTTP/1.1 100 Continue\r\n\r\n");
    nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream->id, nullptr, head.fields().data(),
                           head.fields().size(), nullptr);
  }
}

void Http2::take_data(Stream& stream, std::string_view bytes) {
  if (stream.is_answered) return;
  std::string& body = stream.request.request.body;
  const std::uint64_t announced = stream.request.framing.content_length.value_or(0);
  if (announced > stream.limit || body.size() + bytes.size() > stream.limit) {
    return refuse(stream, body_too_long(stream.limit));
  }
  // What one connection makes us keep is no more than what one of its requests may, however many it sends at once.
  most_in_bodies_ = std::max<std::uint64_t>({in_bodies_ == 0 ? 0 : most_in_bodies_, stream.limit, kConnectionWindow});
  if (in_bodies_ + bytes.size() > most_in_bodies_) return reset(stream.id, NGHTTP2_REFUSED_STREAM);
  if (body.empty()) body.reserve(std::min<std::uint64_t>(announced, kConnectionWindow));
  body.append(bytes);
  in_bodies_ += bytes.size();
  stream.held += bytes.size();
}

// Its body is kept no longer.
void Http2::release(Stream& stream) {
  in_bodies_ -= std::exchange(stream.held, 0);
  stream.request.request.body = std::string();
}

// A request is there as a whole.
void Http2::complete(const StreamPtr& stream) {
  stream->is_complete = true;
  if (stream->is_answered) return;
  stream->deadline = Ticks::max();
  stream->arrived = std::chrono::steady_clock::now();
  if (stream->request.request.header("content-encoding")) return spawn(unpack(stream));
  answer(stream);
}

Task<void> Http2::unpack(StreamPtr stream) {
  std::optional<Problem> refusal;
  try {
    co_await take_off_coding(stream->request.request, stream->limit);
  } catch (const Problem& problem) {
    refusal = problem;
  }
  if (stream->is_closed) co_return release(*stream);
  if (refusal) {
    refuse(*stream, *refusal);
  } else {
    answer(stream);
  }
  pump();
}

void Http2::answer(const StreamPtr& stream) {
  if (std::optional<Response> response = answer_at_once(context_.handler, stream->request.request)) {
    return respond(*stream, *std::move(response));
  }
  spawn(answer_later(stream));
}

Task<void> Http2::answer_later(StreamPtr stream) {
  if (stream->is_closed) co_return release(*stream);  // reset before anything was done
  const Request& request = stream->request.request;
  Response response;
  std::exception_ptr failure;
  try {
    Response answered = co_await context_.handler.answer(request);
    response = context_.handler.finished(std::move(answered), request);
  } catch (...) {
    failure = std::current_exception();
  }
  if (stream->is_closed) co_return release(*stream);
  if (failure) response = answer_to_failure(failure, request);
  respond(*stream, std::move(response));
  pump();
}

void Http2::refuse(Stream& stream, const Problem& problem) {
  note_refusal(context_, problem.status());
  respond(stream, reply_to(problem, stream.request.request));
}

void Http2::respond(Stream& stream, Response response) {
  const Request& request = stream.request.request;
  Answered answered{kRefusedRoute};
  if (stream.is_admitted) {
    answered.route = context_.handler.route_of(request);
    answered.time = std::chrono::steady_clock::now() - stream.arrived;
    answered.was_kept_waiting = stream.was_kept_waiting;
  }
  const std::uint64_t revision = context_.handler.revision();
  Tally::Series& series = note_answer(context_, request, answered, response);
  std::string head;
  append_head(head, response, context_.date_line, {});
  const bool is_head = request.method == Method::kHead;
  if (request.body.empty()) context_.memo.keep(stream.head, response, !is_head, revision, &series);
  stream.is_answered = true;
  release(stream);
  stream.response = std::move(response);
  const bool has_data = !is_head && (stream.response.body || stream.response.more);
  if (has_data) {
    stream.piece = stream.response.body;
    if (stream.response.content_length) {
      stream.left = *stream.response.content_length - (stream.piece ? stream.piece->size() : 0);
    }
    stream.has_ended = !stream.response.more || (stream.response.content_length && stream.left == 0);
  }
  submit(stream, head, has_data);
}

void Http2::submit(Stream& stream, std::string_view head, bool has_data) {
  const Http2ResponseHead fields(head);
  stream.deadline = has_data ? context_.now + context_.options.write_timeout : Ticks::max();
  nghttp2_data_provider provider{};
  provider.read_callback = give_data;
  nghttp2_submit_response(session_.get(), stream.id, fields.fields().data(), fields.fields().size(),
                          has_data ? &provider : nullptr);
}

ssize_t Http2::give_data(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room, std::uint32_t* flags,
                         nghttp2_data_source*, void* user) {
  Http2& self = of(user);
  const StreamPtr stream = self.find(id);
  if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::size_t left = stream->piece ? stream->piece->size() - stream->sent : 0;
  const std::size_t count = std::min(left, room);
  if (count > 0) std::memcpy(into, stream->piece->data() + stream->sent, count);
  stream->sent += count;
  self.last_data_ = self.context_.now;
  stream->deadline = self.context_.now + self.context_.options.write_timeout;
  if (count < left) return static_cast<ssize_t>(count);
  stream->piece = nullptr;
  stream->sent = 0;
  if (stream->has_ended) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
  if (count > 0) return static_cast<ssize_t>(count);
  stream->deadline = Ticks::max();
  if (!std::exchange(stream->is_fetching, true)) self.spawn(self.fetch(stream));
  return NGHTTP2_ERR_DEFERRED;
}

// The next piece of an answer that comes in pieces, once the one before it was handed over.
Task<void> Http2::fetch(StreamPtr stream) {
  if (stream->is_closed) co_return;
  const bool ends = (context_.stopping || context_.leaving) && is_stream(stream->response);
  std::optional<Bytes> piece = Bytes();
  if (!ends) piece = co_await next_piece(stream->response, stream->left);
  stream->is_fetching = false;
  if (stream->is_closed) co_return;
  if (!piece) {
    reset(stream->id, NGHTTP2_INTERNAL_ERROR);
  } else {
    stream->has_ended = !*piece || (stream->response.content_length && stream->left == 0);
    stream->piece = *std::move(piece);
    stream->deadline = context_.now + context_.options.write_timeout;
    nghttp2_session_resume_data(session_.get(), stream->id);
  }
  pump();
}

}  // namespace courant::http
