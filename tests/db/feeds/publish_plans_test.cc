// What publishing reads of tables that are large, whatever PostgreSQL's statistics say: the plans of publish() are made
// once for each connection, before anybody has counted anything, and must find each item through an index.
#include <gtest/gtest.h>

#include "feeds/directory.h"
#include "feeds/publish_call.h"
#include "tests/support/rows_read.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kOthers = 50'000;  // entries of other feeds in the lane

// What PostgreSQL knows when the plans are made.
enum class Statistics {
  kPlannedWhenEmpty,  // the connection has published before there was anything, and goes on
  kNeverCounted,      // the tables are large, and nobody has counted
  kCountedWhenEmpty,  // ... since they were empty
  kCountedWhenSmall,  // ... since there were a hundred entries
  kCounted,
};

class PublishPlansTest : public testing::TestWithParam<Statistics> {
 protected:
  PublishPlansTest() {
    for (const char* const table : {"entries", "entry_ids", "entry_terms", "journal", "feeds"})
      session_.execute_script(std::string("alter table ") + table + " set (autovacuum_enabled = false)");
    feed_ = directory_.create(session_, {"demo", "events", 25, {}, clock_.now()}, clock_.now())->facts().key;
  }

  PublishItem item(const std::string& id, const std::string& content, Change::Kind kind = Change::Kind::kEntry) {
    PreparedEntry prepared;
    prepared.id = id;
    prepared.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
    prepared.after_times = "<title></title><content>" + content + "</content></entry>";
    prepared.content_digest = sha256(content);
    prepared.terms = {"all"};
    PublishItem made;
    made.feed = feed_;
    made.entry = std::make_shared<const PreparedEntry>(std::move(prepared));
    made.change.kind = kind;
    return made;
  }
  // By the connection whose plans are in question.
  void publish(std::vector<PublishItem> items, PublishOutcome expected) {
    const PublishCall call = make_call(feed_.lane, std::move(items), clock_.now());
    for (const Published& published : run_call(publisher_, call, false, clock_.now()))
      EXPECT_EQ(published.outcome, expected);
  }

  // Entries of fifty other feeds of the lane.
  void fill(std::int64_t first, std::int64_t last) {
    const std::string place = std::to_string(feed_.lane) + ", 1000000 + n % 50, ";
    const std::string numbers =
        " from generate_series(" + std::to_string(first) + ", " + std::to_string(last) + ") as s (n)";
    session_.execute_script(
        "insert into entry_ids (lane, feed, id_hash, first_position, newest_position, digest) select " + place +
        "gen_random_uuid(), n, n, ''" + numbers);
    session_.execute_script(
        "insert into entries (lane, feed, position, kind, id, recorded, published, updated, size, needs_alternate, "
        "content_type, terms, salt, leaf, chain, xml) select " +
        place + "n, 1, '', now(), now(), now(), 0, false, '', '{}', '', '', '', ''" + numbers);
    session_.execute_script(
        "insert into journal (lane, sequence, recorded, call, feeds, firsts, lasts, item_positions) "
        "select " +
        std::to_string(feed_.lane) +
        ", 1000000 + n, now(), gen_random_uuid(), "
        "'{}', '{}', '{}', '{}'" +
        numbers);
  }

  std::int64_t rows_read() { return test::rows_read(publisher_, session_); }

  test::TestDatabase test_;
  SystemClock clock_;
  Directory directory_{16};
  sql::Session session_{test_.url()};
  sql::Session publisher_{test_.url()};
  FeedKey feed_;
};

TEST_P(PublishPlansTest, ReadAFewRowsForEachItem) {
  if (GetParam() == Statistics::kPlannedWhenEmpty) {
    publish({item("urn:early", "a")}, PublishOutcome::kCreated);
    publish({item("urn:early", "b", Change::Kind::kRevision)}, PublishOutcome::kAppended);
  }
  if (GetParam() == Statistics::kCountedWhenEmpty) session_.execute_script("vacuum analyze");
  fill(1, 100);
  if (GetParam() == Statistics::kCountedWhenSmall) session_.execute_script("vacuum analyze");
  fill(101, kOthers);
  if (GetParam() == Statistics::kCounted) session_.execute_script("vacuum analyze");

  const auto expect_few_reads = [this](std::vector<PublishItem> items, PublishOutcome outcome, const char* what) {
    const auto count = static_cast<std::int64_t>(items.size());
    const std::int64_t before = rows_read();
    publish(std::move(items), outcome);
    EXPECT_LE(rows_read() - before, 50 + 10 * count) << what << ", " << count << " items";
  };
  expect_few_reads({item("urn:x", "a")}, PublishOutcome::kCreated, "an entry");
  expect_few_reads({item("urn:x", "a")}, PublishOutcome::kSame, "a retry");
  expect_few_reads({item("urn:x", "b", Change::Kind::kRevision)}, PublishOutcome::kAppended, "a revision");
  std::vector<PublishItem> many;
  for (int i = 0; i < 200; ++i) many.push_back(item("urn:many:" + std::to_string(i), "a"));
  expect_few_reads(std::move(many), PublishOutcome::kCreated, "entries");
  expect_few_reads({item("urn:x", "", Change::Kind::kDeletion)}, PublishOutcome::kAppended, "a deletion");
}

// Else the counting above shows nothing.
TEST_P(PublishPlansTest, ALookThroughTheLaneIsCounted) {
  fill(1, 1000);
  const std::int64_t before = rows_read();
  constexpr sql::Query kLook{"test.look", "select count(digest) from entry_ids where lane = $1"};
  publisher_.run(kLook, sql::Parameters().add(feed_.lane));
  EXPECT_GE(rows_read() - before, 1000);
}

INSTANTIATE_TEST_SUITE_P(WhateverStatisticsSay, PublishPlansTest,
                         testing::Values(Statistics::kPlannedWhenEmpty, Statistics::kNeverCounted,
                                         Statistics::kCountedWhenEmpty, Statistics::kCountedWhenSmall,
                                         Statistics::kCounted));

}  // namespace
}  // namespace courant::feeds
