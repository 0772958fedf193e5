// The bytes of one connection: what is read is waited for, what is written goes at once as far as the peer takes it.
// Threads: its io thread alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "http/task.h"

namespace courant::http {

class Transport {
 public:
  explicit Transport(boost::asio::ip::tcp::socket socket);

  // At least one byte into [into, into + room). 0: the peer has ended, or the wait was cancelled.
  Task<std::size_t> read_some(char* into, std::size_t room);

  // How many bytes of the two, one after the other, the peer took: never waits. nullopt: it is gone.
  std::optional<std::size_t> send(std::string_view first, std::string_view second);

  // Until send() may get further. False: the peer is gone, or the wait was cancelled.
  Task<bool> wait_writable();

  void cancel();         // whatever is waited for
  void shutdown_send();  // the peer sees the end
  void close();
  bool is_open() const { return socket_.is_open(); }
  std::string peer_address() const;  // textual, without port; empty: it is gone

 private:
  boost::asio::ip::tcp::socket socket_;
};

}  // namespace courant::http
