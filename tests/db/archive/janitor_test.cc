#include "archive/janitor.h"

#include <future>

#include <gtest/gtest.h>

#include "feeds/lifecycle.h"
#include "tests/support/database_relay.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::archive {
namespace {

using namespace std::chrono_literals;

class JanitorTest : public testing::Test {
 protected:
  // No statement gives up by itself.
  sql::DatabaseOptions patient() const {
    sql::DatabaseOptions options = test_database_.options();
    options.lock_timeout = 0ms;
    return options;
  }

  void stop_in_a_vacuum(const sql::Database& database, test::DatabaseRelay* relay);

  test::TestDatabase test_database_;
  sql::Database database_{patient()};
  sql::Executor executor_{database_, 1, 16};
  const SystemClock clock_;
  Metrics metrics_;
  feeds::Engine engine_{{}, 16, database_, executor_, clock_, metrics_, [](const std::vector<feeds::Advance>&) {}};
};

// However it was asked for, and whoever dies meanwhile: what was erased goes from the disk, and not on a reader's
// thread.
TEST_F(JanitorTest, ClearsWhatWasErased) {
  constexpr sql::Query kLeft{"test.left", "select count(*) from erasures"};
  sql::Session session(test_database_.url());
  EXPECT_FALSE(feeds::clear_erased(session)) << "there is nothing";
  session.execute_script("insert into erasures (at) values (now()), (now())");
  JanitorOptions options;
  options.tick = 10ms;
  Janitor janitor(database_, engine_, metrics_, options);
  EXPECT_TRUE(test::wait_until([&] { return session.run(kLeft)[0].integer(0) == 0; }));
  const sql::Rows vacuumed =
      session.run(sql::Query{"test.vacuumed",
                             "select count(*) from pg_stat_user_tables where vacuum_count > 0 and relname in "
                             "('entries', 'entry_terms', 'media_pieces', 'archive_pages')"});
  EXPECT_EQ(vacuumed[0].integer(0), 4);
  janitor.stop();
  engine_.stop();
}

// A janitor over that database is told to stop in the middle of a vacuum; relay: freezes before that, null: none.
void JanitorTest::stop_in_a_vacuum(const sql::Database& database, test::DatabaseRelay* relay) {
  constexpr sql::Query kLock{"test.lock", "lock table entries in share update exclusive mode"};
  constexpr sql::Query kWaiting{
      "test.waiting",
      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' "
      "and query = 'vacuum entries'"};
  sql::Session holder(test_database_.url());
  sql::Session watcher(test_database_.url());
  JanitorOptions options;
  options.tick = 10ms;
  options.vacuum_after = 0;
  std::future<void> stopped;
  std::unique_ptr<Janitor> janitor;
  holder.transaction([&] {
    holder.run(kLock);
    janitor = std::make_unique<Janitor>(database, engine_, metrics_, options);
    EXPECT_TRUE(test::wait_until([&] { return watcher.run(kWaiting)[0].integer(0) == 1; }));
    if (relay != nullptr) relay->freeze(test::DatabaseRelay::kAll);
    stopped = std::async(std::launch::async, [&] { janitor->stop(); });
    EXPECT_EQ(stopped.wait_for(test::kPatience), std::future_status::ready);
    if (relay != nullptr) relay->thaw();
    // Nor is it left at work, where it would keep its lock: another janitor takes over.
    EXPECT_TRUE(test::wait_until([&] { return watcher.run(kWaiting)[0].integer(0) == 0; }));
  });
  engine_.stop();
}

// A vacuum may take hours, and a server that is told to stop does not wait for it.
TEST_F(JanitorTest, StopsInTheMiddleOfAVacuum) {
  stop_in_a_vacuum(database_, nullptr);
}

TEST_F(JanitorTest, StopsWhileTheDatabaseDoesNotAnswer) {
  test::DatabaseRelay relay(test_database_.url());
  sql::DatabaseOptions options = patient();
  options.url = relay.url();
  stop_in_a_vacuum(sql::Database(options), &relay);
}

}  // namespace
}  // namespace courant::archive
