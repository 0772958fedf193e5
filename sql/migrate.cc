#include "sql/migrate.h"

#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "kernel/digest.h"
#include "sql/schema_tables.h"

namespace courant::sql {
namespace {

constexpr std::string_view kPrepare = R"(
create table if not exists courant_migrations (
  name text primary key,
  sha256 text not null,
  applied timestamptz not null default now());
create table if not exists courant_functions (
  name text primary key,
  sha256 text not null)
)";
constexpr Query kLock{"migrate.lock", "select pg_advisory_lock(1131377010, -1)"};
constexpr Query kUnlock{"migrate.unlock", "select pg_advisory_unlock(1131377010, -1)"};
constexpr Query kApplied{"migrate.applied", "select name, sha256 from courant_migrations"};
constexpr Query kFunction{"migrate.function", "select sha256 from courant_functions where name = $1"};
constexpr Query kRecordFunction{"migrate.record_function",
                                "insert into courant_functions (name, sha256) values ($1, $2) "
                                "on conflict (name) do update set sha256 = excluded.sha256"};
constexpr Query kRecord{"migrate.record", "insert into courant_migrations (name, sha256) values ($1, $2)"};

// A migration that waits for a table makes all who come behind it wait, too: those of a version that serves meanwhile.
// So it waits for moments only, and tries again when whoever had the table is through.
constexpr std::string_view kMoment = "set local lock_timeout = '200ms'";
constexpr auto kLongest = std::chrono::minutes(5);
constexpr auto kRest = std::chrono::milliseconds(200);

void run_in_moments(Session& session, const std::function<void()>& work) {
  const auto give_up = std::chrono::steady_clock::now() + kLongest;
  for (;;) {
    try {
      return session.transaction([&] {
        session.execute_script(kMoment);
        work();
      });
    } catch (const Unavailable&) {
      if (!session.is_usable() || std::chrono::steady_clock::now() > give_up) throw;
    }
    std::this_thread::sleep_for(kRest);
  }
}

int run_missing(Session& session, const std::vector<SqlFile>& migrations,
                const std::function<void(std::string_view)>& progress) {
  session.execute_script(kPrepare);
  std::map<std::string, std::string, std::less<>> applied;
  const Rows rows = session.run(kApplied);
  for (int i = 0; i < rows.size(); ++i) applied.emplace(rows[i].text(0), rows[i].text(1));

  int count = 0;
  for (const SqlFile& migration : migrations) {
    const std::string digest = to_hex(bytes_of(sha256(migration.text)));
    if (const auto found = applied.find(migration.name); found != applied.end()) {
      if (found->second != digest) {
        throw Refused("migration " + std::string(migration.name) + " ran in this database with another text", "");
      }
      applied.erase(found);
      continue;
    }
    progress(migration.name);
    run_in_moments(session, [&] {
      session.execute_script(migration.text);
      session.run(kRecord, Parameters().add(migration.name).add(digest));
    });
    ++count;
  }
  if (!applied.empty()) {
    throw Refused("the database is newer than this program: it has migration " + applied.begin()->first, "");
  }
  return count;
}

// All in one transaction: another process never sees functions of two programs.
void put_functions(Session& session, const std::vector<SqlFile>& functions, bool is_migrated,
                   const std::function<void(std::string_view)>& progress) {
  run_in_moments(session, [&] {
    for (const SqlFile& function : functions) {
      const std::string digest = to_hex(bytes_of(sha256(function.text)));
      const Rows known = session.run(kFunction, Parameters().add(function.name));
      if (!is_migrated && !known.empty() && known[0].text(0) == digest) continue;
      progress(function.name);
      session.execute_script(function.text);
      session.run(kRecordFunction, Parameters().add(function.name).add(digest));
    }
  });
}

}  // namespace

int migrate(Session& session, const std::function<void(std::string_view)>& progress) {
  return migrate(session, kSchema, progress);
}

int migrate(Session& session, const Schema& schema, const std::function<void(std::string_view)>& progress) {
  session.run(kLock);
  int count = 0;
  try {
    count = run_missing(session, schema.migrations, progress);
    put_functions(session, schema.functions, count > 0, progress);
  } catch (...) {
    if (session.is_usable()) session.run(kUnlock);
    throw;
  }
  session.run(kUnlock);
  return count;
}

}  // namespace courant::sql
