#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <list>
#include <thread>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <netinet/tcp.h>
#include <sched.h>
#include <unistd.h>

#include "http/connection.h"
#include "kernel/log.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
using namespace std::chrono_literals;

constexpr auto kSweep = 100ms;      // how exact the timeouts are
constexpr auto kOutOfFiles = 50ms;  // how long accepting rests when descriptors have run out

std::optional<tcp::endpoint> endpoint_of(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  const std::optional<std::uint64_t> port = parse_unsigned(std::string_view(listen).substr(colon + 1));
  if (error || !port || *port > 65535) return std::nullopt;
  return tcp::endpoint(address, static_cast<std::uint16_t>(*port));
}

// A socket that another process may have, too: Asio has to know that closing it here does not end its registration.
void assign(tcp::acceptor& acceptor, const tcp& protocol, int socket) {
  boost::system::error_code error;
  acceptor.assign(protocol, socket, error);
  if (!error) return;
  ::close(socket);
  throw boost::system::system_error(error);
}

tcp::acceptor open_acceptor(asio::io_context& io, const tcp::endpoint& endpoint) {
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.set_option(ReusePort(true));
  acceptor.bind(endpoint);
  acceptor.listen(4096);
  assign(acceptor, endpoint.protocol(), acceptor.release());
  return acceptor;
}

// The cores that this process may run on: fewer than the machine has where it is confined to some.
int usable_cores() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) {
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  return std::max(1, CPU_COUNT(&usable));
}

std::vector<std::string> all_of(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

struct Listening {
  tcp::acceptor acceptor;
  const TlsContext* tls;  // null: plain
  std::string address;    // as configured
  bool is_for(const std::string& listen, const TlsContext* with) const { return address == listen && tls == with; }
};

// One thread's share: its io_context, its listening sockets, its connections. All of it belongs to the thread.
struct IoThread {
  IoThread(const ServerOptions& options, Handler& handler, HostPolicy hosts, ServerMetrics& metrics,
           std::atomic<std::uint32_t>& open_connections)
      : context{options, handler, std::move(hosts), metrics, std::chrono::steady_clock::now(), {}},
        open(open_connections) {
    tick();
  }

  void tick() {
    context.now = std::chrono::steady_clock::now();
    const auto second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    if (second == date_second) return;
    date_second = second;
    context.date_line = "Date: " + format_http_date(second) + "\r\n";
  }

  Task<void> sweep() {
    while (!finished) {
      timer.expires_after(kSweep);
      co_await timer.async_wait(kToken);
      tick();
      for (auto it = connections.begin(); it != connections.end();) (it++)->check_deadlines();
      context.tally.flush();
      if (context.stopping && connections.empty()) finished = true;
    }
  }

  Task<void> accept(Listening& listening) {
    asio::steady_timer rest(io);
    while (!context.stopping && listening.acceptor.is_open()) {
      auto [error, socket] = co_await listening.acceptor.async_accept(kToken);
      if (error && (error == asio::error::operation_aborted || !listening.acceptor.is_open())) co_return;
      if (error) {
        context.metrics.accept_faults.add();
        // Out of descriptors, most likely: accepting goes on when some are free again.
        rest.expires_after(kOutOfFiles);
        co_await rest.async_wait(kToken);
        continue;
      }
      if (open.fetch_add(1) >= context.options.max_connections) {
        --open;
        context.metrics.hit(Limit::kConnectionFlood).add();
        continue;  // the socket closes
      }
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      // What fits into the system's own buffer has no phase in which we would miss its reader.
      socket.set_option(
          UserTimeout(static_cast<int>(std::min<std::int64_t>(context.options.write_timeout / 1ms, INT_MAX))), ignored);
      asio::co_spawn(io, serve(std::move(socket), listening.tls), asio::detached);
    }
  }

  Task<void> serve(tcp::socket socket, const TlsContext* tls) {
    SslPtr ssl = tls ? tls->open() : nullptr;
    if (!tls || ssl) {
      const auto connection = connections.emplace(connections.end(), std::move(socket), std::move(ssl), context);
      co_await connection->serve();
      connections.erase(connection);
    }
    --open;
  }

  // Posted to the thread. What was answered under other rules is forgotten.
  void change(const ServerOptions& options, const HostPolicy& hosts) {
    context.options = options;
    context.hosts = hosts;
    context.memo = {};
  }

  // Posted to the thread: whoever is connected goes on, with one answer more.
  void begin_leave() {
    context.leaving = true;
    for (Listening& listening : listenings) listening.acceptor.close();
    for (auto it = connections.begin(); it != connections.end();) (it++)->leave();
  }

  // Posted to the thread: stops accepting, ends the idle, lets the busy finish.
  void begin_stop() {
    context.stopping = true;
    for (Listening& listening : listenings) listening.acceptor.close();
    for (auto it = connections.begin(); it != connections.end();) (it++)->finish();
    timer.cancel();
  }

  void end_stop() {
    finished = true;
    for (auto it = connections.begin(); it != connections.end();) (it++)->close();
    timer.cancel();
  }

  // Of its thread alone but for what is posted to it: the reactor needs no locks.
  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::steady_timer timer{io};
  std::vector<Listening> listenings;
  ConnectionContext context;
  std::atomic<std::uint32_t>& open;
  std::list<Connection> connections;
  std::chrono::sys_seconds date_second{};
  bool finished = false;
  std::thread thread;
};

}  // namespace

// Our threads share their port (SO_REUSEPORT), so a second server on it would get every other connection unnoticed:
// binding without sharing tells whether somebody is there.
std::optional<Fault> fault_of_address(const std::string& listen) {
  const std::optional<tcp::endpoint> endpoint = endpoint_of(listen);
  if (!endpoint) return Fault{"cannot listen on " + listen + ": it must be address:port, such as 127.0.0.1:8080"};
  if (endpoint->port() == 0) return std::nullopt;
  asio::io_context io;
  tcp::acceptor probe(io);
  boost::system::error_code error;
  probe.open(endpoint->protocol(), error);
  if (!error) probe.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) probe.bind(*endpoint, error);
  if (!error) return std::nullopt;
  return Fault{"cannot listen on " + listen + ": " + error.message()};
}

struct Server::State {
  State(ServerOptions server_options, Handler& the_handler, Metrics& metrics, const TlsContext* the_tls)
      : options(std::move(server_options)), handler(the_handler), tls(the_tls), server_metrics(metrics) {}

  // What a predecessor had on this address, in turn to each thread: a queue that nobody empties would be lost with it.
  void inherit(const std::string& listen, const tcp::endpoint& endpoint, const TlsContext* with) {
    std::size_t next = 0;
    for (ListeningSocket& socket : options.inherited) {
      if (socket.address != listen || socket.is_tls != (with != nullptr) || socket.file < 0) continue;
      IoThread& thread = *threads[next++ % threads.size()];
      tcp::acceptor acceptor(thread.io);
      assign(acceptor, endpoint.protocol(), std::exchange(socket.file, -1));
      thread.listenings.push_back({std::move(acceptor), with, listen});
    }
  }

  // Of addresses that are not served any more.
  void close_unused() {
    for (ListeningSocket& socket : options.inherited) {
      if (socket.file >= 0) ::close(std::exchange(socket.file, -1));
    }
  }

  Result<bool> bind(const std::string& listen, const TlsContext* with) {
    if (!options.shares_addresses) {
      if (std::optional<Fault> fault = fault_of_address(listen)) return *std::move(fault);
    }
    std::optional<tcp::endpoint> endpoint = endpoint_of(listen);
    if (!endpoint) return Fault{"cannot listen on " + listen};
    try {
      inherit(listen, *endpoint, with);
      for (const auto& thread : threads) {
        const bool listens = std::any_of(thread->listenings.begin(), thread->listenings.end(),
                                         [&](const Listening& one) { return one.is_for(listen, with); });
        if (!listens) thread->listenings.push_back({open_acceptor(thread->io, *endpoint), with, listen});
        // Where the system chooses the port, the other threads share it.
        endpoint->port(thread->listenings.back().acceptor.local_endpoint().port());
      }
    } catch (const boost::system::system_error& error) {
      return Fault{"cannot listen on " + listen + ": " + error.code().message()};
    }
    ports.push_back(endpoint->port());
    return true;
  }

  HostPolicy hosts() const { return {options.public_url, all_of(options.listen, options.listen_tls), options.hosts}; }

  ServerOptions options;  // of the thread that starts and stops
  Handler& handler;
  const TlsContext* const tls;
  ServerMetrics server_metrics;
  std::atomic<std::uint32_t> open{0};
  std::vector<std::unique_ptr<IoThread>> threads;
  std::vector<std::uint16_t> ports;
  // Of the thread that starts and stops.
  bool is_stopping = false;
  bool has_stopped = false;
};

Server::Server(ServerOptions options, Handler& handler, Metrics& metrics, const TlsContext* tls)
    : state_(std::make_unique<State>(std::move(options), handler, metrics, tls)) {}

Server::~Server() {
  stop();
}

Result<bool> Server::start() {
  State& state = *state_;
  const int count = state.options.threads > 0 ? state.options.threads : usable_cores();
  for (int i = 0; i < count; ++i) {
    state.threads.push_back(
        std::make_unique<IoThread>(state.options, state.handler, state.hosts(), state.server_metrics, state.open));
    state.threads.back()->context.connection = static_cast<std::uint64_t>(i);
    state.threads.back()->context.threads = static_cast<std::uint64_t>(count);
  }
  for (const std::string& listen : state.options.listen) {
    const Result<bool> bound = state.bind(listen, nullptr);
    if (!bound) return bound.fault();
  }
  for (const std::string& listen : state.options.listen_tls) {
    const Result<bool> bound = state.bind(listen, state.tls);
    if (!bound) return bound.fault();
  }
  state.close_unused();
  for (const auto& thread : state.threads) {
    IoThread& io_thread = *thread;
    asio::co_spawn(io_thread.io, io_thread.sweep(), asio::detached);
    for (Listening& listening : io_thread.listenings) {
      asio::co_spawn(io_thread.io, io_thread.accept(listening), asio::detached);
    }
    io_thread.thread = std::thread([&io_thread] { io_thread.io.run(); });
  }
  return true;
}

std::vector<std::uint16_t> Server::ports() const {
  return state_->ports;
}

void Server::change(const ServerOptions& options) {
  ServerOptions& own = state_->options;
  own.hosts = options.hosts;
  own.max_connections = options.max_connections;
  own.header_timeout = options.header_timeout;
  own.body_timeout = options.body_timeout;
  own.idle_timeout = options.idle_timeout;
  own.write_timeout = options.write_timeout;
  own.drain = options.drain;
  for (const auto& thread : state_->threads) {
    IoThread* const io_thread = thread.get();
    asio::post(io_thread->io,
               [io_thread, changed = own, hosts = state_->hosts()] { io_thread->change(changed, hosts); });
  }
}

std::vector<ListeningSocket> Server::listening() const {
  std::vector<ListeningSocket> sockets;
  for (const auto& thread : state_->threads) {
    for (Listening& listening : thread->listenings) {
      sockets.push_back({listening.address, listening.tls != nullptr, listening.acceptor.native_handle()});
    }
  }
  return sockets;
}

void Server::begin_leave() {
  for (const auto& thread : state_->threads) {
    IoThread* const io_thread = thread.get();
    asio::post(io_thread->io, [io_thread] { io_thread->begin_leave(); });
  }
}

bool Server::is_deserted() const {
  return state_->open == 0;
}

void Server::begin_stop() {
  if (std::exchange(state_->is_stopping, true)) return;
  for (const auto& thread : state_->threads) {
    IoThread* const io_thread = thread.get();
    asio::post(io_thread->io, [io_thread] { io_thread->begin_stop(); });
  }
}

void Server::stop() {
  if (std::exchange(state_->has_stopped, true)) return;
  begin_stop();
  const Ticks give_up = std::chrono::steady_clock::now() + state_->options.drain;
  while (state_->open > 0 && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(10ms);
  for (const auto& thread : state_->threads) {
    IoThread* const io_thread = thread.get();
    asio::post(io_thread->io, [io_thread] { io_thread->end_stop(); });
    if (io_thread->thread.joinable()) io_thread->thread.join();
  }
  // The contexts stay until the end: others may still post to them, in vain.
}

}  // namespace courant::http
