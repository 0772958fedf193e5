#include "hub/hub.h"

#include <future>
#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "tests/support/any_query.h"
#include "tests/support/no_topics.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

// What the database's threads ask of it has to wait until the test lets them go on.
class SlowFeed final : public test::NoTopics {
 public:
  std::promise<void> asked;
  std::promise<void> may_go_on;

  std::vector<std::string> required_terms(const Topic&) override {
    asked.set_value();
    may_go_on.get_future().wait();
    return {};
  }
};

class NoPageInsight final : public TopicInsight {
 public:
  Backlog backlog(sql::Session&, const Topic&, std::int64_t) override { return {}; }
  PushDocument empty_document(sql::Session&, const Topic&, const std::string&, std::int64_t) override { return {}; }
  NamedTopic through_filter(sql::Session&, const Topic&, const std::string&, const std::string&) override { return {}; }
  Preview preview(sql::Session&, const Topic&, const std::string&, const std::string&, std::int64_t,
                  std::int64_t) override {
    return {};
  }
};

class DeafTransport final : public Transport {
 public:
  void live_on(boost::asio::io_context& loop) override { loop_ = &loop; }
  void send(http::ClientRequest, std::function<void(http::ClientReply)> done) override { done({}); }
  void stop() override {
    if (at_stop) at_stop(*loop_);
  }

  std::function<void(boost::asio::io_context& loop)> at_stop;

 private:
  boost::asio::io_context* loop_ = nullptr;
};

class HubHeartbeat : public testing::Test {
 protected:
  static HubOptions quick_options() {
    HubOptions options;
    options.process = "mine";
    options.heartbeat = 10ms;
    return options;
  }
  void put_subscription() {
    session_.execute_script(
        "insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, "
        "verified, lease_until, cursor) values (0, sha256('x'), 3, 1, '/demo/events', "
        "'http://here.example/demo/events', "
        "'http://x.example/cb', 'x.example', '', false, now(), now() + interval '1 day', 0)");
  }
  std::int64_t expires() {
    return test::number_of(session_, "select (extract(epoch from max(expires)) * 1000000)::bigint from hub_processes");
  }

  test::TestDatabase database_;
  sql::Session session_{database_.url()};
  SystemClock clock_;
  Metrics metrics_;
  sql::Database pool_{database_.options()};
  sql::Executor executor_{pool_, 2, 1000};
  SlowFeed source_;
  NoPageInsight insight_;
  DeafTransport transport_;
  Hub hub_{quick_options(),
           Vault(Sha256{1}),
           source_,
           insight_,
           executor_,
           executor_,
           transport_,
           std::make_shared<const http::AddressGuard>(std::vector<http::Network>{}, std::vector<std::string>{}),
           clock_,
           metrics_};
};

// Else its shards would be others' before many subscriptions were in memory, and theirs be lost in the same way.
TEST_F(HubHeartbeat, GoesOnWhileSubscriptionsAreLoaded) {
  put_subscription();
  ASSERT_TRUE(hub_.start(session_));
  source_.asked.get_future().wait();
  bool has_gone_on = true;
  for (int beats = 0; beats < 3; ++beats) {
    const std::int64_t before = expires();
    has_gone_on = has_gone_on && test::wait_until([&] { return expires() > before; });
  }
  source_.may_go_on.set_value();
  EXPECT_TRUE(has_gone_on);
  hub_.stop();
}

// Its connections lie there, and end there (hub/transport.h). A hub with nothing to do may have ended long before.
TEST_F(HubHeartbeat, TheLoopGoesOnUntilTheTransportHasStopped) {
  std::future_status is_run = std::future_status::timeout;
  transport_.at_stop = [&](boost::asio::io_context& loop) {
    const auto has_left = [&] { return test::number_of(session_, "select count(*) from hub_processes") == 0; };
    ASSERT_TRUE(test::wait_until(has_left));
    // What comes after that on the loop, its end if there were one, has come too once it is idle.
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    const auto run = std::make_shared<std::promise<void>>();
    boost::asio::post(loop, [run] { run->set_value(); });
    is_run = run->get_future().wait_for(10s);
  };
  ASSERT_TRUE(hub_.start(session_));
  const auto has_come = [&] { return test::number_of(session_, "select count(*) from hub_processes") == 1; };
  ASSERT_TRUE(test::wait_until(has_come));
  hub_.stop();
  EXPECT_EQ(is_run, std::future_status::ready);
}

}  // namespace
}  // namespace courant::hub
