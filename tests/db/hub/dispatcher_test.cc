#include "hub/dispatcher.h"

#include <algorithm>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "tests/support/test_database.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

// One feed that stands where the test says; its documents hold whatever is new.
class OneFeed final : public TopicSource {
 public:
  std::int64_t head = 0;

  std::optional<Topic> find(sql::Session&, const std::string&) override { return std::nullopt; }
  std::int64_t position(sql::Session&, const Topic&) override { return head; }
  std::int64_t known_position(std::int64_t, std::int64_t) override { return head; }
  std::optional<PushDocument> read(sql::Session&, const Topic&, const std::string& self, std::int64_t from,
                                   std::int64_t, const PushLimits&) override {
    return PushDocument{std::make_shared<const std::string>("new"), "text/plain", self, from, head, head - from};
  }
};

// Keeps what is sent until the test answers it.
class HeldRequests final : public Transport {
 public:
  struct Held {
    std::string url;
    std::function<void(http::ClientReply)> done;
  };
  std::vector<Held> held;

  bool send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    held.push_back({request.url, std::move(done)});
    return true;
  }
  void stop() override {}
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    loop_.shards.update({{{0, 1}}, 1}, clock_.ticks());
    loop_.shards.set_loaded(0);
  }
  // As the hub stops: what is in flight is answered, and its coroutines end.
  ~DispatcherTest() override {
    loop_.is_stopping = true;
    for (const HeldRequests::Held& held : transport_.held) {
      http::ClientReply stopped;
      stopped.outcome = http::ClientReply::Outcome::kStopped;
      held.done(std::move(stopped));
    }
    transport_.held.clear();
    run_until([this] { return dispatcher_.active() == 0; });
  }

  void adopt(std::int64_t number) {
    Subscription subscription;
    subscription.number = number;
    subscription.topic = {"/demo/events", 3, 1};
    subscription.callback = "http://x.example/" + std::to_string(number);
    subscription.callback_host = "x.example";
    subscription.verified = clock_.now();
    subscription.lease_until = clock_.now() + 1h;
    dispatcher_.adopt(subscription);
  }
  // Runs the loop until something holds; false: it does not.
  bool run_until(const std::function<bool()>& holds) {
    io_.restart();
    while (!holds()) {
      if (io_.run_one_for(10s) == 0) return false;
    }
    return true;
  }
  bool run_until_held(std::size_t count) {
    return run_until([this, count] { return transport_.held.size() == count; });
  }
  // The callback of that name takes its document.
  void accept(const std::string& url) {
    const auto found = std::find_if(transport_.held.begin(), transport_.held.end(),
                                    [&url](const HeldRequests::Held& held) { return held.url == url; });
    ASSERT_NE(found, transport_.held.end()) << url;
    const auto done = std::move(found->done);
    transport_.held.erase(found);
    http::ClientReply reply;
    reply.outcome = http::ClientReply::Outcome::kAnswered;
    reply.status = 204;
    done(std::move(reply));
  }

  test::TestDatabase database_;
  SystemClock clock_;
  Metrics metrics_;
  sql::Database pool_{database_.options()};
  sql::Executor executor_{pool_, 1, 10};
  OneFeed source_;
  HeldRequests transport_;
  HubOptions options_;
  const Store store_{"mine", Vault(Sha256{1})};
  boost::asio::io_context io_;
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  Loop loop_{options_, source_, executor_, transport_, store_, clock_, metrics_, io_, Shards(1h)};
  Dispatcher dispatcher_{loop_};
};

TEST_F(DispatcherTest, AWakeUpIsForAllSubscriptionsThoughOneHasSeenTheCommitBefore) {
  source_.head = 1;
  adopt(1);
  adopt(2);
  ASSERT_TRUE(run_until_held(2));
  accept("http://x.example/2");
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 1; }));
  source_.head = 2;  // committed, and not yet told to the loop
  accept("http://x.example/1");
  ASSERT_TRUE(run_until_held(1)) << "the subscription that was active sees it by itself";
  dispatcher_.moved(3, 1, 2);
  EXPECT_TRUE(run_until_held(2)) << "the subscription that was idle has to get position 2, too";
}

}  // namespace
}  // namespace courant::hub
