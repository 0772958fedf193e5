// Migrations that run while the version before serves.
#include "sql/migrate.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/contents.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::sql {
namespace {

using test::TestDatabase;
using test::wait_until;

// Somebody reads a table for long. A migration that waited for him as long would keep every writer behind it waiting.
TEST(Migrate, WaitsForATableInMomentsSoThatWritersGoOn) {
  const TestDatabase database = TestDatabase::empty();
  Session reader(database.url());
  const auto ignore = [](std::string_view) {};
  const SqlFile before{"0001_a", "create table a (x int)"};
  ASSERT_EQ(migrate(reader, Schema{{before}, {}}, ignore), 1);
  reader.execute_script("begin; select * from a");
  std::atomic<bool> is_migrated{false};
  std::thread migrating([&] {
    Session session(database.url());
    const SqlFile after{"0002_b", "alter table a add column y int"};
    EXPECT_EQ(migrate(session, Schema{{before, after}, {}}, ignore), 1);
    is_migrated = true;
  });
  Session watcher(database.url());
  constexpr Query kWaiting{"test.waiting",
                           "select count(*) from pg_locks where not granted and mode = 'AccessExclusiveLock'"};
  int waits = 0;
  Session writer(database.url());
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(wait_until([&] { return watcher.run(kWaiting)[0].integer(0) > 0; })) << "it tries again";
    ++waits;
    writer.execute_script("insert into a (x) values (1)");  // of a version that does not know of y
    EXPECT_FALSE(is_migrated);
  }
  EXPECT_EQ(waits, 5);
  reader.execute_script("commit");
  migrating.join();
  writer.execute_script("insert into a (x) values (1)");
}

// What a version that serves meanwhile relies on must stay: docs/decisions/0011-takeover-and-package.md. The rule came
// with takeovers; what is older has run everywhere.
TEST(Migrate, MigrationsOnlyAdd) {
  constexpr std::string_view kFirst = "0019";
  for (const auto& file : std::filesystem::directory_iterator(COURANT_SOURCE_DIR "/sql/migrations")) {
    const std::string name = file.path().filename();
    if (name < kFirst) continue;
    const std::string text = test::contents_of(file.path());
    for (const char* const taken :
         {"drop table", "drop column", "drop function", "rename ", " set not null", " type ", "truncate "}) {
      EXPECT_EQ(text.find(taken), std::string::npos) << name << " says \"" << taken << "\"";
    }
  }
}

}  // namespace
}  // namespace courant::sql
