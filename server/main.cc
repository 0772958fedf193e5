// The program: parses the command line and does what it says.
#include <CLI/CLI.hpp>

#include "server/app.h"

namespace {

void add_database_options(CLI::App& command, courant::server::ServeOptions& options) {
  command
      .add_option("--data", options.data, "the data directory; holds a private PostgreSQL unless --database is given")
      ->capture_default_str();
  command.add_option("--database", options.database, "a PostgreSQL 15 database to use: postgresql://user@host/name");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Courant, an event feed server: Atom in, cacheable pages out.", "courant");
  app.set_version_flag("--version", "courant " COURANT_VERSION);
  app.require_subcommand(1);
  app.footer("Example:\n  courant serve --data /var/lib/courant --listen 127.0.0.1:8080");

  courant::server::ServeOptions options;
  CLI::App* const serve = app.add_subcommand("serve", "serve feeds until stopped");
  add_database_options(*serve, options);
  serve->add_option("--listen", options.listen, "address:port to serve on, may be given several times")
      ->capture_default_str();
  serve->add_option("--public-url", options.public_url, "the base of every link, such as https://feeds.example.org");
  CLI::App* const migrate = app.add_subcommand("migrate", "bring the database to this program's schema, and end");
  add_database_options(*migrate, options);

  CLI11_PARSE(app, argc, argv);
  return serve->parsed() ? courant::server::serve(options) : courant::server::migrate(options);
}
