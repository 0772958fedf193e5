#include "server/open_database.h"

#include <algorithm>
#include <filesystem>

#include "kernel/log.h"
#include "sql/migrate.h"
#include "sql/watch.h"

namespace courant::server {
namespace {

constexpr int kBesidePool = 40;  // connections that a process has beside its readers' pool: writers, follower, hub
constexpr int kReserved = 3;     // of PostgreSQL, for superusers
constexpr int kForOthers = 30;   // for commands and the operator

}  // namespace

std::int64_t connections_needed(const Config& config) {
  return 2 * config.server.processes * (config.database.pool + kBesidePool) + kForOthers;
}

Result<OpenDatabase> open_database(const ServeOptions& options, Opening opening,
                                   std::chrono::milliseconds answer_timeout) {
  OpenDatabase opened;
  sql::DatabaseOptions database_options;
  database_options.url = options.config.database.url;
  if (database_options.url.empty()) {
    EmbeddedPostgresOptions postgres;
    postgres.connections =
        std::max(postgres.connections, static_cast<int>(connections_needed(options.config)) + kReserved);
    postgres.data = std::filesystem::absolute(options.data).string();
    opened.embedded = std::make_unique<EmbeddedPostgres>(postgres);
    Result<std::string> url = opening == Opening::kJoin ? opened.embedded->join() : opened.embedded->start();
    if (!url) return url.fault();
    database_options.url = *url;
  }
  database_options.listen_url = options.config.database.listen_url;
  database_options.pool = static_cast<int>(options.config.database.pool);
  if (answer_timeout.count() > 0) database_options.watch = std::make_shared<sql::Watch>(answer_timeout);
  opened.database = std::make_unique<sql::Database>(database_options);
  try {
    const std::unique_ptr<sql::Session> session = opened.database->connect();
    session->wait_without_end();
    sql::migrate(*session, [](std::string_view name) { log_info("migrating the database", {{"step", name}}); });
  } catch (const std::exception& error) {
    return Fault{std::string("the database cannot be used: ") + error.what()};
  }
  return opened;
}

sql::DatabaseOptions own_pool(sql::DatabaseOptions options, int connections) {
  options.pool = connections;
  return options;
}

}  // namespace courant::server
