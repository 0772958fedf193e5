#include "hub/census.h"

#include <boost/asio/executor_work_guard.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/hub/memory_topics.h"
#include "tests/support/test_database.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Ahead of the time at which entries are committed.
class ClockAhead final : public Clock {
 public:
  std::chrono::seconds ahead{0};
  Instant now() const override { return system_.now() + ahead; }
  Ticks ticks() const override { return system_.ticks(); }

 private:
  SystemClock system_;
};

// Answers nothing before the test says how.
class UndecidedTransport final : public Transport {
 public:
  void send(http::ClientRequest, std::function<void(http::ClientReply)> done) override {
    waiting.push_back(std::move(done));
  }
  void stop() override {}
  void answer_all(http::ClientReply::Outcome outcome, int status = 0) {
    std::vector<std::function<void(http::ClientReply)>> taken;
    taken.swap(waiting);
    for (const auto& done : taken) {
      http::ClientReply reply;
      reply.outcome = outcome;
      reply.status = status;
      done(std::move(reply));
    }
  }
  std::vector<std::function<void(http::ClientReply)>> waiting;
};

class CensusTest : public testing::Test {
 protected:
  CensusTest() {
    loop_.shards.update({{{0, 1}}, 1}, clock_.ticks());
    loop_.shards.set_loaded(0);
    topics_.make("demo/events");
    feed_ = topics_.moved("demo/events").feed;
  }
  ~CensusTest() override {
    loop_.is_stopping = true;
    transport_.answer_all(http::ClientReply::Outcome::kStopped);
    run_until([this] { return dispatcher_.active() == 0; });
  }

  void publish(int count) {
    for (int i = 0; i < count; ++i) topics_.publish("demo/events", "text");
  }
  void adopt(std::int64_t number, std::int64_t cursor) {
    Subscription subscription;
    subscription.number = number;
    subscription.topic = {"/demo/events", 0, feed_};
    subscription.callback = "http://x.example/" + std::to_string(number);
    subscription.callback_host = "x.example";
    subscription.verified = clock_.now();
    subscription.lease_until = clock_.now() + 24h * 365;
    subscription.cursor = cursor;
    dispatcher_.adopt(subscription);
  }
  void run_until(const std::function<bool()>& holds) {
    io_.restart();
    while (!holds()) ASSERT_NE(io_.run_one_for(10s), 0U);
  }
  std::shared_ptr<const Overview> take() {
    bool is_done = false;
    const auto work = [](Census& census, bool& done) -> http::Task<void> {
      co_await census.take();
      done = true;
    };
    loop_.start(work(census_, is_done));
    run_until([&is_done] { return is_done; });
    return census_.latest();
  }
  static HubOptions patient() {
    HubOptions options;
    options.retry = {1h};
    return options;
  }
  static std::vector<std::int64_t> numbers(const Overview& overview) {
    std::vector<std::int64_t> all;
    for (const Laggard& laggard : overview.worst) all.push_back(laggard.subscription);
    return all;
  }

  test::TestDatabase database_;
  ClockAhead clock_;
  Metrics metrics_;
  sql::Database pool_{database_.options()};
  sql::Executor executor_{pool_, 1, 100};
  test::MemoryTopics topics_;
  std::int64_t feed_ = 0;
  UndecidedTransport transport_;
  const HubOptions options_ = patient();
  const Store store_{"mine", Vault(Sha256{1})};
  boost::asio::io_context io_;
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  Loop loop_{options_, topics_, executor_, transport_, store_, clock_, metrics_, io_, Shards(1h)};
  Dispatcher dispatcher_{loop_};
  Census census_{loop_, dispatcher_};
};

TEST(Distribution, CountsUpToEachBound) {
  Distribution distribution({0, 1, 10});
  distribution.add(0, 5);
  distribution.add(1);
  distribution.add(2);
  distribution.add(10);
  distribution.add(11);
  EXPECT_EQ(distribution.cumulative(), (std::vector<std::int64_t>{5, 6, 8, 9}));
}

TEST_F(CensusTest, BeforeTheFirstThereIsAnEmptyOne) {
  EXPECT_TRUE(census_.latest()->worst.empty());
  EXPECT_EQ(take()->positions.cumulative().back(), 0);
}

TEST_F(CensusTest, CountsHowFarSubscriptionsAreBehind) {
  publish(100);
  adopt(1, 100);
  adopt(2, 99);
  adopt(3, 0);
  clock_.ahead = 3000s;
  const std::shared_ptr<const Overview> overview = take();
  EXPECT_EQ(overview->positions.bounds()[3], 100);
  EXPECT_EQ(overview->positions.cumulative(), (std::vector<std::int64_t>{1, 2, 2, 3, 3, 3, 3, 3, 3}));
  EXPECT_EQ(overview->seconds.bounds()[6], 3600);
  EXPECT_EQ(overview->seconds.cumulative(), (std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3}));
  EXPECT_EQ(numbers(*overview), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(overview->worst[0].positions, 100);
  EXPECT_EQ(overview->worst[0].topic, "/demo/events");
  EXPECT_EQ(overview->states.at("caught_up"), 1);
  EXPECT_EQ(overview->states.at("delivering"), 2);
  const std::string text = metrics_.text();
  EXPECT_THAT(text, HasSubstr("courant_hub_lag_positions{le=\"0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("courant_hub_lag_positions{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("courant_hub_lag_seconds{le=\"3600\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("courant_hub_subscriptions{state=\"delivering\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("courant_hub_oldest_undelivered_seconds 300"));
}

TEST_F(CensusTest, NamesTheLongestBehind) {
  publish(30);
  for (std::int64_t number = 1; number <= 15; ++number) adopt(number, 30 - number);
  EXPECT_EQ(numbers(*take()), (std::vector<std::int64_t>{15, 14, 13, 12, 11, 10, 9, 8, 7, 6}));
}

TEST_F(CensusTest, TellsWhoRestsAndWhy) {
  publish(1);
  adopt(1, 0);
  run_until([this] { return transport_.waiting.size() == 1; });
  transport_.answer_all(http::ClientReply::Outcome::kAnswered, 503);
  run_until([this] { return dispatcher_.count(Phase::kResting) == 1; });
  std::shared_ptr<const Overview> overview = take();
  ASSERT_EQ(overview->worst.size(), 1U);
  EXPECT_EQ(overview->worst[0].state, "resting");
  EXPECT_EQ(overview->worst[0].failures, 1);
  EXPECT_TRUE(overview->worst[0].next_attempt);
  EXPECT_EQ(overview->worst[0].last_error, "the callback answered 503");
  EXPECT_THAT(metrics_.text(), HasSubstr("courant_hub_deliveries_total{outcome=\"5xx\"} 1\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("courant_hub_deliveries_total{outcome=\"2xx\"} 0\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("courant_hub_delivery_seconds_count 1\n"));

  dispatcher_.forget(1);
  overview = take();
  EXPECT_TRUE(overview->worst.empty());
  EXPECT_EQ(overview->positions.cumulative().back(), 0);
  for (const auto& [state, count] : overview->states) EXPECT_EQ(count, 0) << state;
  EXPECT_THAT(metrics_.text(), HasSubstr("courant_hub_oldest_undelivered_seconds 0\n"));
}

// One that is forgotten while a document is under way is counted nowhere, whatever becomes of it.
TEST_F(CensusTest, WhoEndsInTheMiddleOfADeliveryIsNotCounted) {
  publish(1);
  adopt(1, 0);
  run_until([this] { return transport_.waiting.size() == 1; });
  dispatcher_.forget(1);
  transport_.answer_all(http::ClientReply::Outcome::kAnswered, 500);
  run_until([this] { return dispatcher_.active() == 0; });
  for (const Phase phase : kPhases) EXPECT_EQ(dispatcher_.count(phase), 0);
}

// Many are counted a portion at a time; those who stand at one place cost one look-up.
TEST_F(CensusTest, CountsMoreThanAPortion) {
  publish(2);
  for (std::int64_t number = 1; number <= 10'000; ++number) adopt(number, number % 3);
  const std::shared_ptr<const Overview> overview = take();
  const std::vector<std::int64_t> counts = overview->positions.cumulative();
  EXPECT_EQ(counts.back(), 10'000);
  EXPECT_EQ(counts[0], 3'333);
  EXPECT_EQ(counts[1], 6'667);
}

TEST_F(CensusTest, OfAFeedThatIsGoneNothingIsOutstanding) {
  publish(5);
  adopt(1, 0);
  topics_.remove("demo/events");
  const std::shared_ptr<const Overview> overview = take();
  EXPECT_TRUE(overview->worst.empty());
  EXPECT_EQ(overview->positions.cumulative().front(), 1);
}

TEST(DeliveryAttempts, HaveAFixedSetOfLabels) {
  using Outcome = http::ClientReply::Outcome;
  const auto label = [](Outcome outcome, int status = 0) {
    http::ClientReply reply;
    reply.outcome = outcome;
    reply.status = status;
    return std::string(outcome_label(reply));
  };
  EXPECT_EQ(label(Outcome::kAnswered, 204), "2xx");
  EXPECT_EQ(label(Outcome::kAnswered, 307), "3xx");
  EXPECT_EQ(label(Outcome::kAnswered, 499), "4xx");
  EXPECT_EQ(label(Outcome::kAnswered, 503), "5xx");
  for (const int odd : {0, 99, 100, 600, 999, -1}) EXPECT_EQ(label(Outcome::kAnswered, odd), "other") << odd;
  EXPECT_EQ(label(Outcome::kTimeout), "timeout");
  EXPECT_EQ(label(Outcome::kForbidden), "forbidden");
}

}  // namespace
}  // namespace courant::hub
