// One HTTP/1.1 connection on its io thread: reads requests, asks the handler, writes answers in order.
// Threads: its io thread alone.
#pragma once

#include <cstdint>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "http/answer_memo.h"
#include "http/handler.h"
#include "http/host_policy.h"
#include "http/request_head.h"
#include "http/server.h"
#include "http/task.h"
#include "http/transport.h"
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
  AnswerMemo memo = {};
  std::uint64_t answered = 0;  // requests that the metrics do not know of yet
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
  void answer_known();
  bool is_written() const { return out_.empty() && !body_; }
  enum class Sending { kDone, kBlocked, kGone };
  Sending send_at_once();
  Task<bool> flush();      // false: the peer is gone or too slow
  Task<bool> read_more();  // the same
  Task<bool> read_on();
  Task<bool> write_rest(Response& response);
  Task<bool> write_stream(Response& response, bool is_chunked);
  Task<bool> serve_one(std::size_t head_length);
  void put_body(Bytes body);
  void compose(const Response& response, const Request& request, const Framing& framing, bool keep_alive);
  Task<bool> read_body(const RequestHead& head, std::uint64_t limit, Request& request);
  Task<bool> refuse(Problem problem, Request request);
  Task<void> linger();
  Response answer_to_failure(std::exception_ptr failure, const Request& request) const;

  Transport transport_;
  ConnectionContext& context_;
  const std::string client_address_;
  std::string in_;   // read and not yet used
  std::string out_;  // composed and not yet written
  Bytes body_;       // to be written behind it
  std::size_t body_sent_ = 0;
  Phase phase_ = Phase::kIdle;
  Ticks deadline_;
  bool expired_ = false;
};

}  // namespace courant::http
