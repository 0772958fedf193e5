#include "server/app.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "archive/closer.h"
#include "archive/janitor.h"
#include "archive/routes.h"
#include "feeds/chronicler.h"
#include "feeds/routes.h"
#include "http/router.h"
#include "http/server.h"
#include "kernel/host_name.h"
#include "kernel/log.h"
#include "server/admission/cross_origin.h"
#include "server/admission/first_token.h"
#include "server/admission/gate.h"
#include "server/admission/meter.h"
#include "server/core.h"
#include "server/greeting.h"
#include "server/management/manage.h"
#include "server/operations/operations.h"
#include "server/operations/pages.h"
#include "server/processes/handover.h"
#include "server/processes/notify.h"
#include "server/processes/process_group.h"
#include "server/processes/takeover.h"
#include "server/reload.h"
#include "server/secrets.h"
#include "server/server_options.h"
#include "server/ticket_seeds.h"

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

// Until the process is to stop. SIGHUP: the configuration is read again; SIGUSR2: a successor is wanted.
int wait_for_end(const sigset_t& signals, Core& core, Reload& reload, Takeover& takeover,
                 const std::function<void()>& start_successor) {
  const timespec beat{0, 100'000'000};
  for (bool is_taken_over = false;;) {
    if (!is_taken_over) is_taken_over = takeover.look();
    core.keep_up();
    const int signal = ::sigtimedwait(&signals, nullptr, &beat);
    if (signal == SIGHUP) {
      reload.run();
    } else if (signal == SIGUSR2) {
      start_successor();
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

// As reports of usage name it: every process of a database differently.
std::string name_of_process() {
  return host_name() + "/" + std::to_string(::getpid());
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
  const SystemClock clock;
  Result<std::unique_ptr<http::TlsContext>> tls = open_tls(options.config, options.data, clock);
  if (!tls) return say(tls.fault());
  const Result<std::unique_ptr<Core>> opened = Core::open(options, Opening::kOwn);
  if (!opened) return say(opened.fault());
  // Again: tickets follow from the key, and whether one that is missing may be made the database alone knows.
  if (*tls) {
    if (const Result<Vault> vault = open_vault(options.config, options.data); !vault) return say(vault.fault());
    tls = open_tls(options.config, options.data, clock);
    if (!tls) return say(tls.fault());
  }
  Core& core = **opened;
  feeds::Engine& engine = core.engine();
  const Config& config = core.config();

  archive::Closer closer(core.database(), engine, core.metrics());
  archive::Janitor janitor(core.database(), engine, core.metrics());
  const std::function<void(const Core::Advances&)> told = [&closer, &janitor](const Core::Advances& advances) {
    closer.moved(advances);
    janitor.moved(advances);
  };
  std::optional<TicketSeeds> tickets;
  if (*tls) {
    tickets.emplace(**tls, clock);
    core.database().with_session([&](sql::Session& session) { tickets->keep_up(session); });
  }
  Usage usage(name_of_process(), std::chrono::ceil<std::chrono::seconds>(config.usage.every), core.clock());
  feeds::Chronicler chronicler(core.database(), engine, [&](sql::Session& session, bool is_last) {
    usage.report(session, is_last);
    if (tickets) tickets->keep_up(session);
  });
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
  const int signal = wait_for_end(signals, core, reload, takeover, [&options] { start_successor(options); });
  if (options.process == 0 && signal != SIGUSR1) notify_service_manager("STOPPING=1");
  log_info("stopping", {{"signal", signal}});
  if (offer) offer->withdraw();
  if (signal == SIGUSR1) {
    leave(core, server, signals);
  } else {
    takeover.hurry();
  }
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
  if (signal != SIGUSR1) takeover.await_end(config.server.drain);  // while the private PostgreSQL is in use here, too
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
  const int signal = wait_for_end(signals, core, reload, takeover, [] {
    log_warning("nobody takes over from a process that pushes: others push while it is restarted");
  });
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
