// HTTP/2 on a connection: any number of requests at once, each answered when its answer is there. nghttp2 reads and
// writes the frames; a request's head is handed on as the bytes that HTTP/1.1 would have sent, so that one reader, one
// set of rules and one memory of answers serve both versions.
// Specification: RFC 9113, RFC 7541. What is refused, and how, stands in docs/API.md ("HTTP itself").
// Threads: its io thread alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nghttp2/nghttp2.h>

#include "http/connection_context.h"
#include "http/http2_head.h"
#include "http/peer.h"
#include "http/request_head.h"
#include "http/task.h"
#include "kernel/problem.h"

namespace courant::http {

struct Http2SessionDeleter {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};

class Http2 {
 public:
  Http2(Peer& peer, ConnectionContext& context);
  ~Http2() = default;
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;

  // Serves until the connection is over and nothing works for it any more.
  Task<void> serve();

  // Called by the sweep: ends what waits for the peer longer than it may.
  void check_deadlines();

  // The server stops: no new requests; ends when those that are there are answered.
  // No new connection is needed for what the client has asked for, but for what it asks for next (RFC 9113
  // section 6.8).
  void leave();
  void finish();

 private:
  static constexpr std::uint32_t kMostStreams = 100;
  static constexpr std::int32_t kStreamWindow = 256 * 1024;
  static constexpr std::int32_t kConnectionWindow = 1 << 20;

  // One request and its answer. The coroutines that work on it keep it, also when the peer has reset it.
  struct Stream : Presence {
    std::int32_t id = 0;
    Http2RequestHead fields;
    std::string head;
    RequestHead request;  // its views point into head
    std::uint64_t limit = 0;
    std::size_t held = 0;           // bytes of its body, in the connection's sum
    Ticks deadline = Ticks::max();  // of its request's body, or of the peer's taking anything of the answer
    bool is_answered = false;       // the rest of its body is not wanted
    bool is_complete = false;       // its request
    bool is_closed = false;
    Response response;         // while it is being sent
    Bytes piece;               // of its body, that is being sent
    std::size_t sent = 0;      // of the piece
    std::uint64_t left = 0;    // of an announced length, in further pieces
    bool has_ended = false;    // there are no further pieces
    bool is_fetching = false;  // the next piece
    bool is_admitted = false;  // somebody was asked for an answer
    bool was_kept_waiting = false;
    Ticks arrived{};             // as a whole
    std::function<void()> gone;  // null: nobody asks

    void watch(std::function<void()> call) override {
      was_kept_waiting = true;
      if (is_closed) return call();
      gone = std::move(call);
    }
    void unwatch() override { gone = nullptr; }
    void close() {
      is_closed = true;
      if (gone) std::exchange(gone, nullptr)();
    }
  };
  using StreamPtr = std::shared_ptr<Stream>;

  // What nghttp2 tells.
  static Http2& of(void* user) { return *static_cast<Http2*>(user); }
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
  Task<void> unpack(StreamPtr stream);  // a body that came packed, then answers
  void answer(const StreamPtr& stream);
  Task<void> answer_later(StreamPtr stream);
  Task<void> fetch(StreamPtr stream);
  void reset(std::int32_t id, std::uint32_t code);
  void note_idle_frame();
  void end_abuse();
  void release(Stream& stream);
  bool is_held_up(const Stream& stream) const;
  void settle();
  void pump();
  Task<void> write_rest();

  Peer& peer_;
  ConnectionContext& context_;
  Ticks gone_at_ = Ticks::max();  // when a client that was told to go elsewhere has had the time to hear of it
  bool is_ending_ = false;        // no more streams are begun
  std::unique_ptr<nghttp2_session, Http2SessionDeleter> session_;
  std::map<std::int32_t, StreamPtr> streams_;
  boost::asio::any_io_executor executor_;
  std::unique_ptr<boost::asio::steady_timer> all_done_;  // cancelled when nothing works any more
  std::size_t working_ = 0;                              // coroutines
  std::size_t in_bodies_ = 0;                            // bytes of bodies that are kept
  std::uint64_t most_in_bodies_ = 0;                     // as many as one of these requests may have
  std::size_t header_bytes_ = 0;                         // of the header block that is being read
  std::int32_t headers_of_ = 0;                          // the stream whose header block has begun; 0: none
  std::int32_t timed_headers_of_ = 0;                    // that whose time runs
  int idle_frames_left_;                                 // that may come before they are a flood
  Ticks idle_frames_since_;
  Ticks last_data_;          // was taken by the peer
  bool is_writing_ = false;  // a coroutine waits for the peer to read
  bool is_over_ = false;
};

}  // namespace courant::http
