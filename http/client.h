// The client for requests that strangers make us send: bounded in time, bytes and number, and led nowhere that the
// address guard forbids. Redirects are answers, never followed; proxies, credentials and cookies of the environment
// are not used; TLS is verified; an answer's body is never inflated.
// Specification: RFC 9110, 9112, 9113.
// Threads: any may call; the answers come on the client's own threads, those of one host all on the same, or on the
// loop of carry_plain_on().
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "http/address_guard.h"
#include "http/message.h"
#include "kernel/metrics.h"

namespace courant::http {

struct ClientRequest {
  std::string method = "GET";  // or "POST"
  std::string url;
  std::vector<std::pair<std::string_view, std::string>> headers = {};  // names stay where they are: they are literals
  Bytes body = {};                                                     // of a POST; null: none
  std::chrono::milliseconds deadline{
      10'000};  // in all, from the lookup to the last byte; waiting before is not counted
  // Of the answer's body that are kept. Reading stops there; the request counts as answered.
  std::size_t max_body = 4096;
  // Asked before each connection is opened, once the guard lets the address pass, on a thread of the client: false is
  // "not now". A request that has it takes no connection that is open already, and leaves none open, so each is asked
  // about. Behind a proxy it is not asked. Null: always yes.
  std::function<bool(const Address&)> admits = nullptr;
};

struct ClientReply {
  enum class Outcome {
    kAnswered,   // with `status`, whatever it is
    kForbidden,  // by the guard: nothing was sent
    kHeldBack,   // by the request's `admits`: nothing was sent
    kResolve,    // the name has no address
    kConnect,    // no connection
    kTls,        // no trusted connection
    kTimeout,    // the deadline passed
    kBroken,     // the peer broke off or does not speak HTTP, or the request cannot be sent
    kStopped,    // the client ended first
  };

  Outcome outcome = Outcome::kBroken;
  int status = 0;  // 0 unless kAnswered
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body;
  std::string redirect_url;    // of a redirect: where it leads, absolute; not judged by the guard
  bool is_cut = false;         // the body went on after max_body
  bool was_connected = false;  // a connection (with TLS, where asked for) stood: what failed then is not the host
  std::string detail;          // what went wrong, for logs: without path, query and credentials
  std::chrono::milliseconds latency{0};

  // The first field of a name, ignoring case.
  std::optional<std::string_view> header(std::string_view name) const;
};

// "answered", "forbidden", ...: for logs and metrics.
std::string_view outcome_name(ClientReply::Outcome outcome);

struct ClientOptions {
  std::shared_ptr<const AddressGuard> guard;  // required
  int niceness = 0;                           // of its threads
  int threads = 1;                            // at least 1; hosts are divided among them
  int in_flight = 512;                        // requests at once, of each thread
  int per_host = 16;                          // requests at once, of one host name
  // A proxy that all requests take, "http://proxy.example:3128"; empty: none. It looks names up, so it must itself
  // refuse what they resolve to: only literal addresses can be judged here then.
  std::string egress_proxy;
  std::string user_agent = "Courant";
  // Else http: URLs are left to connections of our own, which cost less (docs/decisions/0015-plain-http-deliveries.md).
  bool all_by_libcurl = false;
  std::string ca_file;  // PEM: the certificates that peers are verified against; empty: the system's
};

class Client {
 public:
  using Done = std::function<void(ClientReply)>;

  Client(ClientOptions options, Metrics& metrics);
  ~Client();  // stop()
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Requests that connections of our own can carry are carried on this loop from now on, and answered there: who lives
  // on it spares the way to another thread and back. Before anything is sent, once. One thread runs the loop, until
  // stop() has returned.
  void carry_plain_on(boost::asio::io_context& loop);

  // Queues a request. `done` is called exactly once, on a thread as above, where it must not block; it may send
  // again. False: 4 * in_flight requests wait for that thread, or the client was stopped; then `done` is never called.
  // Hosts take turns, so that a slow one delays only itself. Throws std::invalid_argument for another method.
  bool send(ClientRequest request, Done done);

  // Ends everything: what is in flight or waits is answered with kStopped before this returns (after it, where
  // called by a `done`). Again: does nothing.
  void stop();

 private:
  class Worker;
  const ClientOptions options_;
  Metrics& metrics_;
  std::vector<std::unique_ptr<Worker>> workers_;  // those with a thread of their own, then that on the loop
  Worker* on_loop_ = nullptr;                     // null: no loop was given
};

}  // namespace courant::http
