#include "http/http2.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace courant::http {
namespace {

namespace asio = boost::asio;

// Rapid resets, also those that a client has us send, floods of PING and SETTINGS, empty frames: what asks for nothing
// may come in bursts, not for long.
constexpr int kIdleFrameBurst = 500;
constexpr int kIdleFramesPerSecond = 100;
constexpr std::size_t kMostUnsent = 2000;  // frames that wait for a peer that does not read: a burst and all streams
constexpr std::size_t kMostTimesUnpacked = 4;  // of what headers may have, before a block of them is a bomb

constexpr auto kLastRequests = std::chrono::seconds(1);  // for requests that were sent before a GOAWAY arrived

// Whether a reset answers what a peer has done wrong on the stream. By NO_ERROR, REFUSED_STREAM, CANCEL and
// INTERNAL_ERROR we end what was right, and those have bounds of their own.
bool is_fault_of_peer(std::uint32_t code) {
  return code == NGHTTP2_PROTOCOL_ERROR || code == NGHTTP2_FLOW_CONTROL_ERROR || code == NGHTTP2_STREAM_CLOSED ||
         code == NGHTTP2_FRAME_SIZE_ERROR || code == NGHTTP2_COMPRESSION_ERROR;
}

}  // namespace

Http2::Http2(Peer& peer, ConnectionContext& context)
    : peer_(peer),
      context_(context),
      idle_frames_left_(kIdleFrameBurst),
      idle_frames_since_(context.now),
      last_data_(context.now) {
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

Task<void> Http2::serve() {
  executor_ = co_await asio::this_coro::executor;
  peer_.enter(Peer::Phase::kHead);
  if (context_.leaving) leave();
  bool goes_on = true;
  while (goes_on) {
    std::string& in = peer_.in();
    const ssize_t used =
        nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const std::uint8_t*>(in.data()), in.size());
    in.clear();  // it takes all of it, or the connection is over
    if (nghttp2_session_get_outbound_queue_size(session_.get()) > kMostUnsent) end_abuse();
    if (used < 0 && !is_over_) nghttp2_session_terminate_session(session_.get(), NGHTTP2_PROTOCOL_ERROR);
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
    --context_.tally.streams;
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
void Http2::spawn(Task<void> work) {
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

int Http2::on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
  if (head->type != NGHTTP2_CONTINUATION) of(user).headers_of_ = 0;
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

int Http2::on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Http2& self = of(user);
  self.headers_of_ = frame->hd.stream_id;
  self.header_bytes_ = 0;
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  auto stream = std::make_shared<Stream>();
  stream->id = frame->hd.stream_id;
  self.streams_.emplace(stream->id, std::move(stream));
  ++self.context_.tally.streams;
  return 0;
}

int Http2::on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_length,
                     const std::uint8_t* value, std::size_t value_length, std::uint8_t, void* user) {
  Http2& self = of(user);
  const StreamPtr stream = self.find(frame->hd.stream_id);
  // A small block may unpack to very much, which costs time though nothing of it is kept.
  self.header_bytes_ += name_length + value_length;
  if (self.header_bytes_ > kMostTimesUnpacked * self.context_.options.max_header_bytes) {
    self.end_abuse();
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  // Trailers tell us nothing. Of a header bomb nothing is kept beyond the limit, which then tells what it was.
  if (!stream || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  if (stream->fields.size() > self.context_.options.max_header_bytes) return 0;
  stream->fields.add({reinterpret_cast<const char*>(name), name_length},
                     {reinterpret_cast<const char*>(value), value_length});
  return 0;
}

int Http2::on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Http2& self = of(user);
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

int Http2::on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t count,
                   void* user) {
  if (const StreamPtr stream = of(user).find(id)) {
    of(user).take_data(*stream, {reinterpret_cast<const char*>(bytes), count});
  }
  return 0;
}

int Http2::on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type == NGHTTP2_RST_STREAM && is_fault_of_peer(frame->rst_stream.error_code)) {
    of(user).note_idle_frame();
    return 0;
  }
  // An answer that is complete before its request is: the rest is not wanted (RFC 9113 section 8.1).
  const bool is_answer = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!is_answer || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const StreamPtr stream = of(user).find(frame->hd.stream_id);
  if (stream && !stream->is_complete) of(user).reset(stream->id, NGHTTP2_NO_ERROR);
  return 0;
}

int Http2::on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
  Http2& self = of(user);
  if (self.headers_of_ == id) self.headers_of_ = 0;  // its header block was malformed
  const auto found = self.streams_.find(id);
  if (found == self.streams_.end()) return 0;
  Stream& stream = *found->second;
  // The body of a complete request is kept by whoever works for it.
  if (!stream.is_complete) self.release(stream);
  stream.close();
  self.streams_.erase(found);
  --self.context_.tally.streams;
  return 0;
}

Http2::StreamPtr Http2::find(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

void Http2::reset(std::int32_t id, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, code);
}

void Http2::note_idle_frame() {
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(context_.now - idle_frames_since_).count();
  if (passed >= 1000) {
    const auto earned = std::min<std::int64_t>(passed * kIdleFramesPerSecond / 1000, kIdleFrameBurst);
    idle_frames_left_ = std::min<int>(kIdleFrameBurst, idle_frames_left_ + static_cast<int>(earned));
    idle_frames_since_ = context_.now;
  }
  if (--idle_frames_left_ < 0) end_abuse();
}

void Http2::end_abuse() {
  if (std::exchange(is_over_, true)) return;
  context_.metrics.hit(Limit::kHttp2Flood).add();
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

// What the connection waits for, as far as time is concerned; while the peer has to read, it is that.
void Http2::settle() {
  if (is_writing_) return;
  Peer::Phase phase = streams_.empty() ? Peer::Phase::kIdle : Peer::Phase::kAnswer;
  if (headers_of_ != 0) phase = Peer::Phase::kHead;
  // A header block has its time once, however many of its frames arrive; an idle connection anew with each frame.
  const bool is_new = phase != peer_.phase() || phase == Peer::Phase::kIdle || headers_of_ != timed_headers_of_;
  timed_headers_of_ = headers_of_;
  if (is_new) peer_.enter(phase);
  if (!(context_.stopping || is_ending_) || !streams_.empty() || is_over_) return;
  is_over_ = true;
  peer_.transport().cancel();  // of the reading
}

// Everything that can be sent, as far as the peer takes it.
void Http2::pump() {
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

Task<void> Http2::write_rest() {
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

// Whether its answer stands still since the peer opens no window, not since others are sent before it.
bool Http2::is_held_up(const Stream& stream) const {
  if (is_writing_) return false;  // that has a deadline of its own
  if (nghttp2_session_get_stream_remote_window_size(session_.get(), stream.id) <= 0) return true;
  return nghttp2_session_get_remote_window_size(session_.get()) <= 0 &&
         context_.now - last_data_ >= context_.options.write_timeout;
}

void Http2::check_deadlines() {
  if (context_.now >= gone_at_ && streams_.empty() && !is_over_) {
    gone_at_ = Ticks::max();
    is_ending_ = true;
    finish();
  }
  bool has_acted = false;
  for (auto it = streams_.begin(); it != streams_.end();) {
    const StreamPtr stream = (it++)->second;
    if (context_.now < stream->deadline) continue;
    if (stream->is_answered && !is_held_up(*stream)) {
      stream->deadline = context_.now + context_.options.write_timeout;
      continue;
    }
    stream->deadline = Ticks::max();
    context_.metrics.hit(stream->is_answered ? Limit::kStoppedReader : Limit::kSlowBody).add();
    has_acted = true;
    if (stream->is_answered) {
      reset(stream->id, NGHTTP2_CANCEL);  // readers that stop
    } else {
      refuse(*stream, Problem(408, "The request's body took too long to arrive"));
    }
  }
  if (has_acted) pump();
}

void Http2::leave() {
  if (is_over_) return;
  gone_at_ = context_.now + kLastRequests;
  nghttp2_submit_shutdown_notice(session_.get());
  pump();
}

void Http2::finish() {
  if (is_over_) return;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  pump();
}

}  // namespace courant::http
