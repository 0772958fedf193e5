#include "hub/confirmations.h"

#include <atomic>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "kernel/problem.h"
#include "tests/contract/hub/memory_topics.h"
#include "tests/support/any_query.h"
#include "tests/support/running_loop.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;
using AskedCount = std::future<Confirmed>;

class NoTransport final : public Transport {
 public:
  void send(http::ClientRequest, std::function<void(http::ClientReply)>) override {}
  void stop() override {}
};

// A client that goes away when the test says so.
class Leaver final : public http::Presence {
 public:
  void watch(std::function<void()> gone) override {
    const std::lock_guard lock(mutex_);
    gone_ = std::move(gone);
    is_watched_ = true;
  }
  void unwatch() override {}
  bool is_watched() const {
    const std::lock_guard lock(mutex_);
    return is_watched_;
  }
  void go() {
    const std::lock_guard lock(mutex_);
    gone_();
  }

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::function<void()> gone_;
  bool is_watched_ = false;
};

class ConfirmationsTest : public testing::Test {
 protected:
  ~ConfirmationsTest() override {
    confirmations_.let_go();
    running_.join();
    asking_.join();
  }

  void subscribe(const std::string& callback, std::int64_t cursor, std::int64_t feed = 1,
                 const std::string& lease = "1 hour") {
    session_.execute_script(
        "insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, "
        "verified, lease_until, cursor) values (0, '" +
        callback + "', 3, " + std::to_string(feed) + ", '/demo/events', '', '" + callback +
        "', 'x.example', '', false, now(), now() + interval '" + lease + "', " + std::to_string(cursor) + ")");
  }
  void move_all(std::int64_t cursor) {
    session_.execute_script("update subscriptions set cursor = " + std::to_string(cursor));
  }
  AskedCount ask(std::int64_t position, Ticks::duration wait = 0s, http::Presence* asker = nullptr) {
    return boost::asio::co_spawn(asking_.io(), confirmations_.ask({3, 1, position}, clock_.ticks() + wait, asker),
                                 boost::asio::use_future);
  }
  static bool is_there(AskedCount& count) { return count.wait_for(0s) == std::future_status::ready; }

  test::TestDatabase database_;
  sql::Session session_{database_.url()};
  const SystemClock clock_;
  Metrics metrics_;
  sql::Database pool_{database_.options()};
  sql::Executor executor_{pool_, 1, 100};
  test::MemoryTopics topics_;
  NoTransport transport_;
  HubOptions options_;
  const Store store_{"mine", Vault(Sha256{1})};
  test::RunningLoop running_;
  Loop loop_{options_, topics_, executor_, transport_, store_, clock_, metrics_, running_.io(), Shards(1h)};
  Confirmations confirmations_{loop_, executor_, 60};
  test::RunningLoop asking_;
};

TEST_F(ConfirmationsTest, CountsTheLiveOnesOfTheFeed) {
  subscribe("a", 7);
  subscribe("b", 8);
  subscribe("c", 9);
  subscribe("over", 9, 1, "-1 hour");
  subscribe("elsewhere", 9, 2);
  const std::vector<std::int64_t> expected = {3, 3, 2, 1, 0};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Confirmed count = ask(6 + static_cast<std::int64_t>(i)).get();
    EXPECT_EQ(count.subscriptions, 3);
    EXPECT_EQ(count.confirmed, expected[i]) << i;
    EXPECT_EQ(count.is_by_all(), expected[i] == 3);
  }
}

TEST_F(ConfirmationsTest, WhereNobodySubscribesAllHaveConfirmed) {
  EXPECT_TRUE(ask(7, 60s).get().is_by_all());
}

TEST_F(ConfirmationsTest, ManyWhoAskAreAnsweredEachForItsPosition) {
  for (int i = 1; i <= 10; ++i) subscribe(std::to_string(i), i);
  std::vector<AskedCount> asked;
  for (int i = 0; i < 50; ++i) asked.push_back(ask(i % 12));
  for (int i = 0; i < 50; ++i) {
    const Confirmed count = asked[static_cast<std::size_t>(i)].get();
    EXPECT_EQ(count.subscriptions, 10);
    EXPECT_EQ(count.confirmed, std::min(10, 11 - i % 12)) << i;
  }
}

TEST_F(ConfirmationsTest, WhoWaitsIsAnsweredOnceAllHaveIt) {
  subscribe("a", 7);
  subscribe("b", 6);
  AskedCount seven = ask(7, 60s);
  AskedCount eight = ask(8, 60s);
  EXPECT_EQ(ask(7).get().confirmed, 1) << "who does not wait";
  EXPECT_FALSE(is_there(seven));
  move_all(7);
  EXPECT_TRUE(seven.get().is_by_all());
  EXPECT_FALSE(is_there(eight));
  move_all(8);
  EXPECT_TRUE(eight.get().is_by_all());
}

// So that they write down at once what they would write down later.
TEST_F(ConfirmationsTest, WhoPushesIsToldThatSomebodyWaits) {
  const auto told = [&] {
    return test::number_of(session_, "select count(*) from hub_asked where lane = 3 and feed = 1");
  };
  subscribe("a", 6);
  session_.execute_script("insert into hub_asked values (3, 9, now() - interval '1 hour')");
  EXPECT_EQ(ask(7).get().confirmed, 0);
  EXPECT_TRUE(ask(6, 60s).get().is_by_all());
  EXPECT_EQ(told(), 0) << "nobody waits";
  AskedCount waiting = ask(7, 60s);
  EXPECT_TRUE(test::wait_until([&] { return told() == 1; }));
  EXPECT_EQ(test::number_of(session_, "select count(*) from hub_asked"), 1) << "what is over is forgotten";
  const Store store("any", Vault(Sha256{1}));
  EXPECT_EQ(store.asked_feeds(session_), (std::set<FeedName>{{3, 1}}));
  move_all(7);
  EXPECT_TRUE(waiting.get().is_by_all());
}

TEST_F(ConfirmationsTest, WhenTimeIsUpTheCountIsWhatItIs) {
  subscribe("a", 6);
  const Confirmed count = ask(7, 300ms).get();
  EXPECT_EQ(count.subscriptions, 1);
  EXPECT_EQ(count.confirmed, 0);
}

TEST_F(ConfirmationsTest, WhereTooManyWaitTheNextIsAnsweredAtOnce) {
  subscribe("a", 6);
  std::vector<AskedCount> waiting;
  for (int i = 0; i < 60; ++i) waiting.push_back(ask(7, 60s));
  EXPECT_EQ(ask(7, 60s).get().confirmed, 0);
  for (AskedCount& one : waiting) EXPECT_FALSE(is_there(one));
  confirmations_.let_go();
  for (AskedCount& one : waiting) EXPECT_EQ(one.get().subscriptions, 1);
  EXPECT_EQ(ask(7, 60s).get().confirmed, 0) << "nobody waits any more";
}

TEST_F(ConfirmationsTest, WhoGoesAwayLeavesItsPlace) {
  subscribe("a", 6);
  Leaver leaver;
  AskedCount asked = ask(7, 60s, &leaver);
  ASSERT_TRUE(test::wait_until([&] { return leaver.is_watched(); }));
  leaver.go();
  asked.get();
}

TEST_F(ConfirmationsTest, WithoutADatabaseTheAnswerIs503) {
  executor_.stop();
  try {
    ask(7, 60s).get();
    FAIL();
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 503);
  }
}

}  // namespace
}  // namespace courant::hub
