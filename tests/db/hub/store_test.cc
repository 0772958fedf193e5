#include "hub/store.h"

#include <gtest/gtest.h>

#include "tests/support/test_database.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

class StoreTest : public testing::Test {
 protected:
  StoreTest() { EXPECT_EQ(*mine_.open(session_), 64); }

  static NewRequest request(const std::string& callback = "http://x.example/cb") {
    NewRequest request;
    request.topic = {"/demo/events", 3, 1};
    request.self = "http://here.example/demo/events";
    request.callback = callback;
    request.callback_host = "x.example";
    request.callback_domain = "x.example";
    request.secret = "shh";
    request.identity = "anonymous";
    request.client = "192.0.2.1";
    request.lease = 60s;
    return request;
  }
  PendingRequest only_request(std::int64_t shard_count = 64) {
    std::vector<std::int64_t> all;
    for (std::int64_t shard = 0; shard < shard_count; ++shard) all.push_back(shard);
    const std::vector<PendingRequest> due = mine_.due_requests(session_, all, 10, 10);
    EXPECT_EQ(due.size(), 1U);
    return due.at(0);
  }
  ShardEpoch owner_of(std::int64_t shard) {
    for (const ShardEpoch& kept : mine_.keep_shards(session_, 10s).shards) {
      if (kept.shard == shard) return kept;
    }
    return {};
  }
  Subscription subscribed() {
    mine_.put_request(session_, request(), 64);
    const PendingRequest pending = only_request();
    return *mine_.confirm(session_, pending.number, owner_of(pending.shard), kNow, kNow + 60s, 5);
  }

  static Progress progress_made() {
    Progress progress{.cursor = 8, .told = 6, .frozen = 10, .failures = 2, .next_attempt = kNow, .record = {}};
    progress.record.add({kNow, 204, 12ms, "", 1000, 5, 6});
    progress.record.add({kNow + 1s, 500, 3ms, "the callback answered 500", 2000, 6, 10});
    progress.record.add({kNow + 2s, 0, 10s, "it said \"no\", {and} \\ more", 2000, 6, 10});
    return progress;
  }

  static constexpr Instant kNow{std::chrono::days(20'000)};
  test::TestDatabase database_;
  sql::Session session_{database_.url()};
  const Vault vault_{Sha256{1}};
  Store mine_{"mine", vault_};
  Store theirs_{"theirs", vault_};
};

TEST_F(StoreTest, OneProcessOwnsAllShardsTwoShareThem) {
  EXPECT_EQ(mine_.keep_shards(session_, 10s).shards.size(), 64U);
  EXPECT_EQ(theirs_.keep_shards(session_, 10s).shards.size(), 0U);
  const KeptShards kept = mine_.keep_shards(session_, 10s);
  EXPECT_EQ(kept.fair, 32);
  std::vector<std::int64_t> surplus;
  for (std::size_t i = 32; i < kept.shards.size(); ++i) surplus.push_back(kept.shards[i].shard);
  mine_.release_shards(session_, surplus);
  EXPECT_EQ(theirs_.keep_shards(session_, 10s).shards.size(), 32U);
}

TEST_F(StoreTest, AnExpiredOwnerIsReplacedInAHigherEpoch) {
  const KeptShards before = mine_.keep_shards(session_, -1s);
  const KeptShards after = theirs_.keep_shards(session_, 10s);
  ASSERT_EQ(after.shards.size(), 64U);
  EXPECT_GT(after.shards[0].epoch, before.shards[0].epoch);
}

TEST_F(StoreTest, ANewerRequestReplacesAnOlderOne) {
  mine_.put_request(session_, request(), 64);
  const PendingRequest first = only_request();
  mine_.put_request(session_, request(), 64);
  const PendingRequest second = only_request();
  EXPECT_NE(first.number, second.number);
  EXPECT_FALSE(mine_.confirm(session_, first.number, owner_of(first.shard), kNow, kNow + 60s, 5))
      << "the answer to a replaced request counts for nothing";
  EXPECT_TRUE(mine_.confirm(session_, second.number, owner_of(second.shard), kNow, kNow + 60s, 5));
}

TEST_F(StoreTest, OnlyTheOwnerChangesASubscription) {
  const Subscription made = subscribed();
  EXPECT_EQ(made.cursor, 5);
  EXPECT_EQ(made.secret, "shh");
  const ShardEpoch owner = owner_of(made.shard);
  mine_.save(session_, {{owner, made.number, {.cursor = 8}}});
  EXPECT_EQ(mine_.load(session_, made.shard).at(0).cursor, 8);

  mine_.save(session_, {{{owner.shard, owner.epoch - 1}, made.number, {.cursor = 6}}});
  theirs_.save(session_, {{owner, made.number, {.cursor = 7}}});
  EXPECT_EQ(mine_.load(session_, made.shard).at(0).cursor, 8);
  EXPECT_FALSE(theirs_.end(session_, owner, made.number, made.lease_until));
  EXPECT_TRUE(mine_.end(session_, owner, made.number, made.lease_until));
}

TEST_F(StoreTest, ARunningLeaseIsNotEnded) {
  const Subscription made = subscribed();
  EXPECT_FALSE(mine_.end(session_, owner_of(made.shard), made.number, made.lease_until - 1s));
}

TEST_F(StoreTest, WhoLoadsAShardHasAllThatWasSaved) {
  const Subscription made = subscribed();
  EXPECT_EQ(made.record, DeliveryRecord());
  const Progress saved = progress_made();
  mine_.save(session_, {{owner_of(made.shard), made.number, saved}});
  const Subscription loaded = theirs_.load(session_, made.shard).at(0);
  EXPECT_EQ(loaded.cursor, saved.cursor);
  EXPECT_EQ(loaded.told, saved.told);
  EXPECT_EQ(loaded.frozen, saved.frozen);
  EXPECT_EQ(loaded.failures, saved.failures);
  EXPECT_EQ(loaded.next_attempt, saved.next_attempt);
  EXPECT_EQ(loaded.record, saved.record);
}

// Of servers of before: what a subscriber was told is the cursor.
TEST_F(StoreTest, WhatWasSavedBeforeThereWereRecordsIsRead) {
  const Subscription made = subscribed();
  session_.execute_script("update subscriptions set cursor = 9, told = null, record = null");
  const Subscription loaded = mine_.load(session_, made.shard).at(0);
  EXPECT_EQ(loaded.told, 9);
  EXPECT_EQ(loaded.record, DeliveryRecord());
}

TEST_F(StoreTest, ASubscriptionMadeAgainKeepsItsCursorAndNumber) {
  const Subscription first = subscribed();
  const ShardEpoch owner = owner_of(first.shard);
  EXPECT_EQ(first.told, 5) << "the position of its verification";
  const Progress progress = progress_made();
  mine_.save(session_, {{owner, first.number, progress}});
  mine_.put_request(session_, request(), 64);
  const PendingRequest again = only_request();
  EXPECT_EQ(again.subscription, first.number);
  const Subscription second = *mine_.confirm(session_, again.number, owner, kNow + 30s, kNow + 90s, 20);
  EXPECT_EQ(second.number, first.number);
  EXPECT_EQ(second.cursor, progress.cursor);
  EXPECT_EQ(second.told, progress.told);
  EXPECT_EQ(second.record, progress.record);
  EXPECT_EQ(second.lease_until, kNow + 90s);
}

// Where a watch stands counts for those who share it, and for nobody else.
TEST_F(StoreTest, WhoSharesAWatchStandsWhereItStands) {
  const Subscription made = subscribed();
  const ShardEpoch owner = owner_of(made.shard);
  const auto loaded = [&] { return theirs_.load(session_, made.shard).at(0); };
  mine_.save_watches(session_, {{owner, 3, 1, 77, 9}});
  EXPECT_EQ(loaded().cursor, 5) << "it shares none";
  mine_.save(session_, {{owner, made.number, {.cursor = 6, .told = 5, .watch = 77}}});
  EXPECT_EQ(loaded().cursor, 9);
  EXPECT_EQ(loaded().told, 5);
  EXPECT_EQ(loaded().watch, 77);
  mine_.save(session_, {{owner, made.number, {.cursor = 10, .watch = 77}}});
  EXPECT_EQ(loaded().cursor, 10);
  mine_.save_watches(session_, {{owner, 3, 1, 78, 12}});
  EXPECT_EQ(loaded().cursor, 10) << "it shared another one";
  EXPECT_EQ(loaded().watch, 0);
  mine_.save_watches(session_, {{{owner.shard, owner.epoch - 1}, 3, 1, 77, 13}});
  theirs_.save_watches(session_, {{owner, 3, 1, 77, 13}});
  EXPECT_EQ(loaded().cursor, 10) << "of no other owner is anything written";
}

TEST_F(StoreTest, WhoSharesIsLoadedFirstAndWhoIsFarthestBehindBeforeOthers) {
  session_.execute_script(
      "insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, "
      "verified, lease_until, cursor, watch) "
      "select 0, n::text::bytea, 3, 1, '', '', n::text, '', '', false, now(), now(), n, case when n > 2 then 77 end "
      "from generate_series(1, 6) n; "
      "insert into hub_watches values (0, 3, 1, 77, 5)");
  std::vector<std::string> callbacks;
  for (const Subscription& subscription : mine_.load(session_, 0)) callbacks.push_back(subscription.callback);
  ASSERT_EQ(callbacks.size(), 6U);
  EXPECT_EQ(callbacks[3], "6");
  EXPECT_EQ(callbacks[4], "1");
  EXPECT_EQ(callbacks[5], "2");
}

// Positions that are given again stand behind nobody.
TEST_F(StoreTest, ANewGenerationSetsWatchesBack) {
  const Subscription made = subscribed();
  const ShardEpoch owner = owner_of(made.shard);
  session_.execute_script(
      "insert into feeds (lane, feed, workspace, name, uri, page_size, settings, revision, source_time, created, "
      "floor_recorded, floor_position) values (3, 1, 'demo', 'events', 'urn:x', 25, '{}', 1, now(), now(), now(), 4)");
  mine_.save(session_, {{owner, made.number, {.cursor = 3, .watch = 77}}});
  mine_.save_watches(session_, {{owner, 3, 1, 77, 9}});
  session_.execute_script("select new_generation(1, now())");
  EXPECT_EQ(theirs_.load(session_, made.shard).at(0).cursor, 4);
  mine_.save_watches(session_, {{owner, 3, 1, 77, 9}});
  EXPECT_EQ(theirs_.load(session_, made.shard).at(0).cursor, 4) << "whoever owned it reads it again";
}

TEST_F(StoreTest, OneHostsRequestsDoNotHideOthers) {
  for (int i = 0; i < 20; ++i) mine_.put_request(session_, request("http://x.example/" + std::to_string(i)), 64);
  NewRequest other = request("http://y.example/cb");
  other.callback_host = other.callback_domain = "y.example";
  mine_.put_request(session_, other, 64);
  std::vector<std::int64_t> all;
  for (std::int64_t shard = 0; shard < 64; ++shard) all.push_back(shard);
  EXPECT_EQ(mine_.due_requests(session_, all, 3, 100).size(), 4U);
}

TEST_F(StoreTest, OneClientsRequestsDoNotHideOthers) {
  std::vector<std::int64_t> all;
  for (std::int64_t shard = 0; shard < 64; ++shard) all.push_back(shard);
  for (int i = 0; i < 20; ++i) {
    NewRequest many = request("http://x.example/" + std::to_string(i));
    many.callback_domain = std::to_string(i) + ".example";
    mine_.put_request(session_, many, 64);
  }
  NewRequest other = request("http://y.example/cb");
  other.callback_domain = "y.example";
  other.client = "192.0.2.2";
  mine_.put_request(session_, other, 64);
  const std::vector<PendingRequest> due = mine_.due_requests(session_, all, 10, 2);
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[1].client, "192.0.2.2");
}

TEST_F(StoreTest, CountsWhatTheLimitsAreAbout) {
  const Counts limits{3, 5, 7, 7, 7, 7};
  for (int i = 0; i < 4; ++i) mine_.put_request(session_, request("http://x.example/" + std::to_string(i)), 64);
  NewRequest others = request("http://x.example/other");
  others.client = "192.0.2.2";
  mine_.put_request(session_, others, 64);
  Counts counts = mine_.count(session_, request(), 64, limits);
  EXPECT_EQ(counts.pending_of_client, 3) << "counted no further than the limit";
  EXPECT_EQ(counts.pending, 5);
  EXPECT_EQ(counts.of_topic + counts.of_host + counts.of_domain + counts.of_client, 0);
  EXPECT_FALSE(counts.is_there);

  session_.run(sql::Query{"clear", "delete from hub_requests"});
  subscribed();
  NewRequest elsewhere = request("http://a.x.example/cb");
  elsewhere.topic.canonical = "/demo/other";
  elsewhere.callback_host = "a.x.example";
  elsewhere.client = "192.0.2.2";
  counts = mine_.count(session_, elsewhere, 64, limits);
  EXPECT_EQ(counts.of_topic, 0);
  EXPECT_EQ(counts.of_host, 0);
  EXPECT_EQ(counts.of_domain, 1);
  EXPECT_EQ(counts.of_client, 0);
  EXPECT_FALSE(counts.is_there);
  counts = mine_.count(session_, request(), 64, limits);
  EXPECT_EQ(counts.of_topic, 1);
  EXPECT_EQ(counts.of_host, 1);
  EXPECT_EQ(counts.of_domain, 1);
  EXPECT_EQ(counts.of_client, 1);
  EXPECT_TRUE(counts.is_there);
}

TEST_F(StoreTest, ARenewalByTheHubKeepsItsClientAndDomain) {
  const Subscription made = subscribed();
  mine_.renew(session_, made.shard, made.number);
  const PendingRequest renewal = only_request();
  EXPECT_EQ(renewal.client, "");
  EXPECT_EQ(renewal.callback_domain, "x.example");
  EXPECT_TRUE(mine_.confirm(session_, renewal.number, owner_of(made.shard), kNow, kNow + 60s, 5));
  EXPECT_EQ(mine_.count(session_, request(), 64, {9, 9, 9, 9, 9, 9}).of_client, 1);
}

TEST_F(StoreTest, EachRenewalByTheHubHasTheTokenOfTheSubscriber) {
  NewRequest asked = request();
  asked.verify_token = "tok";
  mine_.put_request(session_, asked, 64);
  for (int time = 0; time < 3; ++time) {
    const PendingRequest pending = only_request();
    EXPECT_EQ(pending.verify_token, "tok") << time;
    const std::optional<Subscription> made =
        mine_.confirm(session_, pending.number, owner_of(pending.shard), kNow, kNow + 60s, 5);
    ASSERT_TRUE(made);
    mine_.renew(session_, made->shard, made->number);
  }
  mine_.put_request(session_, request(), 64);
  const PendingRequest without = only_request();
  EXPECT_EQ(without.verify_token, std::nullopt);
}

TEST_F(StoreTest, AnotherKeyIsNoticed) {
  Store other("other", Vault(Sha256{2}));
  const Result<std::int64_t> opened = other.open(session_);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.fault().detail.find("hub.secrets_key"), std::string::npos);
}

}  // namespace
}  // namespace courant::hub
