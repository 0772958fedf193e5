// publish_new() is a shorter way to what publish_items() does: what both store, and what both answer, is the same to
// the byte.
#include <gtest/gtest.h>

#include "feeds/directory.h"
#include "feeds/publish_call.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

// All that publishing writes, a line for each row.
constexpr const char* kTables[] = {"entries", "entry_ids", "entry_terms", "journal"};

PreparedEntry prepared(const std::string& id, const std::string& content) {
  PreparedEntry entry;
  entry.id = id;
  entry.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
  entry.after_times = "<title></title><content>" + content + "</content></entry>";
  entry.content_digest = sha256(content);
  entry.content_type = "text";
  return entry;
}

// A database with one feed, and whom it is published by.
struct Log {
  Log() : session(test.url()), directory(16) {
    SystemClock clock;
    feed = directory.create(session, {"demo", "events", 25, {}, clock.now()}, clock.now())->facts().key;
  }

  std::vector<std::string> rows_of(const std::string& table) {
    const std::string text = "select t::text from " + table + " t order by 1";
    const sql::Rows rows = session.run(sql::Query{table.c_str(), text.c_str()});
    std::vector<std::string> lines;
    for (int i = 0; i < rows.size(); ++i) lines.emplace_back(rows[i].text(0));
    return lines;
  }

  test::TestDatabase test;
  sql::Session session;
  Directory directory;
  FeedKey feed;
};

class PublishNewTest : public testing::Test {
 protected:
  std::vector<PublishItem> items_of(std::vector<PreparedEntry> entries) const {
    std::vector<PublishItem> items;
    for (PreparedEntry& entry : entries) {
      items.push_back({briefly_.feed, std::make_shared<const PreparedEntry>(std::move(entry)), {}, 0, 0, false, {}});
    }
    return items;
  }

  // The same call by both ways: a call that is repeated is not for publish_new().
  void expect_same(std::vector<PublishItem> items) {
    const Instant now = clock_.now();
    const PublishCall call = make_call(briefly_.feed.lane, std::move(items), now);
    const std::vector<Published> brief = run_call(briefly_.session, call, false, now);
    const std::vector<Published> full = run_call(fully_.session, call, true, now);
    ASSERT_EQ(brief.size(), full.size());
    for (std::size_t i = 0; i < brief.size(); ++i) {
      EXPECT_EQ(brief[i].outcome, full[i].outcome);
      EXPECT_EQ(brief[i].position, full[i].position);
      EXPECT_EQ(brief[i].recorded, full[i].recorded);
      EXPECT_EQ(brief[i].published, full[i].published);
      EXPECT_EQ(brief[i].updated, full[i].updated);
      EXPECT_EQ(brief[i].salt, full[i].salt);
      EXPECT_EQ(brief[i].leaf, full[i].leaf);
      EXPECT_EQ(brief[i].chain, full[i].chain);
    }
    for (const char* const table : kTables) EXPECT_EQ(briefly_.rows_of(table), fully_.rows_of(table)) << table;
  }

  SystemClock clock_;
  Log briefly_, fully_;
};

TEST_F(PublishNewTest, BothStoreAndAnswerTheSame) {
  ASSERT_EQ(briefly_.feed, fully_.feed);
  expect_same(items_of({prepared("urn:alone", "one")}));

  PreparedEntry dated = prepared("urn:dated", "two");
  dated.updated = parse_rfc3339("2001-02-03T04:05:06.000007Z");
  PreparedEntry passing = prepared("urn:passing", "three");
  passing.expires = parse_rfc3339("2040-01-01T00:00:00Z");
  passing.trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  PreparedEntry termed = prepared("urn:termed",
                                  "Gr\xC3\xBC\xC3\x9F"
                                  "e");
  termed.terms = {"b", "A", "a", "with \"quotes\" and \\",
                  "gr\xC3\xBC\xC3\x9F"
                  "e"};
  PreparedEntry twofold = prepared("urn:twofold", "five");
  twofold.canonical = {"<entry xmlns=\"http://www.w3.org/2005/Atom\" canonical=\"yes\">", twofold.after_times};
  PreparedEntry bare = prepared("urn:bare", "");
  bare.needs_alternate = true;
  bare.content_type = "";
  expect_same(items_of({dated, passing, termed, twofold, bare}));

  std::vector<PreparedEntry> many;
  for (int i = 0; i < 300; ++i) many.push_back(prepared("urn:many:" + std::to_string(i), std::to_string(i)));
  expect_same(items_of(many));
}

TEST_F(PublishNewTest, ABatchIsStoredLikeOthers) {
  std::vector<PublishItem> items = items_of({prepared("urn:1", "one"), prepared("urn:2", "two")});
  for (PublishItem& item : items) item.group = 1;
  expect_same(std::move(items));
}

// What is for publish_items() to decide leaves no trace of the first asking.
TEST_F(PublishNewTest, WhatIsNotNewIsDecidedTheOtherWay) {
  expect_same(items_of({prepared("urn:1", "one")}));
  expect_same(items_of({prepared("urn:2", "two"), prepared("urn:1", "one"), prepared("urn:3", "three")}));
  expect_same(items_of({prepared("urn:1", "other")}));
  expect_same(items_of({prepared("urn:4", "four"), prepared("urn:4", "four"), prepared("urn:4", "other")}));
  std::vector<PublishItem> revision = items_of({prepared("urn:1", "revised")});
  revision[0].change.kind = Change::Kind::kRevision;
  expect_same(std::move(revision));
  std::vector<PublishItem> expecting = items_of({prepared("urn:5", "five")});
  expecting[0].change.head = 1;  // it is further on
  expect_same(std::move(expecting));
  for (Log* const log : {&briefly_, &fully_}) log->session.execute_script("update feeds set deleted = now()");
  expect_same(items_of({prepared("urn:6", "six")}));
}

// Last-Modified must move, even where a server is so slow that what it publishes is long past.
TEST_F(PublishNewTest, ASlowServerTellsTheFeed) {
  const Instant past = clock_.now() - std::chrono::minutes(1);
  const PublishCall call = make_call(briefly_.feed.lane, items_of({prepared("urn:1", "one")}), past);
  briefly_.session.execute_script("update feeds set modified = '2020-01-01Z'");
  EXPECT_EQ(run_call(briefly_.session, call, false, past)[0].outcome, PublishOutcome::kCreated);
  const sql::Query modified{"modified", "select count(*) from feeds where modified > '2020-01-01Z'"};
  EXPECT_EQ(briefly_.session.run(modified)[0].integer(0), 1);
}

}  // namespace
}  // namespace courant::feeds
