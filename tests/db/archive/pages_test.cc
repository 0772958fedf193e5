// What happens to stored pages when something else happens to their feed.
#include "archive/pages.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "archive/queries.h"
#include "tests/support/test_database.h"

namespace courant::archive {
namespace {

using namespace std::chrono_literals;

class StoredPagesTest : public testing::Test {
 protected:
  test::TestDatabase database_;
  sql::Session ours_{database_.url()};
  sql::Session theirs_{database_.url()};
  sql::Session watcher_{database_.url()};
};

// Both want the lane's lock and the pages: in the same order, so that neither waits for the other.
TEST_F(StoredPagesTest, ANewGenerationAndARedactionDoNotWaitForEachOther) {
  constexpr sql::Query kLock{"test.lock", "select 1 from (select lock_lane(0::smallint)) l"};
  constexpr sql::Query kDelete{"test.delete", "delete from archive_pages"};
  constexpr sql::Query kGeneration{"test.generation", "select new_generation(1, now())"};
  constexpr sql::Query kWaiting{
      "test.waiting",
      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' "
      "and query like 'select new_generation%'"};
  std::future<std::int64_t> generation;
  EXPECT_NO_THROW(ours_.transaction([&] {
    ours_.run(kLock);
    generation = std::async(std::launch::async, [&] { return theirs_.run(kGeneration)[0].integer(0); });
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (watcher_.run(kWaiting)[0].integer(0) == 0 && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
    EXPECT_EQ(watcher_.run(kWaiting)[0].integer(0), 1);
    ours_.run(kDelete);
  }));
  EXPECT_EQ(generation.get(), 2);
}

// It was rendered while retention passed it: stored now, nobody would remove it.
TEST_F(StoredPagesTest, APageThatRetentionHasPassedIsNotStored) {
  ours_.execute_script(
      "insert into feeds (lane, feed, workspace, name, uri, page_size, settings, revision, source_time, created, "
      "floor_recorded, floor_position) values (0, 1, 'demo', 'events', 'urn:x', 5, '{}', 1, now(), now(), now(), 5)");
  const auto store = [this](std::int64_t page) {
    sql::Parameters parameters;
    parameters.add(std::int64_t{0}).add(std::int64_t{1}).add(page).add(page * 5);
    parameters.add(std::int64_t{1}).add(Instant{}).add_bytes("chain");
    parameters.add_bytes("sha256").add_bytes("gzip_sha256").add_bytes("gzip");
    parameters.add(std::int64_t{0}).add(std::int64_t{1});
    ours_.run(queries::insert_page, parameters);
    constexpr sql::Query kCount{"test.count", "select count(*) from archive_pages"};
    return ours_.run(kCount)[0].integer(0);
  };
  EXPECT_EQ(store(1), 0);
  EXPECT_EQ(store(2), 1);
}

}  // namespace
}  // namespace courant::archive
