// The other end of a connection, as either version of HTTP sees it: bytes that it sent and nobody has used yet, bytes
// that were composed for it and are not sent yet, and how long it may take.
// Threads: its io thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include "http/connection_context.h"
#include "http/message.h"
#include "http/task.h"
#include "http/transport.h"
#include "kernel/time.h"

namespace courant::http {

inline constexpr std::size_t kFlushAbove = 64 * 1024;  // answers are gathered up to this

class Peer : public Presence {
 public:
  // What is waited for: the next request, the rest of its head, the rest of its body, its answer, that the peer reads,
  // or that it has read the last answer.
  enum class Phase { kIdle, kHead, kBody, kAnswer, kWrite, kEnd };

  Peer(boost::asio::ip::tcp::socket socket, SslPtr tls, ConnectionContext& context);
  ~Peer() override;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const std::string& address() const { return address_; }  // textual, without port
  Transport& transport() { return transport_; }

  // The phase's time begins anew.
  void enter(Phase phase);
  Phase phase() const { return phase_; }
  // Called by the sweep: counts the traffic, and ends what waits for the peer longer than it may.
  void check_deadline();
  // Whether a wait has ended because its time was up; asked once.
  bool take_expiry() { return std::exchange(expired_, false); }

  // Who watches keeps the client waiting for long: room for bytes is given back.
  void watch(std::function<void()> gone) override;
  void unwatch() override { transport_.unwatch(); }

  std::string& in() { return in_; }
  // At least one byte more of it. False: the peer has ended, or its time is up.
  Task<bool> read_more();

  std::string& out() { return out_; }
  // Behind what is in out(), and nothing may be put into out() until it is written. A short one is copied there.
  void put_body(Bytes body);
  bool has_body() const { return body_ != nullptr; }
  bool is_written() const { return out_.empty() && !body_ && !transport_.has_unsent(); }

  enum class Sending { kDone, kBlocked, kGone };
  // What is composed, in one write as far as the peer takes it at once.
  Sending send_at_once();
  // All of it. False: the peer is gone or too slow.
  Task<bool> flush();

  // A close with unread bytes would reset the connection and take with it what the peer has not got of the last answer
  // (RFC 9112 section 9.6): the peer sees the end, and what it sends is thrown away until it ends, too, within limits.
  Task<void> linger();
  // The same for a connection at rest, where anything is on its way.
  Task<void> end_at_rest();
  void end();    // in order: the peer sees that nothing was cut off
  void close();  // at once
  bool is_open() const { return transport_.is_open(); }

  RequestId next_request() { return {number_, ++requests_}; }

  // Whether somebody has kept the client waiting since this was asked last.
  bool take_kept_waiting() { return std::exchange(was_kept_waiting_, false); }

 private:
  void note_traffic();
  void note_taken();
  Counter* limit_of_phase();

  Transport transport_;
  ConnectionContext& context_;
  const std::string address_;
  std::string in_;
  std::string out_;
  Bytes body_;
  std::size_t body_sent_ = 0;
  Phase phase_ = Phase::kIdle;
  Ticks deadline_;
  std::size_t unacknowledged_ = 0;  // of what was sent, when the end was looked at last
  bool expired_ = false;
  bool was_kept_waiting_ = false;
  const std::uint64_t number_;  // of all connections of the process
  std::uint64_t requests_ = 0;
  std::uint64_t noted_sent_ = 0;  // what the tally knows of
  std::uint64_t noted_received_ = 0;
};

}  // namespace courant::http
