// The hub over nothing but its seam: topics in memory, documents through a pipe, wake-ups by hand. There is no HTTP.
#include <atomic>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "hub/hub.h"
#include "tests/contract/hub/memory_topics.h"
#include "tests/contract/hub/pipe_transport.h"
#include "tests/support/any_query.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::hub_over_pipe_test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kTopic = "http://here.example/demo/events";

class HubOverPipeTest : public testing::Test {
 protected:
  HubOverPipeTest() {
    topics_.make("demo/events");
    start();
  }
  ~HubOverPipeTest() override { stop(); }

  void start() {
    peer_ = std::make_unique<PipePeer>([this](const SinkRequest& request) { return reply(request); });
    transport_ = std::make_unique<PipeTransport>(peer_->take_end());
    hub::HubOptions options;
    options.hub_url = "http://here.example/hub";
    options.process = "process " + std::to_string(++started_);
    options.delivery_timeout = 300ms;
    options.retry = {20ms};
    options.heartbeat = 50ms;
    options.shard_lease = 10s;
    options.save_watches_every = 50ms;
    hub_ = std::make_unique<hub::Hub>(options, Vault(Sha256{1}), topics_, insight_, executor_, executor_, *transport_,
                                      guard_, clock_, metrics_);
    const Result<bool> started = hub_->start(session_);
    ASSERT_TRUE(started) << started.fault().detail;
  }
  void stop() {
    if (hub_) hub_->stop();
    hub_.reset();
    transport_.reset();
    peer_.reset();
  }

  // The subscriber: says yes to whoever asks, takes deliveries as the test says.
  SinkReply reply(const SinkRequest& request) {
    if (request.method == "POST") return on_delivery ? on_delivery(request) : SinkReply{.status = 204};
    const std::optional<Parameters> query = parse_query(request.target.substr(request.target.find('?') + 1));
    return {.status = 200, .body = *find_parameter(*query, "hub.challenge")};
  }

  template <class Value>
  Value run(http::Task<Value> task) {
    io_.restart();
    std::future<Value> done = boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future);
    io_.run();
    return done.get();
  }
  // Asks, and waits until it is verified.
  void subscribe(const std::string& topic = kTopic, const std::string& name = "cb") {
    const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic) +
                             "&hub.callback=" + percent_encode("https://subscriber.example/" + name) +
                             "&hub.secret=shh";
    const std::int64_t before = number_of("select count(*) from subscriptions");
    ASSERT_EQ(run(hub_->take(form, "anonymous", "192.0.2.1")), 202);
    ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from subscriptions") == before + 1; }));
  }
  void publish(int count, const std::string& term = {}) {
    for (int i = 0; i < count; ++i) topics_.publish("demo/events", "text", term);
  }
  void wake() { hub_->moved({topics_.moved("demo/events")}); }

  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  bool has_cursor(int cursor) {
    // Where it has caught up, that is where its feed has been looked at.
    return wait_until([&] {
      return number_of(
                 "select count(*) from subscriptions s left join hub_watches w using (shard, lane, feed, watch) "
                 "where greatest(s.cursor, w.position) = " +
                 std::to_string(cursor)) > 0;
    });
  }
  std::vector<SinkRequest> deliveries() const {
    std::vector<SinkRequest> found;
    for (SinkRequest& request : peer_->requests()) {
      if (request.method == "POST") found.push_back(std::move(request));
    }
    return found;
  }
  // "0-2 2-5" of all that was delivered, each range once.
  std::string ranges() const {
    std::string all;
    for (const SinkRequest& one : deliveries()) {
      const std::string range = *one.header("Feed-Position-Previous") + "-" + *one.header("Feed-Position");
      if (all.find(range) == std::string::npos) all += (all.empty() ? "" : " ") + range;
    }
    return all;
  }
  hub::Confirmed confirmed(std::int64_t position, std::chrono::seconds wait = 0s) {
    const hub::Moved at = topics_.moved("demo/events");
    return run(hub_->confirmed({at.lane, at.feed, position}, clock_.ticks() + wait, nullptr));
  }

  Sink::Handler on_delivery;    // set before anything is delivered
  boost::asio::io_context io_;  // outlives every thread that wakes it
  int started_ = 0;
  TestDatabase database_;
  sql::Session session_{database_.url()};
  sql::Database pool_{database_.options()};
  sql::Executor executor_{pool_, 2, 100};
  const SystemClock clock_;
  Metrics metrics_;
  const std::shared_ptr<const http::AddressGuard> guard_ =
      std::make_shared<const http::AddressGuard>(std::vector<http::Network>());
  MemoryTopics topics_;
  NoInsight insight_;
  std::unique_ptr<PipePeer> peer_;
  std::unique_ptr<PipeTransport> transport_;
  std::unique_ptr<hub::Hub> hub_;
};

TEST_F(HubOverPipeTest, DeliversWhatIsPublished) {
  subscribe();
  EXPECT_EQ(peer_->requests().at(0).header("Feed-Position"), "0");
  publish(2);
  wake();
  ASSERT_TRUE(has_cursor(2));
  publish(1);
  wake();
  ASSERT_TRUE(has_cursor(3));
  const std::vector<SinkRequest> all = deliveries();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].body, "after 0\n2 text\n1 text\n");
  EXPECT_EQ(all[0].header("Content-Type"), "text/plain");
  EXPECT_EQ(all[0].header("Link"),
            "<http://here.example/demo/events>; rel=\"self\", <http://here.example/hub>; rel=\"hub\"");
  EXPECT_TRUE(all[0].header("X-Hub-Signature"));
  EXPECT_EQ(all[1].body, "after 2\n3 text\n");
}

TEST_F(HubOverPipeTest, AFilteredTopicIsPassedOver) {
  subscribe(std::string(kTopic) + "?search=%2Bgold");
  publish(3, "red");
  wake();
  EXPECT_TRUE(confirmed(3, 60s).is_by_all()) << "it need not have it";
  EXPECT_TRUE(deliveries().empty());
  publish(1, "gold");
  wake();
  ASSERT_TRUE(has_cursor(4));
  EXPECT_EQ(ranges(), "0-4");
}

// Whatever goes wrong, the same document comes again until it is taken, and nothing overtakes it.
TEST_F(HubOverPipeTest, WhatFailsIsTriedAgain) {
  Gate gate;
  const GateOpener opener{gate};
  std::atomic<int> attempts{0};
  on_delivery = [&](const SinkRequest&) -> SinkReply {
    switch (++attempts) {
      case 1:
        return {.status = 500};
      case 2:
        return {.status = 503, .headers = {{"Retry-After", "0"}}};
      case 3:
        return {.status = 307, .headers = {{"Location", "/else"}}};
      case 4:
        gate.wait();  // longer than the hub has patience
        return {.status = 204};
      default:
        return {.status = 204};
    }
  };
  subscribe();
  publish(1);
  wake();
  ASSERT_TRUE(wait_until([&] { return attempts >= 1; }));
  publish(4);
  wake();
  ASSERT_TRUE(wait_until([&] { return number_of("select max(failures)::bigint from subscriptions") >= 4; }));
  gate.open();
  ASSERT_TRUE(has_cursor(5));
  EXPECT_EQ(ranges(), "0-1 1-5");
  const std::vector<SinkRequest> all = deliveries();
  ASSERT_GE(all.size(), 6U);
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(all[i].header("webhook-id"), all[0].header("webhook-id"));
    EXPECT_EQ(all[i].body, all[0].body);
  }
}

TEST_F(HubOverPipeTest, WhoIsGoneIsLetGo) {
  on_delivery = [](const SinkRequest&) { return SinkReply{.status = 410}; };
  subscribe();
  publish(1);
  wake();
  EXPECT_TRUE(wait_until([&] { return number_of("select count(*) from subscriptions") == 0; }));
}

// The peer breaks off: what was being delivered is delivered by the next hub, over another pipe.
TEST_F(HubOverPipeTest, ABrokenPipeAndAnotherHubLoseNothing) {
  on_delivery = [this](const SinkRequest&) {
    return started_ == 1 ? SinkReply{.raw = "broken"} : SinkReply{.status = 204};
  };
  subscribe();
  publish(2);
  wake();
  ASSERT_TRUE(wait_until([&] {
    return number_of("select count(*) from subscriptions where record::text like '%no connection%'") == 1;
  })) << "it broke off, and from then on there is no connection";
  publish(1);
  stop();
  start();
  ASSERT_TRUE(has_cursor(3));
  EXPECT_EQ(ranges(), "0-2 2-3");
}

TEST_F(HubOverPipeTest, StoppingAnswersWhatIsInFlightAndKeepsCursors) {
  Gate gate;
  const GateOpener opener{gate};
  on_delivery = [&](const SinkRequest& request) {
    if (request.header("Feed-Position") == "2" && started_ == 1) gate.wait();
    return SinkReply{.status = 204};
  };
  subscribe();
  publish(1);
  wake();
  ASSERT_TRUE(has_cursor(1));
  publish(1);
  wake();
  ASSERT_TRUE(wait_until([&] { return deliveries().size() == 2; }));
  hub_->stop();
  EXPECT_EQ(number_of("select cursor from subscriptions"), 1);
  EXPECT_EQ(number_of("select coalesce(frozen, 0) from subscriptions"), 2) << "it may have arrived";
  EXPECT_EQ(number_of("select failures from subscriptions"), 0) << "that the hub stops is nobody's failure";
  gate.open();
  stop();
  start();
  EXPECT_TRUE(has_cursor(2));
}

// Wake-ups may come more than once, in any order, from any thread, and of feeds that nobody knows.
TEST_F(HubOverPipeTest, WakeUpsAreHintsOnly) {
  subscribe();
  publish(1);
  const hub::Moved first = topics_.moved("demo/events");
  publish(9);
  const hub::Moved last = topics_.moved("demo/events");
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        hub_->moved({last, first, {7, 7, 7}});
        hub_->moved({});
        hub_->moved({{first.lane, first.feed, 0}, first});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(has_cursor(10));
  std::string expected;
  std::string came;
  for (int position = 1; position <= 10; ++position) expected += std::to_string(position) + " text\n";
  for (const SinkRequest& one : deliveries()) {
    std::vector<std::string_view> lines = split(one.body, '\n');
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      if (line->ends_with(" text")) came += std::string(*line) + "\n";
    }
  }
  EXPECT_EQ(came, expected) << "each entry once, in order";
}

TEST_F(HubOverPipeTest, AWakeUpThatIsLostCostsNoEntry) {
  subscribe();
  publish(1);  // and nobody says so
  EXPECT_TRUE(has_cursor(1)) << "a heartbeat finds it";
}

TEST_F(HubOverPipeTest, WhoPublishesIsToldWhenItHasArrived) {
  std::atomic<bool> takes{false};
  on_delivery = [&](const SinkRequest& request) {
    return SinkReply{.status = takes || request.target == "/quick" ? 204 : 500};
  };
  EXPECT_EQ(confirmed(0).subscriptions, 0);
  EXPECT_TRUE(confirmed(0, 60s).is_by_all()) << "of none";
  subscribe(kTopic, "quick");
  subscribe(kTopic, "slow");
  subscribe(std::string(kTopic) + "?search=%2Bgold", "filtered");
  publish(2, "red");
  wake();
  ASSERT_TRUE(wait_until([&] { return confirmed(2).confirmed == 2; })) << "one took it, one need not have it";
  EXPECT_EQ(confirmed(2).subscriptions, 3);
  EXPECT_EQ(confirmed(2, 1s).confirmed, 2) << "time is up";
  takes = true;
  const hub::Confirmed all = confirmed(2, 60s);
  EXPECT_EQ(all.subscriptions, 3);
  EXPECT_EQ(all.confirmed, 3);
}

}  // namespace
}  // namespace courant::test::hub_over_pipe_test
