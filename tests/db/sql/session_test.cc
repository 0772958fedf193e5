#include <gtest/gtest.h>

#include "sql/database.h"
#include "sql/listener.h"
#include "sql/migrate.h"
#include "tests/support/test_database.h"

namespace courant::sql {
namespace {

using test::TestDatabase;

constexpr Query kEcho{"test.echo", "select $1::text"};
constexpr Query kEchoArray{"test.echo_array", "select unnest($1::text[])"};
constexpr Query kEndAll{
    "test.end_all",
    "select pg_terminate_backend(pid, 10000) from pg_stat_activity where pid <> pg_backend_pid() and "
    "datname = current_database()"};

TEST(Session, BringsBackEveryTypeThatItSends) {
  TestDatabase database;
  Session session(database.url());
  constexpr Query kTypes{
      "test.types", "select $1::bigint, $2::boolean, $3::text, $4::timestamptz, $5::bytea, $6::text, $7::bigint[]"};
  const Instant instant = *parse_rfc3339("2026-11-24T09:30:00.123456Z");
  Parameters parameters;
  parameters.add(std::int64_t{-42}).add(true).add("it's \\ \"text\"").add(instant).add_bytes(std::string("\0\xff", 2));
  parameters.add_null().add(std::vector<std::int64_t>{1, 2, 3});
  Database pool([&] {
    DatabaseOptions options;
    options.url = database.url();
    return options;
  }());
  pool.with_session([&](Session& pooled) {
    const Rows rows = pooled.run(kTypes, parameters);
    ASSERT_EQ(rows.size(), 1);
    EXPECT_EQ(rows[0].integer(0), -42);
    EXPECT_TRUE(rows[0].boolean(1));
    EXPECT_EQ(rows[0].text(2), "it's \\ \"text\"");
    EXPECT_EQ(rows[0].instant(3), instant);
    EXPECT_EQ(rows[0].hex(4), "00ff");
    EXPECT_EQ(rows[0].bytes(4), std::string("\0\xff", 2));
    EXPECT_TRUE(rows[0].is_null(5));
    EXPECT_EQ(rows[0].integers(6), (std::vector<std::int64_t>{1, 2, 3}));
  });
}

TEST(Session, ArraysKeepNastyTexts) {
  TestDatabase database;
  Session session(database.url());
  const std::vector<std::string> texts = {"", "NULL", "{}", "a,b", "\"", "\\", "\\\"{", " x ", "\n\t", "ü€😀", "null"};
  const Rows rows = session.run(kEchoArray, Parameters().add(texts));
  ASSERT_EQ(rows.size(), static_cast<int>(texts.size()));
  for (int i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].text(0), texts[static_cast<std::size_t>(i)]);
}

TEST(Session, JoinedTextsComeApartAgain) {
  TestDatabase database;
  Session session(database.url());
  constexpr Query kApart{"test.apart", "select t from unnest(string_to_array($1::text, chr(31), '')) as t"};
  const std::vector<std::string_view> texts = {"a,b", "", "\"{\\", "\n\t", "ü€😀", ""};
  const Rows rows = session.run(kApart, Parameters().add_joined(texts));
  ASSERT_EQ(rows.size(), static_cast<int>(texts.size()));
  for (int i = 0; i < rows.size(); ++i) {
    const std::string_view text = texts[static_cast<std::size_t>(i)];
    EXPECT_EQ(rows[i].is_null(0), text.empty());
    EXPECT_EQ(rows[i].is_null(0) ? "" : rows[i].text(0), text);
  }
  EXPECT_TRUE(Parameters().add_joined({"", ""}).values()[0].is_null);
  EXPECT_THROW(Parameters().add_joined({"a", "b\x1f"}), Refused);
}

// A right that is missing does not come by waiting.
TEST(Session, AMissingRightIsARefusal) {
  TestDatabase database;
  Session session(database.url());
  try {
    session.execute_script("do $$ begin raise exception 'permission denied' using errcode = '42501'; end $$");
    FAIL();
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.state(), "42501");
    EXPECT_FALSE(refused.is_of_values());
  }
}

TEST(Session, TellsWhatWasRefusedFromWhatIsUnavailable) {
  TestDatabase database;
  Session session(database.url());
  constexpr Query kZero{"test.zero", "select 1 / $1::integer"};
  try {
    session.run(kZero, Parameters().add(std::int64_t{0}));
    FAIL();
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.state(), "22012");
  }
  EXPECT_TRUE(session.is_usable());
  Session killer(database.url());
  killer.run(kEndAll);
  EXPECT_THROW(session.run(kEcho, Parameters().add("x")), Unavailable);
  EXPECT_FALSE(session.is_usable());
}

TEST(Session, ATransactionThatThrowsLeavesNothing) {
  TestDatabase database;
  Session session(database.url());
  session.execute_script("create table t (x text)");
  constexpr Query kInsert{"test.insert", "insert into t values ($1)"};
  constexpr Query kCount{"test.count", "select count(*) from t"};
  EXPECT_THROW(session.transaction([&] {
    session.run(kInsert, Parameters().add("x"));
    throw std::runtime_error("enough");
  }),
               std::runtime_error);
  EXPECT_EQ(session.run(kCount)[0].integer(0), 0);
  session.transaction([&] { session.run(kInsert, Parameters().add("x")); });
  EXPECT_EQ(session.run(kCount)[0].integer(0), 1);
}

// A request that meets a connection from before the database's restart is answered all the same.
TEST(Database, ReplacesIdleConnectionsThatTheServerEnded) {
  TestDatabase test;
  Database database(test.options());
  const auto use_three = [&] {
    database.with_session([&](Session& first) {
      database.with_session([&](Session& second) {
        database.with_session([&](Session& third) {
          for (Session* session : {&first, &second, &third}) session->run(kEcho, Parameters().add("x"));
        });
      });
    });
  };
  use_three();
  Session(test.url()).run(kEndAll);
  use_three();
}

TEST(Database, ReplacesAConnectionThatDiesAtWork) {
  TestDatabase test;
  Database database(test.options());
  const auto die = [&](Session& session) {
    Session(test.url()).run(kEndAll);
    session.run(kEcho, Parameters().add("x"));
  };
  EXPECT_THROW(database.with_session(die), Unavailable);
  database.with_session(
      [](Session& session) { EXPECT_EQ(session.run(kEcho, Parameters().add("again"))[0].text(0), "again"); });
}

TEST(Listener, HearsWhatOthersSay) {
  TestDatabase test;
  Listener listener(test.options(), "hints");
  Listener(test.options(), "elsewhere").notify("hints", "lane 3");
  std::vector<Notification> heard;
  while (heard.empty()) heard = listener.wait(std::chrono::milliseconds(1000));
  EXPECT_EQ(heard.front().payload, "lane 3");
}

TEST(Migrate, RunsEachStepOnceAndRefusesChangedOnes) {
  TestDatabase test = TestDatabase::empty();
  Session session(test.url());
  const auto ignore = [](std::string_view) {};
  const Schema first = {{{"0001_a", "create table a (x int)"}},
                        {{"f", "create or replace function f() returns int language sql as 'select 1'"}}};
  EXPECT_EQ(migrate(session, first, ignore), 1);
  EXPECT_EQ(migrate(session, first, ignore), 0);
  EXPECT_THROW(migrate(session, Schema{{{"0001_a", "create table a (y int)"}}, {}}, ignore), Refused);
  EXPECT_THROW(migrate(session, Schema{}, ignore), Refused);
  const Schema second = {first.migrations,
                         {{"f", "create or replace function f() returns int language sql as 'select 2'"}}};
  EXPECT_EQ(migrate(session, second, ignore), 0);
  EXPECT_EQ(session.run({"test.f", "select f()"})[0].integer(0), 2) << "a function that differs is replaced";
}

}  // namespace
}  // namespace courant::sql
