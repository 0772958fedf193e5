#include "server/app.h"

#include <cstdio>
#include <filesystem>

#include <pthread.h>
#include <signal.h>

#include "archive/routes.h"
#include "feeds/engine.h"
#include "feeds/routes.h"
#include "http/router.h"
#include "http/server.h"
#include "kernel/log.h"
#include "kernel/metrics.h"
#include "kernel/problem.h"
#include "server/embedded_postgres.h"
#include "sql/database.h"
#include "sql/executor.h"
#include "sql/migrate.h"

namespace courant::server {
namespace {

constexpr int kReaderThreads = 6;
constexpr std::size_t kReaderQueue = 4096;

// Prints a fault as a sentence and gives the exit status.
int say(const Fault& fault) {
  std::fprintf(stderr, "courant: %s\n", fault.detail.c_str());
  return 1;
}

// Signals are taken by the main thread alone; every thread made later inherits this.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// The database's URL: the one given, or of a private cluster that is started.
Result<std::string> database_url(const ServeOptions& options, std::unique_ptr<EmbeddedPostgres>& embedded) {
  if (!options.database.empty()) return options.database;
  EmbeddedPostgresOptions postgres;
  postgres.data = std::filesystem::absolute(options.data).string();
  embedded = std::make_unique<EmbeddedPostgres>(postgres);
  return embedded->start();
}

Result<bool> migrate_database(sql::Database& database) {
  try {
    database.with_session([](sql::Session& session) {
      sql::migrate(session, [](std::string_view name) { log_info("migrating the database", {{"step", name}}); });
    });
    return true;
  } catch (const std::exception& error) {
    return Fault{std::string("the database cannot be used: ") + error.what()};
  }
}

std::int64_t lanes_of(sql::Database& database) {
  constexpr sql::Query kLanes{"app.lanes", "select lanes from log_facts"};
  std::int64_t lanes = 0;
  database.with_session([&](sql::Session& session) { lanes = session.run(kLanes)[0].integer(0); });
  return lanes;
}

// The workspace of a server that was given no configuration.
feeds::WorkspaceSettings demo_workspace() {
  feeds::WorkspaceSettings demo;
  demo.title = "Demo";
  demo.auto_create = true;
  return demo;
}

void add_probes(http::Router& router) {
  const auto live = [](const http::Request&, const http::PathArguments&) {
    return std::optional(http::text_response(200, "text/plain", "ok\n"));
  };
  router.add({"/-/health/live", http::Method::kGet, nullptr, live, nullptr});
}

void greet(const std::string& url) {
  std::printf(
      "Courant serves %s\n\n"
      "  Publish:  curl -i -H 'Content-Type: application/atom+xml' --data "
      "'<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>Hello</title><content>first</content></entry>' "
      "%s/demo/events\n"
      "  Read:     curl -i %s/demo/events\n\n"
      "Stop with Ctrl-C.\n",
      url.c_str(), url.c_str(), url.c_str());
  std::fflush(stdout);
}

}  // namespace

int migrate(const ServeOptions& options) {
  std::unique_ptr<EmbeddedPostgres> embedded;
  const Result<std::string> url = database_url(options, embedded);
  if (!url) return say(url.fault());
  sql::DatabaseOptions database_options;
  database_options.url = *url;
  sql::Database database(database_options);
  const Result<bool> migrated = migrate_database(database);
  if (!migrated) return say(migrated.fault());
  std::printf("The database is up to date.\n");
  return 0;
}

int serve(const ServeOptions& options) {
  const sigset_t signals = block_signals();
  std::unique_ptr<EmbeddedPostgres> embedded;
  const Result<std::string> url = database_url(options, embedded);
  if (!url) return say(url.fault());
  sql::DatabaseOptions database_options;
  database_options.url = *url;
  sql::Database database(database_options);
  const Result<bool> migrated = migrate_database(database);
  if (!migrated) return say(migrated.fault());

  const SystemClock clock;
  Metrics metrics;
  sql::Executor executor(database, kReaderThreads, kReaderQueue);
  feeds::EngineOptions engine_options;
  engine_options.public_url = options.public_url.empty() ? "http://" + options.listen.front() : options.public_url;
  engine_options.workspaces.emplace("demo", demo_workspace());
  engine_options.source_time = clock.now();
  feeds::Engine engine(engine_options, lanes_of(database), database, executor, clock, metrics,
                       [](const std::vector<feeds::Advance>&) {});

  http::Router router;
  for (http::Route& route : feeds::routes(engine)) router.add(std::move(route));
  for (http::Route& route : archive::routes(engine)) router.add(std::move(route));
  add_probes(router);

  http::ServerOptions server_options;
  server_options.listen = options.listen;
  server_options.public_url = engine_options.public_url;
  http::Server server(server_options, router, metrics);
  const Result<bool> started = server.start();
  if (!started) return say(started.fault());
  greet(engine_options.public_url);

  int signal = 0;
  sigwait(&signals, &signal);
  log_info("stopping", {{"signal", signal}});
  server.stop();
  engine.stop();
  executor.stop();
  return 0;
}

}  // namespace courant::server
