#include "http/connection.h"

#include <string_view>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "http/http1.h"
#include "kernel/at_end.h"
#include "kernel/log.h"

namespace courant::http {
namespace {

constexpr std::string_view kPreface = NGHTTP2_CLIENT_MAGIC;  // RFC 9113 section 3.4

constexpr std::array<const char*, kLimits> kLimitNames = {"header_bomb", "large_body",     "slow_header",
                                                          "slow_body",   "stopped_reader", "connection_flood",
                                                          "http2_flood", "rapid_reset"};

}  // namespace

ServerMetrics::ServerMetrics(Metrics& metrics)
    : all(metrics),
      connections(metrics.gauge("courant_http_connections", "Open connections")),
      http2_connections(metrics.gauge("courant_http2_connections", "Open connections that speak HTTP/2")),
      refused(metrics.counter("courant_http_refused_total", "Malformed requests, answered and closed")),
      accept_faults(metrics.counter("courant_http_accept_faults_total",
                                    "Connections that could not be accepted, as when no descriptor is left")),
      tls_handshakes(metrics.counter("courant_tls_handshakes_total", "TLS handshakes completed")),
      tls_faults(metrics.counter("courant_tls_faults_total", "TLS handshakes that failed or took too long")) {
  for (std::size_t i = 0; i < kLimits; ++i) {
    limits[i] = &metrics.counter("courant_http_limits_total", "Requests and connections that met a limit",
                                 {{"limit", kLimitNames[i]}});
  }
}

Connection::Connection(boost::asio::ip::tcp::socket socket, SslPtr tls, ConnectionContext& context)
    : is_tls_(tls != nullptr), peer_(std::move(socket), std::move(tls), context), context_(context) {}

Connection::~Connection() = default;

Task<void> Connection::serve() {
  try {
    bool goes_on = true;
    if (is_tls_) goes_on = co_await shake_hands();
    if (goes_on) {
      const bool is_http2 = co_await speaks_http2();
      if (is_http2) {
        context_.metrics.http2_connections.add(1);
        const AtEnd gone{[this] { context_.metrics.http2_connections.add(-1); }};
        http2_ = std::make_unique<Http2>(peer_, context_);
        co_await http2_->serve();
      } else {
        Http1 http1(peer_, context_);
        co_await http1.serve();
      }
    }
  } catch (const std::exception& error) {
    log_error("a connection ended by an unexpected error", {{"error", error.what()}});
  }
  peer_.end();
}

Task<bool> Connection::shake_hands() {
  peer_.enter(Peer::Phase::kHead);
  const bool done = co_await peer_.transport().handshake();
  (done ? context_.metrics.tls_handshakes : context_.metrics.tls_faults).add();
  peer_.enter(Peer::Phase::kIdle);
  co_return done;
}

// By ALPN, or because it begins so (prior knowledge).
Task<bool> Connection::speaks_http2() {
  if (peer_.transport().protocol() == "h2") co_return true;
  const std::string& in = peer_.in();
  while (in.size() < kPreface.size() && kPreface.starts_with(in)) {
    if (context_.stopping && in.empty()) break;  // its handshake was not over when the stop began
    if (!in.empty() && peer_.phase() == Peer::Phase::kIdle) peer_.enter(Peer::Phase::kHead);
    const bool more = co_await peer_.read_more();
    if (!more) break;
  }
  co_return in.starts_with(kPreface);
}

void Connection::check_deadlines() {
  peer_.check_deadline();
  if (http2_) http2_->check_deadlines();
}

void Connection::leave() {
  if (http2_) http2_->leave();
}

void Connection::finish() {
  if (http2_) {
    http2_->finish();
  } else if (peer_.phase() == Peer::Phase::kIdle) {
    peer_.transport().cancel();  // its end is in order: of TLS, too
  }
}

}  // namespace courant::http
