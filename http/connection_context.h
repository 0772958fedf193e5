// What an io thread's connections share.
// Threads: the io thread's own, but for what the metrics guard themselves.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "http/answer_memo.h"
#include "http/handler.h"
#include "http/host_policy.h"
#include "http/server.h"
#include "http/tally.h"
#include "kernel/metrics.h"
#include "kernel/time.h"

namespace courant::http {

// The limits, each named after what it stops.
enum class Limit {
  kHeaderBomb,       // request lines and headers that are too long
  kLargeBody,        // bodies that are too long, also when inflated
  kSlowHeader,       // headers and handshakes that take too long
  kSlowBody,         // bodies that take too long
  kStoppedReader,    // peers that read nothing of their answer
  kConnectionFlood,  // connections beyond max_connections
  kHttp2Flood,       // floods of resets on either side, pings, settings, empty frames; headers that unpack to very much
  kRapidReset,       // more streams begun and reset than may be worked for
};
inline constexpr std::size_t kLimits = 8;

struct ServerMetrics {
  explicit ServerMetrics(Metrics& metrics);
  Counter& hit(Limit limit) { return *limits[static_cast<std::size_t>(limit)]; }

  Metrics& all;
  Gauge& connections;
  Gauge& http2_connections;
  Counter& refused;         // answered 4xx and closed before a handler was asked
  Counter& accept_faults;   // such as no descriptor being left
  Counter& tls_handshakes;  // complete ones
  Counter& tls_faults;      // handshakes that failed or took too long
  std::array<Counter*, kLimits> limits;
};

// The clock is coarse: it is read by the sweep, not by every request.
struct ConnectionContext {
  ServerOptions options;
  Handler& handler;
  HostPolicy hosts;
  ServerMetrics& metrics;
  Ticks now;
  std::string date_line;
  bool stopping = false;
  bool leaving = false;  // a successor serves: each connection is answered once more and told that it ends
  Tally tally{metrics.all};
  AnswerMemo memo = {};
  std::uint64_t connection = 0;  // the last one's number
  std::uint64_t threads = 1;     // the step from one number to the next: each thread has its own

  std::uint64_t next_connection() { return connection += threads; }
};

}  // namespace courant::http
