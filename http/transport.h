// The bytes of one connection, plain or inside TLS: what is read is waited for, what is written goes at once as far as
// the peer takes it.
// Threads: its io thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "http/task.h"
#include "http/tls.h"

namespace courant::http {

class Transport {
 public:
  // tls: where set, our side of it. The handshake comes first then.
  Transport(boost::asio::ip::tcp::socket socket, SslPtr tls);
  ~Transport();

  // Of TLS; nothing to do for a plain connection. False: it failed, or the wait was cancelled.
  Task<bool> handshake();
  // What ALPN has chosen: "h2", "http/1.1"; empty: nothing.
  std::string_view protocol() const;

  // At least one byte, at most `room`, behind what is in `into`. 0: the peer has ended, or the wait was cancelled.
  Task<std::size_t> read_some(std::string& into, std::size_t room);

  // What the peer sends, unseen; as many bytes were thrown away. 0: it has ended, or the wait was cancelled. Nothing
  // can be read afterwards.
  Task<std::size_t> throw_away();
  // Whether read_some() would have something at once.
  bool has_more();

  // How many bytes of the two, one after the other, are taken for the peer: never waits. nullopt: it is gone.
  std::optional<std::size_t> send(std::string_view first, std::string_view second);
  // Whether bytes that were taken still wait for the peer: send() with nothing carries on.
  bool has_unsent() const;
  // How many bytes have left, of TLS or plain: whether a slow peer takes anything.
  std::uint64_t left() const { return left_; }
  // How many of them the peer's system has not said it has, the end among them.
  std::size_t unacknowledged();
  // How many have arrived.
  std::uint64_t received() const { return received_; }
  // Until send() may get further. False: the peer is gone, or the wait was cancelled.
  Task<bool> wait_writable();

  // Calls `gone` if the peer ends the connection before it sends anything more and before unwatch(). Nothing may be
  // read meanwhile.
  void watch(std::function<void()> gone);
  void unwatch();

  // While the connection waits for long: buffers that are empty.
  void give_room_back();

  void cancel();         // whatever is waited for
  void close_notify();   // of TLS: nothing is sent after it
  void shutdown_send();  // the peer sees the end
  void close();
  bool is_open() const { return socket_.is_open(); }
  // Whether the system has given it up, as what was sent did not arrive for too long.
  bool was_given_up() const { return was_given_up_; }
  std::string peer_address() const;  // textual, without port; empty: it is gone

 private:
  struct Tls;
  struct Watch;

  Task<bool> read_for_tls(std::size_t room);
  std::optional<std::size_t> send_tls(std::string_view first, std::string_view second);
  std::optional<std::size_t> send_now(std::string_view first, std::string_view second);
  bool flush_tls();
  void await_end();
  std::optional<bool> has_ended();
  std::optional<bool> has_tls_ended();

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<Tls> tls_;  // null: plain
  std::shared_ptr<Watch> watch_;
  bool was_given_up_ = false;
  std::uint64_t left_ = 0;
  std::uint64_t received_ = 0;
  // The peer has ended, or is lost. Asio's reactor tells that once: another read would wait in vain.
  bool is_at_end_ = false;
};

}  // namespace courant::http
