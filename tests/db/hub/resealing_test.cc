#include "hub/resealing.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "hub/store.h"
#include "tests/support/any_query.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"

namespace courant::hub {
namespace {

const std::string kFirst(64, 'a');
const std::string kSecond = "22222222 " + std::string(64, 'b');

class ResealingTest : public testing::Test {
 protected:
  ResealingTest() : old_(vault_of({kFirst})), both_(vault_of({kSecond, kFirst})), new_(vault_of({kSecond})) {
    EXPECT_TRUE(Store("mine", old_).open(session_));
  }

  static Vault vault_of(const std::vector<std::string>& keys) {
    static int files = 0;
    const std::string path = test::scratch("resealing-" + std::to_string(++files) + ".key");
    std::ofstream file(path);
    for (const std::string& key : keys) file << key << "\n";
    file.close();
    return *Vault::from_file(path);
  }
  static std::string hex(const std::optional<std::string>& secret, const Vault& vault) {
    return secret ? "'\\x" + to_hex(vault.seal(*secret)) + "'::bytea" : "null";
  }
  void subscribe(int number, const std::optional<std::string>& secret, const std::optional<std::string>& old_secret,
                 const Vault& vault) {
    session_.execute_script(
        "insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, "
        "verified, lease_until, cursor, secret, old_secret) values (" +
        std::to_string(number % 64) + ", '" + std::to_string(number) +
        "', 3, 1, '/demo/events', '', 'http://x.example/', 'x.example', '', false, now(), now() + interval '1 hour', "
        "0, " +
        hex(secret, vault) + ", " + hex(old_secret, vault) + ")");
  }
  void ask(int number, const std::string& secret, const Vault& vault) {
    session_.execute_script(
        "insert into hub_requests (shard, key, is_subscribe, lane, feed, topic, self, callback, callback_host, secret, "
        "identity, client, lease_seconds, renews, next_attempt) values (0, 'r" +
        std::to_string(number) + "', true, 3, 1, '', '', '', '', " + hex(secret, vault) +
        ", '', '', 60, false, now())");
  }
  // All that is sealed, opened; "?" where it cannot be.
  std::vector<std::string> opened(const Vault& vault) {
    std::vector<std::string> all;
    const sql::Rows rows =
        test::rows_of(session_,
                      "select secret from subscriptions union all select old_secret from subscriptions union all "
                      "select secret from hub_requests union all select key_check from hub_facts");
    for (int i = 0; i < rows.size(); ++i) {
      if (!rows[i].is_null(0)) all.push_back(vault.open(rows[i].bytes(0)).value_or("?"));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  test::TestDatabase database_;
  sql::Session session_{database_.url()};
  const Vault old_;
  const Vault both_;
  const Vault new_;
};

TEST_F(ResealingTest, EverythingIsSealedWithTheNewestKey) {
  subscribe(1, "one", "before one", old_);
  subscribe(2, std::nullopt, std::nullopt, old_);
  subscribe(3, "three", std::nullopt, both_);
  subscribe(4, std::nullopt, "before four", old_);
  ask(1, "asked", old_);
  ask(2, "asked again", both_);
  const std::vector<std::string> before = opened(both_);
  const Resealed done = Resealing(session_, both_).run();
  EXPECT_EQ(done.count, 4) << "and what tells the key, which is no secret";
  EXPECT_TRUE(done.lost.empty());
  EXPECT_EQ(opened(new_), before);
  EXPECT_TRUE(Store("mine", new_).open(session_));
  EXPECT_FALSE(Store("mine", old_).open(session_));
  EXPECT_EQ(Resealing(session_, both_).run().count, 0) << "once";
}

TEST_F(ResealingTest, WhatCannotBeOpenedStaysAsItIs) {
  const Vault other = vault_of({"33333333 " + std::string(64, 'c')});
  subscribe(1, "one", "before one", old_);
  subscribe(2, "two", std::nullopt, other);
  ask(1, "asked", other);
  const Resealed done = Resealing(session_, both_).run();
  EXPECT_EQ(done.count, 2);
  EXPECT_EQ(done.lost, (std::map<std::string, std::int64_t>{{"33333333", 2}}));
  EXPECT_EQ(opened(new_), (std::vector<std::string>{"?", "?", "before one", "courant hub", "one"}));
}

// Servers write beside it all the time, and still seal with the key of before.
TEST_F(ResealingTest, NothingIsMissedThatOthersWriteMeanwhile) {
  constexpr int kSubscriptions = 1500;
  for (int number = 0; number < kSubscriptions; ++number) subscribe(number, "s", "o", old_);
  std::atomic<bool> is_over{false};
  std::atomic<int> moved{0};
  std::thread others([&] {
    sql::Session session(database_.url());
    for (int round = 0; !is_over; ++round) {
      const std::string one = std::to_string(round % kSubscriptions);
      // As save_progress, change_topic and set_secret do.
      session.execute_script("update subscriptions set cursor = cursor + 1 where shard < 8; " +
                             ("update subscriptions set shard = (shard + 17) % 64 where key = '" + one + "'; ") +
                             "update subscriptions set old_secret = secret where key = '" + one + "'");
      ++moved;
    }
  });
  const Resealed done = Resealing(session_, both_).run();
  is_over = true;
  others.join();
  EXPECT_GE(done.count, kSubscriptions);
  EXPECT_GT(moved, 0);
  const std::vector<std::string> secrets = opened(new_);
  EXPECT_EQ(std::count(secrets.begin(), secrets.end(), "?"), 0);
  EXPECT_EQ(secrets.size(), 2U * kSubscriptions + 1);
}

TEST_F(ResealingTest, OneWorksAtATime) {
  sql::Session other(database_.url());
  EXPECT_TRUE(lock_resealing(session_));
  EXPECT_FALSE(lock_resealing(other));
}

}  // namespace
}  // namespace courant::hub
