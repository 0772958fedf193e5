// Filtered topics with many subscriptions: what does not match them does not touch them, over kills and restarts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"

namespace courant::test::hub_matches_test {
namespace {

using testing::ElementsAre;

constexpr int kOthers = 2'000;

class HubMatchesTest : public testing::Test {
 protected:
  void publish(int number, const std::string& term) {
    const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                              "</id><title>t</title><content>c</content><category term='" + term + "'/></entry>";
    ASSERT_EQ(HttpClient(server_.port()).post("/demo/events", entry).status, 201);
  }
  std::string topic(const std::string& term) const { return server_.url() + "/demo/events?search=%2B" + term; }
  std::int64_t number(sql::Query query) { return session_.run(query)[0].integer(0); }
  // Subscriptions of terms of their own, other0, other1 ..., as if they had been verified at position 1, long ago; the
  // server finds them when it starts.
  void add_others(const Subscriber& subscriber) {
    constexpr sql::Query kAdd{
        "test.add",
        "insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, "
        "verified, lease_until, cursor, told) "
        "select n % 64, sha256(n::text::bytea), f.lane, f.feed, '/demo/events?search=%2Bother' || n, "
        "$1::text || n, $2::text || n, '127.0.0.1', '', false, now(), now() + interval '1 day', 1, 1 "
        "from feeds f, generate_series(0, $3::bigint - 1) n where f.name = 'events'"};
    session_.run(kAdd,
                 sql::Parameters().add(topic("other")).add(subscriber.callback("other")).add(std::int64_t{kOthers}));
  }
  std::int64_t sharers() {
    return number({"test.sharers", "select count(*) from subscriptions where watch is not null"});
  }
  // Up to where was looked for everybody.
  std::int64_t looked() { return number({"test.looked", "select coalesce(min(position), 0) from hub_watches"}); }
  void note_rows() {
    session_.execute_script("create table noted as select subscription, xmin as version from subscriptions");
  }
  std::int64_t rows_written() {
    return number({"test.rows",
                   "select count(*) from subscriptions s join noted n using (subscription) where s.xmin <> n.version"});
  }
  static std::vector<SinkRequest> deliveries_at(const Subscriber& subscriber, const std::string& target) {
    std::vector<SinkRequest> found;
    for (const SinkRequest& delivery : subscriber.deliveries()) {
      if (delivery.target == target) found.push_back(delivery);
    }
    return found;
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  CourantServer server_{{"--database", database_.url()}};
};

TEST_F(HubMatchesTest, WhatDoesNotMatchTouchesNobodyOverKillsAndRestarts) {
  publish(1, "red");
  Subscriber others, red;
  ASSERT_EQ(red.ask(server_, "subscribe", topic("red")), 202);
  ASSERT_TRUE(red.wait_until([&] { return sharers() == 1; }));
  add_others(others);
  server_.kill_and_restart();
  ASSERT_TRUE(red.wait_until([&] { return sharers() == kOthers + 1; }));

  note_rows();
  for (int entry = 2; entry <= 30; ++entry) publish(entry, "blue");
  publish(31, "red");
  ASSERT_TRUE(red.wait_until([&] { return red.positions().size() == 1; }));
  ASSERT_TRUE(red.wait_until([&] { return looked() == 31; }));
  EXPECT_EQ(rows_written(), 1);

  server_.kill_and_restart();
  publish(32, "other7");
  publish(33, "red");
  ASSERT_TRUE(red.wait_until([&] { return red.positions().size() >= 2 && looked() == 33; }));
  EXPECT_EQ(rows_written(), 2) << "nobody has looked from its old cursor";
  EXPECT_THAT(red.positions(), ElementsAre(31, 33));
  EXPECT_THAT(others.positions(), ElementsAre(32));
  const std::vector<SinkRequest> seventh = deliveries_at(others, "/other7");
  ASSERT_EQ(seventh.size(), 1U);
  EXPECT_EQ(seventh[0].header("Feed-Position-Previous"), "1") << "what it was told last, long ago";

  server_.process().signal(SIGTERM);
  ASSERT_EQ(server_.process().wait(), 0);
  server_.start();
  publish(34, "other8");
  ASSERT_TRUE(others.wait_until([&] { return others.deliveries().size() == 2 && looked() == 34; }));
  EXPECT_EQ(rows_written(), 3);
}

}  // namespace
}  // namespace courant::test::hub_matches_test
