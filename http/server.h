// The public server of HTTP/1.1 and HTTP/2, plain and over TLS: Asio coroutines, one io_context per thread, each with
// its own listening sockets (SO_REUSEPORT), so that connections never move between threads. Specification: RFC 9110,
// RFC 9112, RFC 9113. What is refused, and how, stands in docs/API.md ("HTTP itself"). Threads: start and stop from one
// thread; the handler runs on the io threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/handler.h"
#include "http/tls.h"
#include "kernel/metrics.h"
#include "kernel/result.h"

namespace courant::http {

// A socket that listens, by the address that was configured for it and what is spoken there: plain and over TLS, one
// address may be two where the system chooses the port.
struct ListeningSocket {
  std::string address;
  bool is_tls = false;
  int file = -1;  // its descriptor
};

struct ServerOptions {
  std::vector<std::string> listen = {"127.0.0.1:8080"};  // address:port; port 0 lets the system choose
  std::vector<std::string> listen_tls;                   // the same, for TLS
  std::vector<ListeningSocket> inherited;  // from a predecessor; each thread takes its part; closed if unused
  bool shares_addresses = false;           // other processes may serve on them too
  int threads = 0;                         // 0: one per core
  std::string public_url;                  // its host is one that requests may name
  std::vector<std::string> hosts;          // further Host names that are ours

  // Limits, each named after what it stops.
  std::uint32_t max_header_bytes = 32 * 1024;  // header bombs: request line and fields together; more is 431 / 414
  std::uint32_t max_connections = 10'000;      // connection floods: per process; more are closed at once
  std::chrono::milliseconds header_timeout{10'000};  // slow headers (from the first byte): 408
  std::chrono::milliseconds body_timeout{30'000};    // slow bodies: 408
  std::chrono::milliseconds idle_timeout{75'000};    // idle keep-alive connections: closed
  std::chrono::milliseconds write_timeout{30'000};   // readers that stop reading: dropped
  std::chrono::milliseconds drain{10'000};           // longest wait for requests in progress when stopping

  // Requests in the log. Those that fail with 5xx always are. kAll: no answer is given again without parsing then.
  enum class Logged { kNone, kErrors, kAll };
  Logged logged = Logged::kNone;         // kErrors: those with 4xx, too
  std::chrono::milliseconds slow{1000};  // requests that take so long are logged; 0: none
  std::string secret_below;              // what stands below this path is in no log; empty: none is secret
};

// Why nothing can be served on the address: it is none, or somebody is there.
std::optional<Fault> fault_of_address(const std::string& listen);

class Server {
 public:
  // handler, metrics and tls must outlive the server; tls is there where listen_tls names anything.
  Server(ServerOptions options, Handler& handler, Metrics& metrics, const TlsContext* tls = nullptr);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and starts the threads. A fault names the address and the reason ("cannot listen on 127.0.0.1:80: ...").
  Result<bool> start();

  // The ports in the order of options.listen and then of options.listen_tls; after start.
  std::vector<std::uint16_t> ports() const;

  // Other names, limits and timeouts, for requests that begin from now on. Addresses, threads and public_url stay. From
  // the thread that starts and stops.
  void change(const ServerOptions& options);

  // What it listens on; after start, until it begins to stop or leave.
  std::vector<ListeningSocket> listening() const;

  // A successor has the listening sockets: accepts nothing more, and goes on to answer whoever is connected; each is
  // told with the next answer that the connection ends. stop() follows.
  void begin_leave();
  // Whether nobody is connected any more.
  bool is_deserted() const;

  // Accepts nothing more, begins no request, ends idle connections: whoever is answered from now on is told that the
  // connection ends.
  void begin_stop();

  // The same, then answers what is in progress, waits at most `drain`, then closes everything.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::http
