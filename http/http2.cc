#include "http/http2.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nghttp2/nghttp2.h>

#include "http/exchange.h"
#include "http/http2_head.h"
#include "http/problem_reply.h"
#include "http/request_head.h"
#include "http/response_bytes.h"
#include "kernel/log.h"

namespace courant::http {
namespace {

namespace asio = boost::asio;

constexpr std::uint32_t kMostStreams = 100;
constexpr std::int32_t kStreamWindow = 256 * 1024;
constexpr std::int32_t kConnectionWindow = 1 << 20;
constexpr std::size_t kFlushAbove = 64 * 1024;
// Rapid resets, floods of PING and SETTINGS, empty frames: what asks for nothing may come in bursts, not for long.
constexpr int kIdleFrameBurst = 500;
constexpr int kIdleFramesPerSecond = 100;

struct SessionDeleter {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

}  // namespace

class Http2::Session {
 public:
  Session(Peer& peer, ConnectionContext& context);

  Task<void> serve();
  void check_deadlines();
  void finish();

 private:
  // One request and its answer. The coroutines that work on it keep it, also when the peer has reset it.
  struct Stream : Presence {
    std::int32_t id = 0;
    Http2RequestHead fields;
    std::string head;
    RequestHead request;  // its views point into head
    std::uint64_t limit = 0;
    Ticks deadline = Ticks::max();  // of its request's body, or of the peer's taking anything of the answer
    bool is_answered = false;       // the rest of its body is not wanted
    bool is_complete = false;       // its request
    bool is_closed = false;
    Response response;  // while it is being sent
    Bytes piece;        // of its body, that is being sent
    std::size_t sent = 0;
    std::uint64_t missing = 0;   // of a body whose length is known: what no piece has brought
    bool has_ended = false;      // there are no further pieces
    bool is_fetching = false;    // the next piece
    std::function<void()> gone;  // null: nobody asks

    // The next piece of the body; null: there is none. False: that cannot be, by the length that was said.
    bool take_piece(Bytes next) {
      piece = std::move(next);
      has_ended = !piece;
      if (!response.content_length) return true;
      const std::size_t size = piece ? piece->size() : 0;
      if (size > missing || (size == 0 && missing > 0)) return false;
      missing -= size;
      has_ended = missing == 0;  // nobody is asked for more than the whole
      return true;
    }
    void watch(std::function<void()> call) override { gone = std::move(call); }
    void unwatch() override { gone = nullptr; }
    void close() {
      is_closed = true;
      if (gone) std::exchange(gone, nullptr)();
    }
  };
  using StreamPtr = std::shared_ptr<Stream>;

  // What nghttp2 tells.
  static Session& of(void* user) { return *static_cast<Session*>(user); }
  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user);
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_length,
                       const std::uint8_t* value, std::size_t value_length, std::uint8_t, void* user);
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t count,
                     void* user);
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user);
  static ssize_t give_data(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* user);

  StreamPtr find(std::int32_t id) const;
  void spawn(Task<void> work);
  void begin(const StreamPtr& stream);
  void take_data(Stream& stream, std::string_view bytes);
  void complete(const StreamPtr& stream);
  void refuse(Stream& stream, const Problem& problem);
  void respond(Stream& stream, Response response);
  void submit(Stream& stream, std::string_view head, bool has_data);
  Task<void> answer_later(StreamPtr stream);
  Task<void> fetch(StreamPtr stream);
  void reset(std::int32_t id, std::uint32_t code);
  void note_idle_frame();
  void settle();
  void pump();
  Task<void> write_rest();

  Peer& peer_;
  ConnectionContext& context_;
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  std::map<std::int32_t, StreamPtr> streams_;
  asio::any_io_executor executor_;
  std::unique_ptr<asio::steady_timer> all_done_;  // cancelled when nothing works any more
  std::size_t working_ = 0;                       // coroutines
  std::size_t in_bodies_ = 0;                     // bytes of bodies that are not complete
  std::int32_t headers_of_ = 0;                   // the stream whose header block has begun; 0: none
  int idle_frames_left_ = kIdleFrameBurst;
  Ticks idle_frames_since_;
  bool is_writing_ = false;  // a coroutine waits for the peer to read
  bool is_over_ = false;
};

Http2::Session::Session(Peer& peer, ConnectionContext& context)
    : peer_(peer), context_(context), idle_frames_since_(context.now) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  session_.reset(session);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMostStreams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, context.options.max_header_bytes},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Task<void> Http2::Session::serve() {
  executor_ = co_await asio::this_coro::executor;
  peer_.enter(Peer::Phase::kHead);
  bool goes_on = true;
  while (goes_on) {
    std::string& in = peer_.in();
    const ssize_t used =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(in.data()), in.size());
    in.clear();  // it takes all of it, or the connection is over
    if (used < 0) nghttp2_session_terminate_session(session_.get(), NGHTTP2_PROTOCOL_ERROR);
    settle();
    pump();
    goes_on = used >= 0 && !is_over_ && nghttp2_session_want_read(session_.get()) != 0;
    if (!goes_on) break;
    goes_on = co_await peer_.read_more();
  }
  is_over_ = true;
  const bool is_silent = peer_.phase() == Peer::Phase::kIdle || peer_.phase() == Peer::Phase::kHead;
  if (peer_.take_expiry() && is_silent) {
    nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
    pump();
  }
  // Who waits for the peer to read finds that it is over; who works for a request finds that nobody asks any more.
  while (!streams_.empty()) {
    streams_.begin()->second->close();
    streams_.erase(streams_.begin());
  }
  if (is_writing_) peer_.transport().cancel();
  while (working_ > 0) {
    all_done_ = std::make_unique<asio::steady_timer>(executor_, asio::steady_timer::time_point::max());
    co_await all_done_->async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (peer_.is_written()) co_await peer_.linger();
}

// Work for the connection, which stays until all of it is done. It begins when nghttp2 is not at work: that must not be
// called from its own callbacks.
void Http2::Session::spawn(Task<void> work) {
  ++working_;
  asio::post(executor_, [this, work = std::move(work)]() mutable {
    asio::co_spawn(executor_, std::move(work), [this](const std::exception_ptr& failure) {
      if (failure) {
        is_over_ = true;
        peer_.close();
      }
      if (--working_ == 0 && all_done_) all_done_->cancel();
    });
  });
}

int Http2::Session::on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
  switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:   // of which nghttp2 takes only a few in a row
    case NGHTTP2_WINDOW_UPDATE:  // every reader sends them
      break;
    case NGHTTP2_DATA:
      if (head->length == 0 && (head->flags & NGHTTP2_FLAG_END_STREAM) == 0) of(user).note_idle_frame();
      break;
    default:
      of(user).note_idle_frame();
  }
  return 0;
}

int Http2::Session::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Session& self = of(user);
  self.headers_of_ = frame->hd.stream_id;
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto stream = std::make_shared<Stream>();
  stream->id = frame->hd.stream_id;
  self.streams_.emplace(stream->id, std::move(stream));
  return 0;
}

int Http2::Session::on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                              std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                              std::uint8_t, void* user) {
  Session& self = of(user);
  const StreamPtr stream = self.find(frame->hd.stream_id);
  // Trailers tell us nothing. Of a header bomb nothing is kept beyond the limit, which then tells what it was.
  if (!stream || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (stream->fields.size() > self.context_.options.max_header_bytes) return 0;
  stream->fields.add({reinterpret_cast<const char*>(name), name_length},
                     {reinterpret_cast<const char*>(value), value_length});
  return 0;
}

int Http2::Session::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Session& self = of(user);
  const bool is_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      self.headers_of_ = 0;
      if (const StreamPtr stream = self.find(frame->hd.stream_id)) {
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
          stream->is_complete = is_last;
          self.begin(stream);
        } else if (is_last) {
          self.complete(stream);
        }
      }
      break;
    case NGHTTP2_DATA:
      if (const StreamPtr stream = self.find(frame->hd.stream_id); stream && is_last) self.complete(stream);
      break;
    default:
      break;
  }
  return 0;
}

int Http2::Session::on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                            std::size_t count, void* user) {
  if (const StreamPtr stream = of(user).find(id)) {
    of(user).take_data(*stream, {reinterpret_cast<const char*>(bytes), count});
  }
  return 0;
}

// An answer that is complete before its request is: the rest is not wanted (RFC 9113 section 8.1).
int Http2::Session::on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  const bool is_answer = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!is_answer || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const StreamPtr stream = of(user).find(frame->hd.stream_id);
  if (stream && !stream->is_complete) of(user).reset(stream->id, NGHTTP2_NO_ERROR);
  return 0;
}

int Http2::Session::on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
  Session& self = of(user);
  const auto found = self.streams_.find(id);
  if (found == self.streams_.end()) return 0;
  Stream& stream = *found->second;
  if (!stream.is_answered && !stream.is_complete) self.in_bodies_ -= stream.request.request.body.size();
  stream.close();
  self.streams_.erase(found);
  return 0;
}

Http2::Session::StreamPtr Http2::Session::find(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

// A request's head is there.
void Http2::Session::begin(const StreamPtr& stream) {
  // Streams that the peer has reset may still be worked for: they count (rapid reset).
  if (working_ >= kMostStreams) return reset(stream->id, NGHTTP2_REFUSED_STREAM);
  const bool is_too_long = stream->fields.size() > context_.options.max_header_bytes;
  stream->head = stream->fields.take();
  if (stream->is_complete && !context_.stopping) {
    if (std::optional<AnswerMemo::Known> known = context_.memo.find(stream->head)) {
      std::string head(known->before_date);
      head.append(context_.date_line).append(known->after_date);
      ++context_.answered;
      stream->is_answered = true;
      stream->has_ended = true;
      stream->piece = std::move(known->body);
      return submit(*stream, head, stream->piece != nullptr);
    }
  }
  try {
    if (is_too_long) throw Problem(431, "The header block is too long");
    stream->request = read_head(stream->head);
    stream->request.request.client_address = peer_.address();
    stream->request.request.presence = stream.get();
    context_.hosts.check(stream->request.request, stream->request.authority);
  } catch (const Problem& problem) {
    return refuse(*stream, problem);
  }
  Admission admission = admit(context_.handler, stream->request.request);
  if (admission.refusal) return respond(*stream, std::move(*admission.refusal));
  stream->limit = admission.limit;
  if (stream->is_complete) return complete(stream);
  stream->deadline = context_.now + context_.options.body_timeout;
  if (stream->request.framing.content_length.value_or(0) > stream->limit) return take_data(*stream, {});
  if (stream->request.framing.expects_continue) {
    const Http2ResponseHead head("HTTP/1.1 100 Continue\r\n\r\n");
    nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream->id, nullptr, head.fields().data(),
                           head.fields().size(), nullptr);
  }
}

void Http2::Session::take_data(Stream& stream, std::string_view bytes) {
  if (stream.is_answered) return;
  std::string& body = stream.request.request.body;
  const std::uint64_t announced = stream.request.framing.content_length.value_or(0);
  if (announced > stream.limit || body.size() + bytes.size() > stream.limit) {
    return refuse(stream,
                  Problem(413, "The body is longer than the " + std::to_string(stream.limit) + " bytes allowed here"));
  }
  // What one connection makes us keep is no more than what one request may, however many it sends at once.
  if (in_bodies_ + bytes.size() > std::max<std::uint64_t>(stream.limit, kConnectionWindow)) {
    return reset(stream.id, NGHTTP2_REFUSED_STREAM);
  }
  if (body.empty()) body.reserve(std::min<std::uint64_t>(announced, kConnectionWindow));
  body.append(bytes);
  in_bodies_ += bytes.size();
}

// A request is there as a whole.
void Http2::Session::complete(const StreamPtr& stream) {
  stream->is_complete = true;
  if (stream->is_answered) return;
  stream->deadline = Ticks::max();
  Request& request = stream->request.request;
  in_bodies_ -= request.body.size();
  try {
    take_off_coding(request, stream->limit);
  } catch (const Problem& problem) {
    return refuse(*stream, problem);
  }
  if (std::optional<Response> response = answer_at_once(context_.handler, request)) {
    if (request.body.empty()) context_.memo.keep(stream->head, *response, request.method != Method::kHead);
    return respond(*stream, *std::move(response));
  }
  spawn(answer_later(stream));
}

Task<void> Http2::Session::answer_later(StreamPtr stream) {
  Response response = co_await answer(context_.handler, stream->request.request);
  if (stream->is_closed) co_return;
  const Request& request = stream->request.request;
  if (request.body.empty()) context_.memo.keep(stream->head, response, request.method != Method::kHead);
  respond(*stream, std::move(response));
  pump();
}

void Http2::Session::refuse(Stream& stream, const Problem& problem) {
  context_.metrics.refused.add();
  if (!stream.is_complete) in_bodies_ -= stream.request.request.body.size();
  respond(stream, reply_to(problem, stream.request.request));
}

void Http2::Session::respond(Stream& stream, Response response) {
  std::string head;
  append_head_before_date(head, response);
  head += context_.date_line;
  append_head_after_date(head, response, {});
  ++context_.answered;
  stream.is_answered = true;
  stream.request.request.body = std::string();
  stream.response = std::move(response);
  const bool is_head = stream.request.request.method == Method::kHead;
  const bool has_data = !is_head && (stream.response.body || stream.response.more);
  if (has_data) {
    stream.missing = stream.response.content_length.value_or(0);
    stream.piece = stream.response.body;
    stream.has_ended = !stream.response.more;
    if (stream.piece && stream.response.more) stream.take_piece(stream.response.body);
  }
  submit(stream, head, has_data);
}

void Http2::Session::submit(Stream& stream, std::string_view head, bool has_data) {
  const Http2ResponseHead fields(head);
  stream.deadline = has_data ? context_.now + context_.options.write_timeout : Ticks::max();
  nghttp2_data_provider provider{};
  provider.read_callback = give_data;
  nghttp2_submit_response(session_.get(), stream.id, fields.fields().data(), fields.fields().size(),
                          has_data ? &provider : nullptr);
}

ssize_t Http2::Session::give_data(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                                  std::uint32_t* flags, nghttp2_data_source*, void* user) {
  Session& self = of(user);
  const StreamPtr stream = self.find(id);
  if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::size_t left = stream->piece ? stream->piece->size() - stream->sent : 0;
  const std::size_t count = std::min(left, room);
  if (count > 0) std::memcpy(into, stream->piece->data() + stream->sent, count);
  stream->sent += count;
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
Task<void> Http2::Session::fetch(StreamPtr stream) {
  Bytes piece;
  bool has_failed = false;
  try {
    if (!(context_.stopping && is_stream(stream->response))) piece = co_await stream->response.more();
  } catch (const std::exception&) {
    has_failed = true;  // such as a database that went away
  }
  stream->is_fetching = false;
  if (stream->is_closed) co_return;
  if (has_failed || !stream->take_piece(std::move(piece))) {
    reset(stream->id, NGHTTP2_INTERNAL_ERROR);
  } else {
    nghttp2_session_resume_data(session_.get(), stream->id);
  }
  pump();
}

void Http2::Session::reset(std::int32_t id, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, code);
}

void Http2::Session::note_idle_frame() {
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(context_.now - idle_frames_since_).count();
  if (passed >= 1000) {
    const auto earned = std::min<std::int64_t>(passed * kIdleFramesPerSecond / 1000, kIdleFrameBurst);
    idle_frames_left_ = std::min<int>(kIdleFrameBurst, idle_frames_left_ + static_cast<int>(earned));
    idle_frames_since_ = context_.now;
  }
  if (--idle_frames_left_ >= 0 || is_over_) return;
  is_over_ = true;
  context_.metrics.http2_abuses.add();
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

// What the connection waits for, as far as time is concerned; while the peer has to read, it is that.
void Http2::Session::settle() {
  if (is_writing_) return;
  if (context_.stopping && streams_.empty()) {  // all that was there is answered
    is_over_ = true;
    peer_.transport().cancel();
  }
  Peer::Phase phase = streams_.empty() ? Peer::Phase::kIdle : Peer::Phase::kAnswer;
  if (headers_of_ != 0) phase = Peer::Phase::kHead;
  if (phase != peer_.phase() || phase == Peer::Phase::kIdle) peer_.enter(phase);
}

// Everything that can be sent, as far as the peer takes it.
void Http2::Session::pump() {
  if (is_writing_) return;
  std::string& out = peer_.out();
  for (;;) {
    const std::uint8_t* bytes = nullptr;
    ssize_t count = 0;
    while (out.size() < kFlushAbove && (count = nghttp2_session_mem_send(session_.get(), &bytes)) > 0) {
      out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    }
    if (peer_.is_written()) return settle();
    switch (peer_.send_at_once()) {
      case Peer::Sending::kDone:
        break;
      case Peer::Sending::kBlocked:
        is_writing_ = true;
        peer_.enter(Peer::Phase::kWrite);
        return spawn(write_rest());
      case Peer::Sending::kGone:
        is_over_ = true;
        return peer_.close();
    }
  }
}

Task<void> Http2::Session::write_rest() {
  const bool written = co_await peer_.flush();
  is_writing_ = false;
  if (!written) {
    is_over_ = true;
    peer_.close();
    co_return;
  }
  settle();
  pump();
}

void Http2::Session::check_deadlines() {
  bool has_acted = false;
  for (auto it = streams_.begin(); it != streams_.end();) {
    const StreamPtr stream = (it++)->second;
    if (context_.now < stream->deadline) continue;
    stream->deadline = Ticks::max();
    context_.metrics.timeouts.add();
    has_acted = true;
    if (stream->is_answered) {
      reset(stream->id, NGHTTP2_CANCEL);  // it gives us no window: readers that stop
    } else {
      refuse(*stream, Problem(408, "The request's body took too long to arrive"));
    }
  }
  if (has_acted) pump();
}

void Http2::Session::finish() {
  if (is_over_) return;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  pump();
}

Http2::Http2(Peer& peer, ConnectionContext& context) : session_(std::make_unique<Session>(peer, context)) {}
Http2::~Http2() = default;

Task<void> Http2::serve() {
  co_await session_->serve();
}

void Http2::check_deadlines() {
  session_->check_deadlines();
}

void Http2::finish() {
  session_->finish();
}

}  // namespace courant::http
