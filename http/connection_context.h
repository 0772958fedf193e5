// What an io thread's connections share.
// Threads: the io thread's own, but for what the metrics guard themselves.
#pragma once

#include <cstdint>
#include <string>

#include "http/answer_memo.h"
#include "http/handler.h"
#include "http/host_policy.h"
#include "http/server.h"
#include "kernel/metrics.h"
#include "kernel/time.h"

namespace courant::http {

struct ServerMetrics {
  explicit ServerMetrics(Metrics& metrics);
  Gauge& connections;
  Counter& requests;
  Counter& refused;         // answered 4xx and closed before a handler was asked
  Counter& timeouts;        // slow headers, slow bodies, readers that stop
  Counter& turned_away;     // connections beyond max_connections
  Counter& accept_faults;   // such as no descriptor being left
  Counter& tls_handshakes;  // complete ones
  Counter& tls_faults;      // handshakes that failed or took too long
  Counter& http2_abuses;    // HTTP/2 connections ended for what only attackers do
};

// The clock is coarse: it is read by the sweep, not by every request.
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

}  // namespace courant::http
