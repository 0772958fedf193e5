// One HTTP/1.1 connection on its io thread: reads requests, asks the handler, writes answers in order.
// Threads: its io thread alone.
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "http/handler.h"
#include "http/host_policy.h"
#include "http/request_head.h"
#include "http/server.h"
#include "http/task.h"
#include "kernel/metrics.h"
#include "kernel/time.h"

namespace courant::http {

struct ServerMetrics {
  explicit ServerMetrics(Metrics& metrics);
  Gauge& connections;
  Counter& requests;
  Counter& refused;   // answered 4xx and closed before a handler was asked
  Counter& timeouts;  // slow headers, slow bodies, readers that stop
};

// What an io thread's connections share. The clock is coarse: it is read by the sweep, not by every request.
struct ConnectionContext {
  const ServerOptions& options;
  Handler& handler;
  const HostPolicy& hosts;
  ServerMetrics& metrics;
  Ticks now;
  std::string date_line;
  bool stopping = false;
};

class Connection {
 public:
  Connection(boost::asio::ip::tcp::socket socket, ConnectionContext& context);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves until the connection ends. Never throws.
  Task<void> serve();

  // Called by the sweep: ends what waits for the peer longer than it may.
  void check_deadline();

  // The server stops: an idle connection ends now, a busy one after its answer.
  void finish();
  void close();

 private:
  enum class Phase { kIdle, kHead, kBody, kAnswer, kWrite };

  void enter(Phase phase);
  Task<bool> read_more();        // false: the peer is gone or too slow
  Task<bool> flush(Bytes body);  // what is composed, then body where it is not null
  Task<bool> flush_composed();
  Task<bool> write_rest(Response& response);
  Task<bool> serve_one();
  Task<bool> read_body(const RequestHead& head, std::uint64_t limit, Request& request);
  Task<bool> refuse(Problem problem, Request request);
  Response answer_to_failure(std::exception_ptr failure, const Request& request) const;

  boost::asio::ip::tcp::socket socket_;
  ConnectionContext& context_;
  const std::string client_address_;
  std::string in_;   // read and not yet used
  std::string out_;  // composed and not yet written
  Phase phase_ = Phase::kIdle;
  Ticks deadline_;
  bool expired_ = false;
};

}  // namespace courant::http
