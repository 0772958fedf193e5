#include "feeds/writer.h"

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "feeds/directory.h"
#include "feeds/follower.h"
#include "sql/watch.h"
#include "tests/support/database_relay.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::feeds {
namespace {

using test::TestDatabase;

std::shared_ptr<const PreparedEntry> entry(const std::string& id, const std::string& content = "x") {
  PreparedEntry prepared;
  prepared.id = id;
  prepared.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
  prepared.after_times = "<title></title><content>" + content + "</content></entry>";
  prepared.content_digest = sha256(content);
  prepared.terms = {"Type:Test"};
  return std::make_shared<const PreparedEntry>(std::move(prepared));
}

class WriterTest : public testing::Test {
 protected:
  Published publish(Writer& writer, FeedKey feed, std::shared_ptr<const PreparedEntry> prepared) {
    std::promise<Published> promise;
    writer.submit(feed, std::move(prepared), {}, [&](const Published& result) { promise.set_value(result); });
    return promise.get_future().get();
  }

  FeedKey make_feed(const std::string& name) {
    FeedKey key;
    database_.with_session([&](sql::Session& session) {
      key = directory_.create(session, {"demo", name, 25, {}, clock_.now()}, clock_.now())->facts().key;
    });
    return key;
  }

  // Positions and chain of a feed, checked as an outsider would.
  void expect_dense_and_chained(FeedKey feed, std::int64_t expected) {
    constexpr sql::Query kRows{
        "test.rows",
        "select position, salt, leaf, chain, xml, recorded from entries where lane = $1 and feed "
        "= $2 order by position"};
    database_.with_session([&](sql::Session& session) {
      const sql::Rows rows = session.run(kRows, sql::Parameters().add(feed.lane).add(feed.feed));
      ASSERT_EQ(rows.size(), expected);
      std::string chain(32, '\0');
      Instant recorded;
      for (int i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].integer(0), i + 1);
        const std::string leaf(bytes_of(sha256(rows[i].bytes(1), rows[i].text(4))));
        EXPECT_EQ(rows[i].bytes(2), leaf);
        chain = std::string(bytes_of(sha256(chain, leaf)));
        EXPECT_EQ(rows[i].bytes(3), chain);
        EXPECT_LE(recorded, rows[i].instant(5));
        recorded = rows[i].instant(5);
      }
    });
  }

  TestDatabase test_;
  sql::Database database_{test_.options()};
  SystemClock clock_;
  Metrics metrics_;
  Directory directory_{16};
  Writer::Committed ignore_ = [](const std::vector<Advance>&) {};
};

TEST_F(WriterTest, GivesDensePositionsAndAnswersARetryWithTheStoredEntry) {
  const FeedKey feed = make_feed("events");
  Writer writer({}, database_, clock_, metrics_, ignore_);
  const Published first = publish(writer, feed, entry("urn:a"));
  EXPECT_EQ(first.outcome, PublishOutcome::kCreated);
  EXPECT_EQ(first.position, 1);
  EXPECT_EQ(publish(writer, feed, entry("urn:b")).position, 2);
  const Published again = publish(writer, feed, entry("urn:a"));
  EXPECT_EQ(again.outcome, PublishOutcome::kSame);
  EXPECT_EQ(again.position, 1);
  EXPECT_EQ(again.recorded, first.recorded);
  EXPECT_EQ(again.chain, first.chain);
  EXPECT_EQ(publish(writer, feed, entry("urn:a", "other")).outcome, PublishOutcome::kConflict);
  EXPECT_EQ(publish(writer, {feed.lane, 999}, entry("urn:c")).outcome, PublishOutcome::kNoFeed);
  expect_dense_and_chained(feed, 2);
}

// A database that is frozen: it takes what is sent and says nothing.
TEST_F(WriterTest, WhoWaitsBehindACallThatFailsIsToldWithIt) {
  std::vector<FeedKey> feeds;
  std::set<std::int64_t> lanes;
  for (int i = 0; i < 8; ++i) {
    feeds.push_back(make_feed("f" + std::to_string(i)));
    lanes.insert(feeds.back().lane);
  }
  ASSERT_GT(lanes.size(), 1U);
  test::DatabaseRelay relay(test_.url());
  sql::DatabaseOptions options;
  options.url = relay.url() + "&connect_timeout=2";
  options.watch = std::make_shared<sql::Watch>(std::chrono::milliseconds(500));
  sql::Database watched(options);
  std::atomic<int> unknown = 0;
  std::atomic<int> not_tried = 0;
  Writer writer({.threads = 1, .patience = {}}, watched, clock_, metrics_, ignore_);
  ASSERT_EQ(publish(writer, feeds[0], entry("urn:a")).outcome, PublishOutcome::kCreated);
  relay.freeze(test::DatabaseRelay::kAll);
  for (const FeedKey& feed : feeds) {
    writer.submit(feed, entry("urn:b"), {}, [&](const Published& result) {
      if (result.outcome == PublishOutcome::kUnknown) ++unknown;
      if (result.outcome == PublishOutcome::kOverloaded) ++not_tried;
    });
  }
  EXPECT_TRUE(test::wait_until([&] { return unknown + not_tried == 8; }));
  EXPECT_GT(unknown, 0);
  EXPECT_GT(not_tried, 0);
  relay.thaw();
  for (const FeedKey& feed : feeds) {
    EXPECT_TRUE(test::wait_until([&] {
      const PublishOutcome outcome = publish(writer, feed, entry("urn:b")).outcome;
      return outcome == PublishOutcome::kCreated || outcome == PublishOutcome::kSame;
    }));
  }
  for (std::size_t i = 0; i < feeds.size(); ++i) expect_dense_and_chained(feeds[i], i == 0 ? 2 : 1);
}

TEST_F(WriterTest, SameIdFromManyClientsAtOnceIsStoredOnce) {
  const FeedKey feed = make_feed("events");
  Writer writer({}, database_, clock_, metrics_, ignore_);
  std::atomic<int> created{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 16; ++i) {
    clients.emplace_back([&] {
      const Published result = publish(writer, feed, entry("urn:same"));
      EXPECT_EQ(result.position, 1);
      if (result.outcome == PublishOutcome::kCreated) ++created;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(created, 1);
  expect_dense_and_chained(feed, 1);
}

// 64 writers through two processes' worth of writers on one feed while a transaction and a snapshot are held open: a
// reader that only asks for "after my position" sees every position once, in order, at once.
TEST_F(WriterTest, AReaderThatFollowsPositionsMissesNothingWithHeldTransactions) {
  const FeedKey feed = make_feed("events");
  Writer one({}, database_, clock_, metrics_, ignore_);
  Writer two({}, database_, clock_, metrics_, ignore_);
  sql::Session held(test_.url());
  held.execute_script("begin isolation level repeatable read; select * from entries; create table held (x int)");

  constexpr int kEach = 25;
  std::atomic<bool> done{false};
  constexpr sql::Query kAfter{
      "test.after", "select position from entries where lane = $1 and feed = $2 and position > $3 order by position"};
  std::vector<std::thread> readers;
  for (int r = 0; r < 4; ++r) {
    readers.emplace_back([&] {
      sql::Session session(test_.url());
      std::int64_t seen = 0;
      for (bool last_look = false;;) {
        const sql::Rows rows = session.run(kAfter, sql::Parameters().add(feed.lane).add(feed.feed).add(seen));
        for (int i = 0; i < rows.size(); ++i) {
          EXPECT_EQ(rows[i].integer(0), seen + 1);
          seen = rows[i].integer(0);
        }
        if (last_look) break;
        last_look = done;
      }
      EXPECT_EQ(seen, 64 * kEach);
    });
  }
  std::vector<std::thread> writers;
  for (int w = 0; w < 64; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        const std::string id = "urn:" + std::to_string(w) + ":" + std::to_string(i);
        EXPECT_EQ(publish(w % 2 == 0 ? one : two, feed, entry(id)).outcome, PublishOutcome::kCreated);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& reader : readers) reader.join();
  expect_dense_and_chained(feed, 64 * kEach);
}

// A batch that comes while an id of it is being deleted meets the deletion, though both wait for the same call.
TEST_F(WriterTest, ABatchIsJudgedAfterTheDeletionsBeforeIt) {
  const FeedKey feed = make_feed("events");
  Writer writer({}, database_, clock_, metrics_, ignore_);
  ASSERT_EQ(publish(writer, feed, entry("urn:x")).position, 1);
  sql::Session holder(test_.url());
  std::promise<Published> first, deleted;
  std::promise<std::vector<Published>> batch;
  holder.transaction([&] {
    constexpr sql::Query kLock{"test.lock", "select lock_lane($1::smallint)"};
    constexpr sql::Query kWaits{
        "test.waits",
        "select exists (select from pg_locks l join pg_database d on d.oid = l.database where not "
        "l.granted and l.locktype = 'advisory' and d.datname = current_database())"};
    holder.run(kLock, sql::Parameters().add(feed.lane));
    writer.submit(feed, entry("urn:y"), {}, [&](const Published& result) { first.set_value(result); });
    while (!holder.run(kWaits)[0].boolean(0)) std::this_thread::yield();
    // What follows waits for the call that waits for the lock, and is gathered into one.
    Change deletion;
    deletion.kind = Change::Kind::kDeletion;
    writer.submit(feed, entry("urn:x"), deletion, [&](const Published& result) { deleted.set_value(result); });
    writer.submit_batch(feed, {entry("urn:a"), entry("urn:x")}, false, Change::kAnywhere,
                        [&](const std::vector<Published>& results) { batch.set_value(results); });
  });
  EXPECT_EQ(first.get_future().get().position, 2);
  EXPECT_EQ(deleted.get_future().get().position, 3);
  const std::vector<Published> results = batch.get_future().get();
  EXPECT_EQ(results[0].outcome, PublishOutcome::kBatchFailed);
  EXPECT_EQ(results[1].outcome, PublishOutcome::kGone);
}

// The same id many times in one batch: stored once, the others are retries of it; in a batch that fails, nothing is.
TEST_F(WriterTest, AnIdThatABatchNamesManyTimesIsStoredOnce) {
  const FeedKey feed = make_feed("events");
  Writer writer({}, database_, clock_, metrics_, ignore_);
  const auto submit = [&](const std::vector<std::shared_ptr<const PreparedEntry>>& entries) {
    std::promise<std::vector<Published>> promise;
    writer.submit_batch(feed, entries, false, Change::kAnywhere,
                        [&](const std::vector<Published>& results) { promise.set_value(results); });
    return promise.get_future().get();
  };
  const std::vector<Published> failed = submit({entry("urn:a"), entry("urn:a"), entry("urn:a", "other")});
  EXPECT_EQ(failed[0].outcome, PublishOutcome::kBatchFailed);
  EXPECT_EQ(failed[2].outcome, PublishOutcome::kConflict);
  const std::vector<Published> results = submit({entry("urn:a"), entry("urn:b"), entry("urn:a"), entry("urn:a")});
  EXPECT_EQ(results[0].outcome, PublishOutcome::kCreated);
  for (const std::size_t twin : {2U, 3U}) {
    EXPECT_EQ(results[twin].outcome, PublishOutcome::kSame);
    EXPECT_EQ(results[twin].position, 1);
    EXPECT_EQ(results[twin].chain, results[0].chain);
  }
  expect_dense_and_chained(feed, 2);
}

TEST_F(WriterTest, KilledBackendsNeitherLoseNorDoubleAnEntry) {
  const FeedKey feed = make_feed("events");
  WriterOptions options;
  options.patience = std::chrono::minutes(2);  // that it gives up is not what is tested here
  Writer writer(options, database_, clock_, metrics_, ignore_);
  std::atomic<bool> done{false};
  std::thread killer([&] {
    constexpr sql::Query kKill{"test.kill",
                               "select pg_terminate_backend(pid) from pg_stat_activity where query like '%publish(%' "
                               "and pid <> pg_backend_pid() and datname = current_database()"};
    constexpr sql::Query kNap{"test.nap", "select pg_sleep(0.02)"};
    sql::Session session(test_.url());
    while (!done) {
      session.run(kKill);
      session.run(kNap);
    }
  });
  std::vector<std::thread> clients;
  std::mutex mutex;
  std::set<std::int64_t> positions;
  for (int c = 0; c < 16; ++c) {
    clients.emplace_back([&, c] {
      for (int i = 0; i < 30; ++i) {
        const Published result = publish(writer, feed, entry("urn:" + std::to_string(c) + ":" + std::to_string(i)));
        EXPECT_EQ(result.outcome, PublishOutcome::kCreated);
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(positions.insert(result.position).second);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  done = true;
  killer.join();
  EXPECT_EQ(positions.size(), 480U);
  expect_dense_and_chained(feed, 480);
}

TEST_F(WriterTest, AnItemThatTheDatabaseRefusesFailsAlone) {
  const FeedKey feed = make_feed("events");
  Writer writer({}, database_, clock_, metrics_, ignore_);
  PreparedEntry bad = *entry("urn:bad");
  bad.terms = {std::string("\xff")};  // no UTF-8: the door refuses such, the writer must survive it all the same
  std::vector<std::future<Published>> results;
  std::vector<std::promise<Published>> promises(3);
  const std::vector<std::shared_ptr<const PreparedEntry>> entries = {
      entry("urn:a"), std::make_shared<const PreparedEntry>(bad), entry("urn:c")};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    results.push_back(promises[i].get_future());
    writer.submit(feed, entries[i], {},
                  [&promise = promises[i]](const Published& result) { promise.set_value(result); });
  }
  EXPECT_EQ(results[0].get().outcome, PublishOutcome::kCreated);
  EXPECT_EQ(results[1].get().outcome, PublishOutcome::kRefused);
  EXPECT_EQ(results[2].get().outcome, PublishOutcome::kCreated);
  expect_dense_and_chained(feed, 2);
}

TEST_F(WriterTest, AnotherProcessHearsOfACommit) {
  const FeedKey feed = make_feed("events");
  std::promise<std::int64_t> heard;
  Directory other(16);
  database_.with_session([&](sql::Session& session) { other.load(session, "demo", "events"); });
  Follower theirs(database_, other, clock_,
                  [&](const std::vector<Advance>& advances) { heard.set_value(advances.front().last); });
  Follower ours(database_, directory_, clock_, [](const std::vector<Advance>&) {});
  while (!theirs.is_current()) std::this_thread::yield();
  Writer writer(
      {}, database_, clock_, metrics_, [&](const std::vector<Advance>&) { directory_.advance(feed, 1); },
      [&](const std::vector<Advance>& advances) { ours.tell(advances.front().feed.lane); });
  publish(writer, feed, entry("urn:a"));
  EXPECT_EQ(directory_.find(feed)->head(), 1);
  EXPECT_EQ(heard.get_future().get(), 1);
  EXPECT_EQ(other.find(feed)->head(), 1);
}

}  // namespace
}  // namespace courant::feeds
