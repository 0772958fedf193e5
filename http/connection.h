// One accepted connection from its first byte to its last: TLS where it is due, then the version of HTTP that the
// client speaks.
// Specification: RFC 7301 (ALPN), RFC 9113 section 3.
// Threads: its io thread alone.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "http/connection_context.h"
#include "http/http2.h"
#include "http/peer.h"
#include "http/task.h"

namespace courant::http {

class Connection {
 public:
  Connection(boost::asio::ip::tcp::socket socket, SslPtr tls, ConnectionContext& context);
  ~Connection();

  // Serves until the connection ends. Never throws.
  Task<void> serve();

  // Called by the sweep: ends what waits for the peer longer than it may.
  void check_deadlines();

  // The server stops: an idle connection ends now, a busy one after its answer.
  // It goes on until its next answer, which tells the client to go elsewhere.
  void leave();
  void finish();
  void close() { peer_.close(); }

 private:
  Task<bool> shake_hands();
  Task<bool> speaks_http2();

  const bool is_tls_;
  Peer peer_;
  ConnectionContext& context_;
  std::unique_ptr<Http2> http2_;  // null: HTTP/1.1
};

}  // namespace courant::http
