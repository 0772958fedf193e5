// courant serve, hub and migrate, and keep-postgres, which servers start themselves.
#include <CLI/CLI.hpp>

#include "server/commands/command_line.h"
#include "server/postgres/postgres_keeper.h"

namespace courant::server {
namespace {

// What only `serve` takes.
struct Serving {
  int process = 0;
  int started_by = 0;
  bool takes_over = false;
};

void add_serve(CommandLine& line) {
  const auto given = std::make_shared<Serving>();
  CLI::App& serving =
      line.add_on_data("serve", "serve feeds until stopped", CommandLine::Flags::kAll, [given](ServeOptions options) {
        options.takes_over = given->takes_over;
        options.process = given->process;
        options.started_by = given->started_by;
        return serve(std::move(options));
      });
  serving.add_option("--process", given->process, "which of several processes this one is")->group("");
  serving.add_option("--started-by", given->started_by, "the process that has started it, and ends with it")->group("");
  serving.add_flag("--take-over", given->takes_over,
                   "where a server runs on the data directory: serve beside it, then have it end; no request fails");
}

void add_keep_postgres(CommandLine& line) {
  const auto kept = std::make_shared<KeeperOptions>();
  CLI::App& keeping = line.add("keep-postgres", "run the private PostgreSQL for servers that use it",
                               [kept] { return keep_postgres(*kept); });
  keeping.group("");  // of servers, not of people
  keeping.add_option("--data", kept->postgres.data, "the data directory")->required();
  keeping.add_option("--connections", kept->postgres.connections, "at once");
  keeping.add_option("--user", kept->postgres.user, "whom it runs as where the server is root");
  keeping.add_option("--started-by", kept->started_by, "the process that has started it")->required();
}

}  // namespace

void add_serving_commands(CommandLine& line) {
  add_serve(line);
  CLI::App& pushing =
      line.add_on_data("hub", "push to subscribers and nothing else, beside servers with the same configuration",
                       CommandLine::Flags::kAll, push);
  pushing.footer(
      "Any number of processes share the subscriptions of a database; one that dies is replaced within seconds.\n"
      "With hub.deliver = false the servers leave all pushing to these.\n"
      "Example:\n  courant hub --config courant.toml --database postgresql://courant@db/courant");
  line.add_on_data("migrate", "bring the database to this program's schema, and end", CommandLine::Flags::kDatabase,
                   migrate);
  add_keep_postgres(line);
}

}  // namespace courant::server
