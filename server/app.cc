#include "server/app.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "archive/closer.h"
#include "archive/janitor.h"
#include "archive/routes.h"
#include "feeds/chronicler.h"
#include "feeds/routes.h"
#include "http/router.h"
#include "http/server.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "server/admission/cross_origin.h"
#include "server/admission/first_token.h"
#include "server/admission/gate.h"
#include "server/admission/meter.h"
#include "server/core.h"
#include "server/management/manage.h"
#include "server/operations/hub_page.h"
#include "server/operations/operations.h"
#include "server/operations/status_page.h"
#include "server/processes/handover.h"
#include "server/processes/notify.h"
#include "server/processes/own_program.h"
#include "server/processes/process_group.h"
#include "server/processes/takeover.h"
#include "server/reload.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

// Signals are taken by the main thread alone; every thread made later inherits this.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGUSR1);  // a successor serves
  sigaddset(&signals, SIGUSR2);  // a successor is wanted
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// A process may open as many files and sockets as its hard limit says: the soft one is for programs that use select().
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// How many connections of clients are taken. They are kept from taking those files that the database and the hub need:
// a flood stops no publishing.
std::int64_t connections_within_file_limit(const Config& config) {
  constexpr std::int64_t kOwn = 100;  // connections of single threads, listening sockets, the operator's pages, files
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return config.server.max_connections;
  const std::int64_t needed = config.database.pool + (config.hub.enabled ? config.hub.in_flight : 0) + kOwn;
  if (std::cmp_less_equal(config.server.max_connections + needed, limit.rlim_cur)) return config.server.max_connections;
  const auto files = static_cast<std::int64_t>(limit.rlim_cur);
  const std::int64_t connections = std::max(files - needed, files / 8);
  log_warning("fewer connections are taken than server.max_connections says, for want of open files",
              {{"taken", connections},
               {"max_connections", config.server.max_connections},
               {"open_files", files},
               {"needed_otherwise", needed}});
  return connections;
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  options.listen = config.server.listen;
  options.listen_tls = config.server.listen_tls;
  options.threads = static_cast<int>(config.server.threads);
  options.public_url = config.server.public_url;
  options.hosts = config.server.hosts;
  options.max_connections = static_cast<std::uint32_t>(connections_within_file_limit(config));
  options.header_timeout = config.limits.header_timeout;
  options.body_timeout = config.limits.body_timeout;
  options.idle_timeout = config.limits.idle_timeout;
  options.write_timeout = config.limits.write_timeout;
  options.drain = config.server.drain;
  using Logged = http::ServerOptions::Logged;
  options.logged = config.log.requests == "all"      ? Logged::kAll
                   : config.log.requests == "errors" ? Logged::kErrors
                                                     : Logged::kNone;
  options.slow = config.log.slow;
  return options;
}

// Null where nothing is served over TLS.
Result<std::unique_ptr<http::TlsContext>> open_tls(const Config& config, const std::string& data) {
  if (config.server.listen_tls.empty()) return std::unique_ptr<http::TlsContext>();
  const Result<Vault> vault = open_vault(config, data);
  if (!vault) return vault.fault();
  return http::TlsContext::make({config.tls.certificate, config.tls.key, vault->derive("tls session tickets")});
}

// Until the process is to stop. SIGHUP: the configuration is read again.
int wait_for_end(const ServeOptions& options, const sigset_t& signals, Core& core, Reload& reload, Takeover& takeover) {
  const timespec beat{0, 100'000'000};
  for (bool is_taken_over = false;;) {
    if (!is_taken_over) is_taken_over = takeover.look();
    core.keep_up();
    const int signal = ::sigtimedwait(&signals, nullptr, &beat);
    if (signal == SIGHUP) {
      reload.run();
    } else if (signal == SIGUSR2) {
      start_successor(options);
    } else if (signal > 0) {
      return signal;
    }
  }
}

// A successor has the sockets: whoever is connected gets one answer more and goes there. Until all have gone, the drain
// is over, or a signal says that it is urgent.
void leave(Core& core, http::Server& server, const sigset_t& signals) {
  const timespec beat{0, 20'000'000};
  const auto give_up = std::chrono::steady_clock::now() + core.config().server.drain;
  server.begin_leave();
  core.engine().waiting().stop();
  if (core.hub() != nullptr) core.hub()->let_go();
  while (!server.is_deserted() && std::chrono::steady_clock::now() < give_up) {
    if (::sigtimedwait(&signals, nullptr, &beat) > 0) return;
  }
}

// Whoever takes over may have copies of the sockets. Without that nobody can, which is no reason not to serve.
std::unique_ptr<SocketOffer> offer_sockets(const ServeOptions& options, const http::Server& server) {
  const pid_t leader = options.process > 0 ? options.started_by : ::getpid();
  Result<std::unique_ptr<SocketOffer>> offer = SocketOffer::make(options.data, leader, server.listening());
  if (offer) return *std::move(offer);
  log_warning("no new version can take over from this server", {{"why", offer.fault().detail}});
  return nullptr;
}

void add_probes(http::Router& router, const Core& core) {
  const auto live = [](const http::Request&, const http::PathArguments&) {
    return std::optional(http::text_response(200, "text/plain", "ok\n"));
  };
  const auto ready = [&core](const http::Request&, const http::PathArguments&) {
    Health health = core.health();
    return std::optional(http::text_response(health.is_ready ? 200 : 503, "application/json", std::move(health.json)));
  };
  router.add({"/-/health/live", http::Method::kGet, nullptr, live, nullptr, http::Need::kNothing});
  router.add({"/-/health/ready", http::Method::kGet, nullptr, ready, nullptr, http::Need::kNothing});
}

// Of a process that takes part in delivering.
OperatorsPage hub_page(Core& core, bool delivers) {
  if (core.hub() == nullptr || !delivers) return nullptr;
  return [&core](bool is_html) {
    const std::shared_ptr<const hub::Overview> overview = core.hub()->overview();
    return is_html ? hub_html(*overview) : hub_json(*overview);
  };
}

OperatorsPages operators_pages(Core& core, bool delivers) {
  OperatorsPages pages;
  pages.health = [&core] { return core.health(); };
  pages.status = [&core, delivers] { return status_json(core, delivers); };
  pages.hub = hub_page(core, delivers);
  return pages;
}

// What a publisher has to say of himself, in a shell.
std::string credentials_for(const Config& config, const std::optional<std::string>& token) {
  if (config.access.is_open()) return "";
  return "-H 'Authorization: Bearer " + token.value_or("TOKEN") + "' ";
}

// How to call this program: as it is installed, or by its place.
std::string own_name() {
  std::string program = own_program();
  return program.empty() || program == "/usr/bin/courant" ? "courant" : program;
}

void greet(const Config& config, const std::optional<std::string>& token) {
  const std::string& url = config.server.public_url;
  std::printf("Courant serves %s\n\n", url.c_str());
  if (token) std::printf("  Token:    %s (shown this once; others: courant token create)\n", token->c_str());
  std::printf(
      "  Look:     %s/ in a browser\n"
      "  Publish:  curl -i %s-H 'Content-Type: application/atom+xml' --data "
      "'<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>Hello</title><content>first</content></entry>' "
      "%s/demo/events\n"
      "  Read:     curl -i %s/demo/events\n"
      "  Follow:   %s tail %s/demo/events\n",
      url.c_str(), credentials_for(config, token).c_str(), url.c_str(), url.c_str(), own_name().c_str(), url.c_str());
  if (!config.access.is_open() && !token) {
    std::printf("  TOKEN:    courant token create NAME --scope publish --on 'demo/*'\n");
  }
  const std::string& operations = config.server.operations;
  if (!operations.empty()) std::printf("  Watch:    http://%s/ in a browser\n\n", operations.c_str());
  std::printf("Stop with Ctrl-C.\n");
  std::fflush(stdout);
}

// As reports of usage name it: every process of a database differently.
std::string name_of_process() {
  char host[256] = "";
  ::gethostname(static_cast<char*>(host), sizeof(host) - 1);
  return static_cast<const char*>(host) + ("/" + std::to_string(::getpid()));
}

// While it lives, somebody is told of what is published. However that ends, the chronicler stops before the core, and
// the core before he and those whom it tells go: its threads may be with them until then.
struct Listening {
  Core& core;
  feeds::Chronicler& chronicler;
  Listening(Core& the_core, feeds::Chronicler& the_chronicler, const std::function<void(const Core::Advances&)>& told)
      : core(the_core), chronicler(the_chronicler) {
    core.tell(&told);
  }
  ~Listening() {
    chronicler.stop();
    core.stop();
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
};

// Until a signal comes, or the exit status of what went wrong before.
int serve_until_told(const ServeOptions& options, PidFile& pid, const sigset_t& signals) {
  const Result<std::unique_ptr<http::TlsContext>> tls = open_tls(options.config, options.data);
  if (!tls) return say(tls.fault());
  const Result<std::unique_ptr<Core>> opened = Core::open(options, Opening::kOwn);
  if (!opened) return say(opened.fault());
  Core& core = **opened;
  feeds::Engine& engine = core.engine();
  const Config& config = core.config();

  archive::Closer closer(core.database(), engine, core.metrics());
  archive::Janitor janitor(core.database(), engine, core.metrics());
  const std::function<void(const Core::Advances&)> told = [&closer, &janitor](const Core::Advances& advances) {
    closer.moved(advances);
    janitor.moved(advances);
  };
  Usage usage(name_of_process(), std::chrono::ceil<std::chrono::seconds>(config.usage.every), core.clock());
  feeds::Chronicler chronicler(core.database(), engine,
                               [&usage](sql::Session& session, bool is_last) { usage.report(session, is_last); });
  const Listening listening(core, chronicler, told);
  const Result<bool> running = core.start_hub(config.hub.deliver);
  if (!running) return say(running.fault());
  chronicler.start();

  http::Router router;
  for (http::Route& route : feeds::routes(engine)) router.add(std::move(route));
  for (http::Route& route : archive::routes(engine)) router.add(std::move(route));
  if (core.hub() != nullptr) {
    for (http::Route& route : core.hub()->routes()) router.add(std::move(route));
  }
  for (http::Route& route : manage_routes(core)) router.add(std::move(route));
  add_probes(router, core);
  if (const std::optional<std::string> undeclared = router.undeclared()) {
    return say(Fault{"the route " + *undeclared + " does not say what it needs: this program must not serve"});
  }
  Gate gate(router, core.rules(), core.clock(), core.metrics(), config.access.failures_per_minute);
  const auto is_workspace = [&engine](std::string_view name) { return engine.workspace(name) != nullptr; };
  CrossOrigin cross_origin(gate, core.origins(), core.rules());
  Meter meter(cross_origin, {config.limits.per_address, config.limits.per_token, is_workspace}, usage, core.clock(),
              core.metrics());

  http::ServerOptions serving = server_options(config);
  serving.shares_addresses = options.process > 0 || options.predecessor > 0;
  if (options.predecessor > 0) {
    serving.inherited = take_sockets(options.data, options.predecessor, std::max(options.process - 1, 0),
                                     options.process > 0 ? static_cast<int>(config.server.processes) : 1);
  }
  http::Server server(serving, meter, core.metrics(), tls->get());
  const Result<bool> started = server.start();
  if (!started) return say(started.fault());
  Operations operations(core.metrics(), operators_pages(core, config.hub.deliver));
  const auto show = [&]() -> Result<bool> {
    if (config.server.operations.empty()) return true;
    return operations.start(config.server.operations, config.server.operations_anywhere);
  };
  if (options.predecessor == 0) {
    const Result<bool> shown = show();
    if (!shown) return say(shown.fault());
  }
  if (options.process <= 1) {
    std::optional<std::string> token;
    if (core.has_own_database() && !config.access.is_open()) token = first_token(core.database(), core.clock().now());
    greet(config, token);
  }

  Reload reload(options, options.config, core, tls->get(),
                [&](const Config& changed) { server.change(server_options(changed)); });
  Takeover takeover(options, options.process > 0 ? nullptr : &pid, [&] {
    if (options.predecessor == 0) return true;
    // Its address was the predecessor's.
    if (const Result<bool> shown = show(); !shown) log_error(shown.fault().detail);
    return true;
  });
  const std::unique_ptr<SocketOffer> offer = offer_sockets(options, server);
  takeover.begin();
  if (options.process == 0) notify_service_manager("READY=1\nMAINPID=" + std::to_string(::getpid()));
  const int signal = wait_for_end(options, signals, core, reload, takeover);
  if (options.process == 0 && signal != SIGUSR1) notify_service_manager("STOPPING=1");
  log_info("stopping", {{"signal", signal}});
  if (offer) offer->withdraw();
  if (signal == SIGUSR1) leave(core, server, signals);
  // First, so that who waits is told that the connection ends, and nothing behind a waiting request is begun.
  server.begin_stop();
  engine.waiting().stop();
  if (core.hub() != nullptr) core.hub()->let_go();
  server.stop();
  operations.stop();
  chronicler.stop();
  engine.stop();
  // The hub first: until it has stopped, how far each subscription is, is in memory alone.
  if (core.hub() != nullptr) core.hub()->stop();
  closer.stop();
  janitor.stop();
  core.stop();
  return 0;
}

// As above, of a process that pushes and nothing else.
int push_until_told(const ServeOptions& options, const Config& as_read, const sigset_t& signals) {
  const Result<std::unique_ptr<Core>> opened = Core::open(options, Opening::kJoin);
  if (!opened) return say(opened.fault());
  Core& core = **opened;
  const Result<bool> running = core.start_hub(true);
  if (!running) return say(running.fault());
  Operations operations(core.metrics(), operators_pages(core, true));
  const std::string& address = core.config().server.operations;
  if (!address.empty()) {
    const Result<bool> shown = operations.start(address, core.config().server.operations_anywhere);
    if (!shown) return say(shown.fault());
  }
  std::printf("Courant pushes what is published at %s\n", core.config().server.public_url.c_str());
  if (!address.empty()) std::printf("\n  Watch:    http://%s/ in a browser\n\n", address.c_str());
  std::printf("Stop with Ctrl-C.\n");
  std::fflush(stdout);
  Reload reload(options, as_read, core, nullptr, nullptr);
  Takeover takeover(options, nullptr, [] { return true; });
  notify_service_manager("READY=1");
  const int signal = wait_for_end(options, signals, core, reload, takeover);
  log_info("stopping", {{"signal", signal}});
  operations.stop();
  core.stop();
  return 0;
}

}  // namespace

int say(const Fault& fault, int status) {
  std::fprintf(stderr, "courant: %s\n", fault.detail.c_str());
  return status;
}

int migrate(const ServeOptions& options) {
  const Result<OpenDatabase> opened = open_database(options, Opening::kOwn);
  if (!opened) return say(opened.fault());
  std::printf("The database is up to date.\n");
  return 0;
}

int serve(ServeOptions options) {
  const sigset_t signals = block_signals();
  const Logging logging(options.config.log.format == "json" ? LogFormat::kJson : LogFormat::kText);
  if (options.process > 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != options.started_by) return say(Fault{"the process that has started this one is gone"});
  }
  if (const std::optional<Fault> fault = fault_of_listening(options.config)) return say(*fault);
  apply_log_level(options.config);
  raise_file_limit();
  PidFile pid(options.data);
  if (const std::optional<Fault> fault = claim(options, pid)) return say(*fault);
  try {
    const bool is_group = options.process == 0 && options.config.server.processes > 1;
    return is_group ? run_processes(options, pid, signals) : serve_until_told(options, pid, signals);
  } catch (const std::exception& error) {
    // Such as a database that was lost again after it had been opened.
    return say(Fault{std::string("the server cannot start: ") + error.what()});
  }
}

int push(ServeOptions options) {
  const sigset_t signals = block_signals();
  const Logging logging(options.config.log.format == "json" ? LogFormat::kJson : LogFormat::kText);
  if (!options.config.hub.enabled) return say(Fault{"the hub is off: say hub.enabled = true in the configuration"});
  const Config as_read = options.config;
  // Beside servers that have the same configuration.
  options.config.server.operations = next_port(
      options.config.server.operations, static_cast<int>(std::max<std::int64_t>(options.config.server.processes, 1)));
  apply_log_level(options.config);
  raise_file_limit();
  try {
    return push_until_told(options, as_read, signals);
  } catch (const std::exception& error) {
    return say(Fault{std::string("the hub cannot start: ") + error.what()});
  }
}

}  // namespace courant::server
