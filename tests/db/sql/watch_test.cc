// A database that is frozen: it takes connections and statements, and says nothing.
#include "sql/watch.h"

#include <atomic>
#include <memory>

#include <gtest/gtest.h>

#include "sql/connect.h"
#include "sql/database.h"
#include "sql/executor.h"
#include "sql/listener.h"
#include "tests/support/database_relay.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::sql {
namespace {

using namespace std::chrono_literals;

class WatchTest : public testing::Test {
 protected:
  DatabaseOptions options(std::chrono::milliseconds longest = 300ms) {
    DatabaseOptions options;
    options.url = relay_.url() + "&connect_timeout=2";
    options.pool = 1;
    options.watch = std::make_shared<Watch>(longest);
    return options;
  }
  std::int64_t count() { return Session(test_.url()).run({"test.count", "select count(*) from t"})[0].integer(0); }

  test::TestDatabase test_;
  test::DatabaseRelay relay_{test_.url()};
  const Query sleep_{"test.sleep", "select pg_sleep(1)"};
  const Query insert_{"test.insert", "insert into t values ('x')"};
};

TEST_F(WatchTest, AStatementThatIsNotAnsweredIsUnavailableAndItsConnectionReplaced) {
  Database database(options());
  std::int64_t backend = 0;
  database.with_session([&](Session& session) {
    session.execute_script("create table t (x text)");
    backend = session.backend_pid();
  });
  try {
    database.with_session([&](Session& session) {
      relay_.freeze(test::DatabaseRelay::kAll);
      session.run(insert_);
    });
    FAIL() << "it was answered";
  } catch (const Unavailable& unavailable) {
    EXPECT_TRUE(unavailable.in_doubt()) << unavailable.what();
  }
  relay_.thaw();
  database.with_session([&](Session& session) { EXPECT_NE(session.backend_pid(), backend); });
  EXPECT_LE(count(), 1);
}

TEST_F(WatchTest, ACommitThatIsNotAnsweredIsInDoubt) {
  const DatabaseOptions watched = options();
  Session session(connection_string(watched), watched.watch);
  session.execute_script("create table t (x text)");
  try {
    session.transaction([&] {
      session.run(insert_);
      relay_.freeze(test::DatabaseRelay::kAll);
    });
    FAIL() << "it was answered";
  } catch (const Unavailable& unavailable) {
    EXPECT_TRUE(unavailable.in_doubt()) << unavailable.what();
  }
  EXPECT_FALSE(session.is_usable());
  relay_.thaw();
  EXPECT_THROW(session.run(insert_), Unavailable) << "nobody would watch a connection that libpqxx made anew";
}

// The transaction of work that threw is rolled back, and that takes a statement.
TEST_F(WatchTest, ARollbackThatIsNotAnsweredEnds) {
  const DatabaseOptions watched = options();
  Session session(connection_string(watched), watched.watch);
  session.execute_script("create table t (x text)");
  EXPECT_THROW(session.transaction([&] {
    session.run(insert_);
    relay_.freeze(test::DatabaseRelay::kAll);
    throw std::runtime_error("enough");
  }),
               std::runtime_error);
  EXPECT_FALSE(session.is_usable());
  relay_.thaw();
  EXPECT_EQ(count(), 0);
}

TEST_F(WatchTest, ASessionThatWaitsWithoutEndIsLeftAlone) {
  const DatabaseOptions watched = options(50ms);
  Session patient(connection_string(watched), watched.watch);
  patient.wait_without_end();
  EXPECT_EQ(patient.run(sleep_).size(), 1);
  Session other(connection_string(watched), watched.watch);
  EXPECT_THROW(other.run(sleep_), Unavailable);
}

// What is not asked anything may be silent for as long as it likes.
TEST_F(WatchTest, AnIdleSessionIsLeftAlone) {
  const DatabaseOptions watched = options(1ms);
  Database database(watched);
  database.with_session([&](Session& session) {
    Session(test_.url()).run(sleep_);
    EXPECT_TRUE(session.is_usable_at_rest());
  });
}

TEST_F(WatchTest, AListenerThatIsNotAnsweredEnds) {
  const DatabaseOptions watched = options();
  auto listener = std::make_unique<Listener>(watched, "hints");
  relay_.freeze(test::DatabaseRelay::kAll);
  EXPECT_THROW(listener->notify("hints", "lane 3"), Unavailable);
  relay_.thaw();
  auto other = std::make_unique<Listener>(watched, "hints");
  relay_.freeze(test::DatabaseRelay::kAll);
  other.reset();  // says "unlisten"
  relay_.thaw();
}

// libpq's connect_timeout, over a Unix socket that the kernel still accepts connections on.
TEST_F(WatchTest, AConnectionThatIsNotAnsweredIsUnavailable) {
  relay_.freeze(test::DatabaseRelay::kAll);
  EXPECT_THROW(Session(connection_string(options())), Unavailable);
}

// One thread waits for the database; what waits for the thread is told as soon as that has given up.
TEST_F(WatchTest, WorkThatWaitedAsLongForAThreadFailsWithoutATry) {
  Database database(options(1s));
  std::atomic<int> tried = 0;
  std::atomic<int> failed = 0;
  database.with_session([&](Session&) { relay_.freeze(test::DatabaseRelay::kAll); });
  Executor executor(database, 1, 64);
  for (int i = 0; i < 64; ++i) {
    const auto work = [&](Session& session) {
      ++tried;
      try {
        session.run(sleep_);
      } catch (const Unavailable&) {
        ++failed;
      }
    };
    ASSERT_TRUE(executor.submit(work, [&](const std::exception_ptr&) { ++failed; }));
  }
  EXPECT_TRUE(test::wait_until([&] { return failed == 64; }));
  EXPECT_EQ(tried, 1);
  relay_.thaw();
  EXPECT_TRUE(executor.submit([&](Session& session) { session.run({"test.one", "select 1"}), ++tried; }, [](auto) {}));
  EXPECT_TRUE(test::wait_until([&] { return tried == 2; }));
}

}  // namespace
}  // namespace courant::sql
