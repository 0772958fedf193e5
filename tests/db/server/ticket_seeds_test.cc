// The seeds of TLS tickets in the database: made, shared, and gone when they are old.
#include "server/ticket_seeds.h"

#include <gtest/gtest.h>

#include "tests/support/any_query.h"
#include "tests/support/moved_clock.h"
#include "tests/support/test_database.h"

namespace courant::server {
namespace {

class TicketSeedsTest : public testing::Test {
 protected:
  using Seeds = std::map<std::int64_t, std::string>;

  // As a server has them, by their epochs, counted from the first one.
  Seeds keep(sql::Session& session, Instant now) const {
    Seeds seeds;
    for (const http::TicketSeed& seed : keep_ticket_seeds(session, now)) {
      seeds[seed.epoch - http::ticket_epoch(clock_.now())] = seed.seed;
    }
    return seeds;
  }

  const test::MovedClock clock_;
  test::TestDatabase made_;
  sql::Session session_{made_.url()};
  sql::Session other_{made_.url()};
};

TEST_F(TicketSeedsTest, AreMadeOnceAndTheSameForAll) {
  const Seeds first = keep(session_, clock_.now());
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first.at(0).size(), 32U);
  EXPECT_EQ(first.at(1).size(), 32U);
  EXPECT_NE(first.at(0), first.at(1));
  EXPECT_EQ(keep(other_, clock_.now()), first);
  // A server whose clock is ahead makes one more, and all have it.
  const Seeds ahead = keep(other_, clock_.now() + http::kTicketEpoch);
  ASSERT_EQ(ahead.size(), 3U);
  EXPECT_EQ(ahead.at(0), first.at(0));
  EXPECT_EQ(ahead.at(1), first.at(1));
  EXPECT_EQ(keep(session_, clock_.now()), ahead);
}

TEST_F(TicketSeedsTest, AreGoneTwoEpochsLater) {
  const Seeds first = keep(session_, clock_.now());
  const Seeds later = keep(session_, clock_.now() + 2 * http::kTicketEpoch);
  ASSERT_EQ(later.size(), 3U);
  EXPECT_EQ(later.at(1), first.at(1)) << "of the epoch before";
  EXPECT_FALSE(later.contains(0));
  const sql::Rows rows = test::rows_of(other_, "select count(*) from ticket_seeds");
  EXPECT_EQ(rows[0].integer(0), 3);
}

// Not in the write-ahead log, so neither in its archives nor in copies of the cluster.
TEST_F(TicketSeedsTest, StandInNoLog) {
  const sql::Rows rows =
      test::rows_of(other_, "select relpersistence = 'u' from pg_class where relname = 'ticket_seeds'");
  EXPECT_TRUE(rows[0].boolean(0));
}

}  // namespace
}  // namespace courant::server
