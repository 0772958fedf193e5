#include "feeds/push.h"

#include <algorithm>
#include <functional>
#include <future>

#include <gtest/gtest.h>

#include "feeds/writer.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

// Time goes on while something is published.
class BusyClock final : public Clock {
 public:
  Instant now() const override {
    if (meanwhile) std::exchange(meanwhile, nullptr)();
    return time_.now();
  }
  Ticks ticks() const override { return time_.ticks(); }

  mutable std::function<void()> meanwhile;

 private:
  SystemClock time_;
};

class PushTest : public testing::Test {
 protected:
  PushTest() { feed_ = directory_.create(session_, {"demo", "events", 25, {}, time_.now()}, time_.now()); }

  void publish(const std::string& id, std::optional<Instant> expires = std::nullopt,
               std::vector<std::string> terms = {}) {
    PreparedEntry prepared;
    prepared.id = id;
    prepared.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
    prepared.after_times = "<title></title></entry>";
    prepared.content_digest = sha256(id);
    prepared.expires = expires;
    prepared.terms = std::move(terms);
    std::promise<void> stored;
    writer_.submit_batch(feed_->facts().key, {std::make_shared<const PreparedEntry>(std::move(prepared))}, true,
                         Change::kAnywhere, [&](const std::vector<Published>&) { stored.set_value(); });
    stored.get_future().get();
  }

  static std::vector<std::string> sorted(std::vector<std::string> terms) {
    std::sort(terms.begin(), terms.end());
    return terms;
  }
  std::optional<PushPage> push(std::int64_t from, const Clock& clock) {
    PushRequest request;
    request.from = from;
    request.upto = 1'000'000;
    request.max_entries = 100;
    request.max_bytes = 1 << 20;
    return read_push(session_, feed_->facts().key, feed_.get(), parse_push_view({}, 25), request, clock);
  }

  test::TestDatabase test_;
  sql::Database database_{test_.options()};
  sql::Session session_{test_.url()};
  SystemClock time_;
  Metrics metrics_;
  Directory directory_{16};
  std::shared_ptr<LiveFeed> feed_;
  Writer writer_{{}, database_, time_, metrics_, [](const std::vector<Advance>&) {}};
};

// What expires at once is not pushed, also where it is published just when somebody looks.
TEST_F(PushTest, TheTimeIsTakenAfterTheEntriesAreRead) {
  publish("urn:x:1");
  BusyClock clock;
  clock.meanwhile = [this] { publish("urn:x:2", time_.now() + 1h); };
  const std::optional<PushPage> page = push(0, clock);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->to, 1) << "position 2 is later than the time by which expiry was judged";
  EXPECT_EQ(page->entries, 1);
}

TEST_F(PushTest, WhatHasExpiredIsPassedOver) {
  publish("urn:x:1", time_.now());
  const std::optional<PushPage> page = push(0, time_);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->to, 1);
  EXPECT_EQ(page->entries, 0);
}

// Whoever requires one of a filter's terms is found by the fewest that will do.
TEST_F(PushTest, TheTermsThatAFilterRequires) {
  const auto required = [](const std::string& search) {
    return required_terms(parse_push_view({{"search", search}}, 25));
  };
  using Terms = std::vector<std::string>;
  EXPECT_EQ(required_terms(parse_push_view({}, 25)), Terms());
  EXPECT_EQ(required("+B+a"), Terms({"a", "b"}));
  EXPECT_EQ(required("(AND(OR(cat=a)(cat=b))(cat=c)(NOT(cat=d)))"), Terms({"c"}));
  EXPECT_EQ(required("(NOT(cat=a))"), Terms());
  EXPECT_EQ(required("(OR(cat=a)(NOT(cat=b)))"), Terms());
}

TEST_F(PushTest, NewTermsAreThoseOfWhatStandsThere) {
  const FeedKey key = feed_->facts().key;
  EXPECT_EQ(read_new_terms(session_, key, 0).upto, 0);
  publish("urn:x:1", std::nullopt, {"a", "b"});
  publish("urn:x:2");
  publish("urn:x:3", std::nullopt, {"c", "a"});
  NewTerms found = read_new_terms(session_, key, 0);
  EXPECT_EQ(found.upto, 3);
  EXPECT_EQ(sorted(found.terms), std::vector<std::string>({"a", "b", "c"}));
  found = read_new_terms(session_, key, 1);
  EXPECT_EQ(found.upto, 3);
  EXPECT_EQ(sorted(found.terms), std::vector<std::string>({"a", "c"}));
  found = read_new_terms(session_, key, 3);
  EXPECT_EQ(found.upto, 3);
  EXPECT_TRUE(found.terms.empty());
}

// Of what retention has dropped, or a deletion, nothing is looked at.
TEST_F(PushTest, NewTermsBeginAtTheFloor) {
  const FeedKey key = feed_->facts().key;
  publish("urn:x:1", std::nullopt, {"a"});
  publish("urn:x:2", std::nullopt, {"b"});
  session_.execute_script("update feeds set floor_position = 1");
  EXPECT_EQ(read_new_terms(session_, key, 0).terms, std::vector<std::string>({"b"}));
  session_.execute_script("select delete_feed(" + std::to_string(key.lane) +
                          "::smallint, 'demo', 'events', null, now())");
  const NewTerms found = read_new_terms(session_, key, 0);
  EXPECT_EQ(found.upto, 2);
  EXPECT_TRUE(found.terms.empty());
}

// Entries may have many terms each.
TEST_F(PushTest, OneLookForNewTermsIsBounded) {
  const FeedKey key = feed_->facts().key;
  std::vector<std::string> many;
  for (int i = 0; i < 30'000; ++i) many.push_back(std::to_string(i));
  for (int i = 1; i <= 3; ++i) publish("urn:x:" + std::to_string(i), std::nullopt, many);
  EXPECT_EQ(read_new_terms(session_, key, 0).upto, 1);
  many.resize(25'000);
  publish("urn:x:4", std::nullopt, many);
  publish("urn:x:5", std::nullopt, many);
  EXPECT_EQ(read_new_terms(session_, key, 3).upto, 5);
}

// A feed that is deleted may come back, and goes on counting.
TEST_F(PushTest, TheLastPositionOutlivesTheFeed) {
  const FeedKey key = feed_->facts().key;
  EXPECT_EQ(last_position(session_, key), 0);
  publish("urn:x:1");
  publish("urn:x:2");
  EXPECT_EQ(last_position(session_, key), 2);
  session_.execute_script("select delete_feed(" + std::to_string(key.lane) +
                          "::smallint, 'demo', 'events', null, now())");
  EXPECT_EQ(last_position(session_, key), 2);
  session_.execute_script("delete from entries");
  EXPECT_EQ(last_position(session_, key), 2);
}

}  // namespace
}  // namespace courant::feeds
