// HTTP/1.1 (and 1.0) on a connection: reads requests, asks the handler, writes answers in order.
// Specification: RFC 9110, RFC 9112.
// Threads: its io thread alone.
#pragma once

#include <string>
#include <string_view>

#include "http/connection_context.h"
#include "http/peer.h"
#include "http/request_head.h"
#include "http/task.h"
#include "kernel/problem.h"

namespace courant::http {

class Http1 {
 public:
  Http1(Peer& peer, ConnectionContext& context) : peer_(peer), context_(context) {}

  // Serves until the connection is over: nothing more is to be written then.
  Task<void> serve();

 private:
  void answer_known();
  Task<bool> read_on();
  Task<bool> serve_one(std::size_t head_length);
  Task<bool> read_body(const RequestHead& head, std::uint64_t limit, Request& request);
  void compose(const Response& response, const Request& request, const Framing& framing, bool keep_alive);
  Task<bool> write_rest(Response& response);
  Task<bool> write_stream(Response& response, bool is_chunked);
  Task<void> refuse(const Problem& problem, const Request& request, std::string_view route);

  Peer& peer_;
  ConnectionContext& context_;
};

}  // namespace courant::http
