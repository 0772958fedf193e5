// What dropping history reads, whatever PostgreSQL's statistics say: publishing into the lane waits for it.
#include <gtest/gtest.h>

#include "feeds/directory.h"
#include "tests/support/rows_read.h"
#include "tests/support/test_database.h"

namespace courant::archive {
namespace {

constexpr std::int64_t kEntries = 20'000;
constexpr std::int64_t kPiece = 500;

enum class Statistics { kNeverCounted, kCountedWhenEmpty, kCountedWhenSmall, kCounted };

class DropPlansTest : public testing::TestWithParam<Statistics> {
 protected:
  DropPlansTest() {
    for (const char* const table : {"entries", "entry_ids", "entry_terms", "archive_pages"})
      session_.execute_script(std::string("alter table ") + table + " set (autovacuum_enabled = false)");
    SystemClock clock;
    feeds::Directory directory(16);
    key_ = directory.create(session_, {"demo", "events", 25, {}, clock.now()}, clock.now())->facts().key;
  }

  void fill(std::int64_t first, std::int64_t last) {
    const std::string place = std::to_string(key_.lane) + ", " + std::to_string(key_.feed);
    const std::string numbers =
        " from generate_series(" + std::to_string(first) + ", " + std::to_string(last) + ") as s (n)";
    session_.execute_script(
        "insert into entry_ids (lane, feed, id_hash, first_position, newest_position, digest) select " + place +
        ", encode(substr(sha256(convert_to('urn:x:' || n, 'UTF8')), 1, 16), 'hex')::uuid, n, n, ''" + numbers);
    session_.execute_script(
        "insert into entries (lane, feed, position, kind, id, recorded, published, updated, size, needs_alternate, "
        "content_type, terms, salt, leaf, chain, xml) select " +
        place + ", n, 1, 'urn:x:' || n, now(), now(), now(), 0, false, '', '{all,some}', '', '', '', ''" + numbers);
    for (const char* const term : {"all", "some"}) {
      session_.execute_script("insert into entry_terms (lane, feed, term, position) select " + place + ", '" + term +
                              "', n" + numbers);
    }
  }

  std::int64_t rows_read() { return test::rows_read(dropper_, session_); }

  std::int64_t drop(std::int64_t after) {
    constexpr sql::Query kForget{"test.forget", "select forget_ids($1::smallint, $2::bigint, $3::bigint, $4::bigint)"};
    constexpr sql::Query kDrop{"test.drop", "select drop_rows($1::smallint, $2::bigint, $3::bigint, $4::bigint)"};
    const auto place = [&] { return sql::Parameters().add(key_.lane).add(key_.feed).add(after); };
    const std::int64_t upto = dropper_.run(kForget, place().add(kPiece))[0].integer(0);
    dropper_.run(kDrop, place().add(upto));
    return upto;
  }

  test::TestDatabase test_;
  sql::Session session_{test_.url()};
  sql::Session dropper_{test_.url()};
  feeds::FeedKey key_;
};

TEST_P(DropPlansTest, APieceReadsWhatItDrops) {
  if (GetParam() == Statistics::kCountedWhenEmpty) session_.execute_script("vacuum analyze");
  fill(1, 100);
  if (GetParam() == Statistics::kCountedWhenSmall) session_.execute_script("vacuum analyze");
  fill(101, kEntries);
  if (GetParam() == Statistics::kCounted) session_.execute_script("vacuum analyze");
  session_.execute_script("update feeds set floor_position = 10000");
  std::int64_t dropped_to = 0;
  for (int piece = 0; piece < 4; ++piece) {
    const std::int64_t before = rows_read();
    dropped_to = drop(dropped_to);
    EXPECT_EQ(dropped_to, (piece + 1) * kPiece);
    // Of each entry its row, once for its id and once for all, its id, once before the lock, and two terms.
    EXPECT_LE(rows_read() - before, 50 + 12 * kPiece) << "piece " << piece;
  }
  constexpr sql::Query kLeft{
      "test.left",
      "select (select count(*) from entries), (select count(*) from entry_ids), (select count(*) "
      "from entry_terms), (select min(position) from entry_terms)"};
  const sql::Rows left = session_.run(kLeft);
  EXPECT_EQ(left[0].integer(0), kEntries - 4 * kPiece);
  EXPECT_EQ(left[0].integer(1), kEntries - 4 * kPiece);
  EXPECT_EQ(left[0].integer(2), 2 * (kEntries - 4 * kPiece));
  EXPECT_EQ(left[0].integer(3), 4 * kPiece + 1);
}

INSTANTIATE_TEST_SUITE_P(WhateverStatisticsSay, DropPlansTest,
                         testing::Values(Statistics::kNeverCounted, Statistics::kCountedWhenEmpty,
                                         Statistics::kCountedWhenSmall, Statistics::kCounted));

}  // namespace
}  // namespace courant::archive
