#include <algorithm>
#include <chrono>
#include <filesystem>

#include "server/commands/doctor.h"
#include "server/open_database.h"
#include "server/postgres/postgres_home.h"
#include "server/queries.h"

namespace courant::server {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::int64_t kVersion = 150000;
constexpr std::int64_t kLeastBuffers = 128 << 20;

Finding look_at_durability(const char* name, std::string_view value, const std::string& harm) {
  const std::string has = std::string(name) + " is " + std::string(value);
  if (value != "off") return ok("database", has);
  return problem("database", has + ": " + harm, std::string("alter system set ") + name + " = on");
}

Finding look_at_version(std::int64_t version) {
  const std::string has = "PostgreSQL " + std::to_string(version / 10000) + "." + std::to_string(version % 10000);
  if (version >= kVersion && version < kVersion + 10000) return ok("database", has);
  return version < kVersion ? problem("database", has + ": this program needs 15", "pg_upgrade")
                            : warning("database", has + ": this program is tested with 15", "PostgreSQL 15");
}

Finding look_at_connections(const Config& config, std::int64_t most, std::int64_t reserved) {
  const std::int64_t needed = connections_needed(config);
  const std::string has = "max_connections is " + std::to_string(most);
  if (most - reserved >= needed) return ok("database", has);
  return problem("database",
                 has + ", and " + std::to_string(config.server.processes) + " processes with database.pool = " +
                     std::to_string(config.database.pool) + " need up to " + std::to_string(needed),
                 "alter system set max_connections = " + std::to_string(needed + reserved) +
                     " and restart PostgreSQL, or a smaller database.pool");
}

// The database's clock was asked between two looks at this machine's.
Finding look_at_clock(Instant before, Instant theirs, Instant after) {
  const Instant ours = before + (after - before) / 2;
  const auto apart = std::chrono::abs(duration_cast<milliseconds>(theirs - ours));
  const std::string has = "this machine and the database are " + std::to_string(apart.count()) + " ms apart";
  if (apart < std::chrono::seconds(2)) return ok("clock", has);
  const std::string lacks = has + ": leases, expiry and Last-Modified go by both";
  const std::string change = "run chrony or systemd-timesyncd on both";
  return apart < std::chrono::minutes(1) ? warning("clock", lacks, change) : problem("clock", lacks, change);
}

Findings ask(const Config& config, const std::string& url) {
  sql::Session session(url);
  const SystemClock clock;
  const Instant before = clock.now();
  const sql::Rows rows = session.run(queries::doctor_settings);
  const Instant after = clock.now();
  const sql::Row row = rows[0];
  Findings findings = {
      look_at_version(row.integer(0)), look_at_durability("fsync", row.text(1), "a power cut destroys the database"),
      look_at_durability("synchronous_commit", row.text(2),
                         "a power cut loses entries that publishers were told are stored"),
      look_at_durability("full_page_writes", row.text(3), "a power cut destroys pages that were being written"),
      look_at_connections(config, row.integer(4), row.integer(5))};
  const std::string buffers = "shared_buffers is " + std::to_string(row.integer(6) >> 20) + " MiB";
  findings.push_back(row.integer(6) >= kLeastBuffers
                         ? ok("database", buffers)
                         : warning("database", buffers + ": pages are read from the disk again and again",
                                   "alter system set shared_buffers = '256MB' and restart PostgreSQL"));
  findings.push_back(row.text(7) == "on"
                         ? ok("database", "data checksums are on")
                         : warning("database",
                                   "data checksums are off: a disk that forgets is noticed by courant verify alone",
                                   "stop PostgreSQL, pg_checksums --enable, start it"));
  if (row.text(8) != "UTF8") {
    findings.push_back(problem("database", "its encoding is " + std::string(row.text(8)) + ": entries are Unicode",
                               "createdb --encoding=UTF8 --template=template0"));
  }
  findings.push_back(look_at_clock(before, row.instant(9), after));
  return findings;
}

}  // namespace

Findings look_at_database(const ServeOptions& options) {
  const Config& config = options.config;
  const bool is_private = config.database.url.empty();
  const PostgresHome home = PostgresHome::in(std::filesystem::absolute(options.data).string());
  if (is_private && !std::filesystem::exists(home.folder)) {
    return {ok("database", "there is none in " + options.data + " yet: the first start makes it")};
  }
  try {
    return ask(config, is_private ? home.url() : config.database.url);
  } catch (const std::exception& error) {
    if (is_private) {
      return {ok("database", "the private PostgreSQL does not run, so it is not looked at: ask again beside a server")};
    }
    return {problem("database", std::string("it cannot be asked: ") + error.what(),
                    "see whether it runs, and database.url")};
  }
}

}  // namespace courant::server
