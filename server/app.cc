#include "server/app.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "archive/closer.h"
#include "archive/janitor.h"
#include "archive/routes.h"
#include "feeds/configure.h"
#include "feeds/engine.h"
#include "feeds/lifecycle.h"
#include "feeds/routes.h"
#include "http/router.h"
#include "http/server.h"
#include "kernel/log.h"
#include "kernel/metrics.h"
#include "kernel/text.h"
#include "server/hub_runner.h"
#include "server/open_database.h"
#include "server/operations.h"
#include "server/process_group.h"
#include "server/secrets.h"
#include "sql/database.h"
#include "sql/executor.h"

namespace courant::server {
namespace {

constexpr std::size_t kReaderQueue = 4096;

// Signals are taken by the main thread alone; every thread made later inherits this.
// has_tls: SIGHUP reads the certificate again; without one it ends the server, as it does when a terminal is closed.
sigset_t block_signals(bool has_tls) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (has_tls) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

feeds::EngineOptions engine_options(const Config& config) {
  feeds::EngineOptions options;
  options.public_url = config.server.public_url;
  if (config.hub.enabled) options.hub_url = options.public_url + "/hub";
  options.source_time = config.source_time;
  options.max_batch = static_cast<std::size_t>(config.limits.max_batch);
  options.max_batch_bytes = static_cast<std::uint64_t>(config.limits.max_batch_bytes);
  options.max_media_bytes = static_cast<std::uint64_t>(config.limits.max_media_bytes);
  options.max_page_bytes = config.limits.max_page_bytes;
  options.max_entry_bytes = static_cast<std::uint64_t>(config.limits.max_entry_bytes);
  options.cache_bytes = static_cast<std::uint64_t>(config.cache.bytes);
  options.wait_cap = std::chrono::ceil<std::chrono::seconds>(config.limits.wait_cap);
  options.most_poll_interval = std::chrono::ceil<std::chrono::seconds>(config.limits.poll_interval_max);
  options.waiting.most = static_cast<std::size_t>(config.limits.max_waiting);
  options.waiting.pressure = static_cast<std::size_t>(config.limits.pressure);
  return options;
}

http::ServerOptions server_options(const Config& config, bool shares_addresses) {
  http::ServerOptions options;
  options.listen = config.server.listen;
  options.listen_tls = config.server.listen_tls;
  options.shares_addresses = shares_addresses;
  options.threads = static_cast<int>(config.server.threads);
  options.public_url = config.server.public_url;
  options.hosts = config.server.hosts;
  options.max_connections = static_cast<std::uint32_t>(config.server.max_connections);
  options.header_timeout = config.limits.header_timeout;
  options.body_timeout = config.limits.body_timeout;
  options.idle_timeout = config.limits.idle_timeout;
  options.write_timeout = config.limits.write_timeout;
  options.drain = config.server.drain;
  return options;
}

// The same address, some ports on; where there is no port to count from, the address.
std::string next_port(const std::string& address, int steps) {
  const std::size_t colon = address.rfind(':');
  const std::optional<std::uint64_t> port = parse_unsigned(std::string_view(address).substr(colon + 1));
  if (colon == std::string::npos || !port || *port == 0) return address;
  return address.substr(0, colon + 1) + std::to_string(*port + static_cast<std::uint64_t>(steps));
}

// A process may open as many files and sockets as its hard limit says: the soft one is for programs that use select().
// Connections of clients are kept from taking those that the database and the hub need: a flood stops no publishing.
void respect_file_limit(Config& config) {
  constexpr std::int64_t kOwn = 100;  // connections of single threads, listening sockets, the operator's pages, files
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const std::int64_t needed = config.database.pool + (config.hub.enabled ? config.hub.in_flight : 0) + kOwn;
  if (std::cmp_less_equal(config.server.max_connections + needed, limit.rlim_cur)) return;
  const auto files = static_cast<std::int64_t>(limit.rlim_cur);
  const std::int64_t connections = std::max(files - needed, files / 8);
  log_warning("fewer connections are taken than server.max_connections says, for want of open files",
              {{"max_connections", config.server.max_connections},
               {"taken", connections},
               {"open_files", files},
               {"needed_otherwise", needed}});
  config.server.max_connections = connections;
}

// Null where nothing is served over TLS.
Result<std::unique_ptr<http::TlsContext>> open_tls(const Config& config, const std::string& data) {
  if (config.server.listen_tls.empty()) return std::unique_ptr<http::TlsContext>();
  const Result<Vault> vault = open_vault(config, data);
  if (!vault) return vault.fault();
  return http::TlsContext::make({config.tls.certificate, config.tls.key, vault->derive("tls session tickets")});
}

// Until the server is to stop. SIGHUP: certificate and key are read again.
int wait_for_end(const sigset_t& signals, http::TlsContext* tls) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) return signal;
    if (tls == nullptr) continue;
    const Result<bool> reloaded = tls->reload();
    if (reloaded) {
      log_info("the certificate has been read again");
    } else {
      log_error("the certificate could not be read again, the one before stays", {{"why", reloaded.fault().detail}});
    }
  }
}

// What the probes and the operator's page say: ready while the database is heard.
Health health_of(const feeds::Engine& engine) {
  const bool is_heard = engine.follower().is_current();
  const nlohmann::json document = {{"status", is_heard ? "ok" : "unavailable"},
                                   {"database", is_heard ? "heard within two seconds" : "not heard for two seconds"}};
  return {is_heard, document.dump() + "\n"};
}

void add_probes(http::Router& router, const feeds::Engine& engine) {
  const auto live = [](const http::Request&, const http::PathArguments&) {
    return std::optional(http::text_response(200, "text/plain", "ok\n"));
  };
  const auto ready = [&engine](const http::Request&, const http::PathArguments&) {
    Health health = health_of(engine);
    return std::optional(http::text_response(health.is_ready ? 200 : 503, "application/json", std::move(health.json)));
  };
  router.add({"/-/health/live", http::Method::kGet, nullptr, live, nullptr});
  router.add({"/-/health/ready", http::Method::kGet, nullptr, ready, nullptr});
}

void greet(const Config::Server& server) {
  const std::string& url = server.public_url;
  std::printf(
      "Courant serves %s\n\n"
      "  Look:     %s/ in a browser\n"
      "  Publish:  curl -i -H 'Content-Type: application/atom+xml' --data "
      "'<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>Hello</title><content>first</content></entry>' "
      "%s/demo/events\n"
      "  Read:     curl -i %s/demo/events\n"
      "  Follow:   build/release/courant tail %s/demo/events\n",
      url.c_str(), url.c_str(), url.c_str(), url.c_str(), url.c_str());
  if (!server.operations.empty()) std::printf("  Watch:    http://%s/metrics\n\n", server.operations.c_str());
  std::printf("Stop with Ctrl-C.\n");
  std::fflush(stdout);
}

// Stops an engine at the end of a scope, and what still works for it.
struct EngineStop {
  feeds::Engine& engine;
  sql::Executor& executor;
  ~EngineStop() {
    engine.stop();
    executor.stop();
  }
};

// Until a signal comes, or the exit status of what went wrong before.
int serve_until_told(const ServeOptions& options, const sigset_t& signals) {
  const Result<std::unique_ptr<http::TlsContext>> tls = open_tls(options.config, options.data);
  if (!tls) return say(tls.fault());
  const Result<OpenDatabase> opened = open_database(options, Opening::kOwn);
  if (!opened) return say(opened.fault());
  sql::Database& database = *opened->database;

  Config config = options.config;
  config.server.public_url = public_url(config);
  if (options.process > 1) config.server.operations = next_port(config.server.operations, options.process - 1);

  const SystemClock clock;
  std::int64_t lanes = 0;
  Result<feeds::Configured> configured = Fault{};
  database.with_session([&](sql::Session& session) {
    lanes = feeds::read_lanes(session);
    feeds::adopt_renderer(session);
    configured = feeds::configure(session, lanes, configured_workspaces(config), config.source_time, clock.now());
  });
  if (!configured) return say(configured.fault());
  for (const std::string& notice : configured->notices) log_warning(notice);

  Metrics metrics;
  sql::Executor executor(database, static_cast<int>(config.database.pool), kReaderQueue);
  feeds::EngineOptions feeds_options = engine_options(config);
  feeds_options.workspaces = std::move(configured->workspaces);
  // Hub, closer and janitor are made after the engine and told by it: until they are there, nothing moves that they
  // would have to know.
  std::atomic<HubRunner*> told_hub{nullptr};
  std::atomic<archive::Closer*> told_closer{nullptr};
  std::atomic<archive::Janitor*> told_janitor{nullptr};
  feeds::Engine engine(feeds_options, lanes, database, executor, clock, metrics,
                       [&told_hub, &told_closer, &told_janitor](const std::vector<feeds::Advance>& advances) {
                         if (HubRunner* const hub = told_hub.load()) hub->moved(advances);
                         if (archive::Closer* const closer = told_closer.load()) closer->moved(advances);
                         if (archive::Janitor* const janitor = told_janitor.load()) janitor->moved(advances);
                       });
  database.with_session([&](sql::Session& session) { engine.directory().load_all(session); });

  archive::Closer closer(database, engine, metrics);
  told_closer = &closer;
  archive::Janitor janitor(database, engine, metrics);
  told_janitor = &janitor;
  std::unique_ptr<HubRunner> hub;
  // Should the start fail below: nobody is told of anything any more once they are gone.
  const EngineStop engine_stop{engine, executor};
  if (config.hub.enabled) {
    Result<std::unique_ptr<HubRunner>> made =
        HubRunner::make(config, options.data, database.options(), engine.directory(), clock, metrics);
    if (!made) return say(made.fault());
    hub = *std::move(made);
    told_hub = hub.get();
    const Result<bool> running = hub->start();
    if (!running) return say(running.fault());
  }

  http::Router router;
  for (http::Route& route : feeds::routes(engine)) router.add(std::move(route));
  for (http::Route& route : archive::routes(engine)) router.add(std::move(route));
  if (hub) {
    for (http::Route& route : hub->routes()) router.add(std::move(route));
  }
  add_probes(router, engine);

  http::Server server(server_options(config, options.process > 0), router, metrics, tls->get());
  const Result<bool> started = server.start();
  if (!started) return say(started.fault());
  Operations operations(metrics, [&engine] { return health_of(engine); });
  if (!config.server.operations.empty()) {
    const Result<bool> shown = operations.start(config.server.operations);
    if (!shown) return say(shown.fault());
  }
  if (options.process <= 1) greet(config.server);

  const int signal = wait_for_end(signals, tls->get());
  log_info("stopping", {{"signal", signal}});
  // First, so that who waits is told that the connection ends, and nothing behind a waiting request is begun.
  server.begin_stop();
  engine.waiting().stop();
  server.stop();
  operations.stop();
  engine.stop();
  // The hub first: until it has stopped, how far each subscription is, is in memory alone.
  if (hub) hub->stop();
  closer.stop();
  janitor.stop();
  executor.stop();
  return 0;
}

}  // namespace

int say(const Fault& fault) {
  std::fprintf(stderr, "courant: %s\n", fault.detail.c_str());
  return 1;
}

int migrate(const ServeOptions& options) {
  const Result<OpenDatabase> opened = open_database(options, Opening::kOwn);
  if (!opened) return say(opened.fault());
  std::printf("The database is up to date.\n");
  return 0;
}

int serve(ServeOptions options) {
  const sigset_t signals = block_signals(!options.config.server.listen_tls.empty());
  if (options.process > 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != options.started_by) return say(Fault{"the process that has started this one is gone"});
  }
  if (const std::optional<Fault> fault = fault_of_listening(options.config)) return say(*fault);
  respect_file_limit(options.config);
  try {
    const bool is_group = options.process == 0 && options.config.server.processes > 1;
    return is_group ? run_processes(options, signals) : serve_until_told(options, signals);
  } catch (const std::exception& error) {
    // Such as a database that was lost again after it had been opened.
    return say(Fault{std::string("the server cannot start: ") + error.what()});
  }
}

}  // namespace courant::server
