// HTTP/2 on a connection: any number of requests at once, each answered when its answer is there. nghttp2 reads and
// writes the frames; a request's head is handed on as the bytes that HTTP/1.1 would have sent, so that one reader, one
// set of rules and one memory of answers serve both versions.
// Specification: RFC 9113, RFC 7541. What is refused, and how, stands in docs/API.md ("HTTP itself").
// Threads: its io thread alone.
#pragma once

#include <cstdint>
#include <memory>

#include "http/connection_context.h"
#include "http/peer.h"
#include "http/task.h"

namespace courant::http {

class Http2 {
 public:
  Http2(Peer& peer, ConnectionContext& context);
  ~Http2();
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;

  // Serves until the connection is over and nothing works for it any more.
  Task<void> serve();

  // Called by the sweep: ends what waits for the peer longer than it may.
  void check_deadlines();

  // The server stops: no new requests; ends when those that are there are answered.
  void finish();

 private:
  class Session;
  std::unique_ptr<Session> session_;
};

}  // namespace courant::http
