#include "hub/verifier.h"

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "tests/support/any_query.h"
#include "tests/support/no_topics.h"
#include "tests/support/test_database.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;
using Outcome = http::ClientReply::Outcome;

class EmptyFeed final : public test::NoTopics {
 public:
  std::function<void()> is_asked_for_terms = [] {};  // on the database's thread, while a subscription is being made
  std::vector<std::string> required_terms(const Topic&) override {
    is_asked_for_terms();
    return {};
  }
};

std::string challenge_in(const std::string& url) {
  constexpr std::string_view kName = "hub.challenge=";
  const std::size_t begin = url.find(kName) + kName.size();
  return url.substr(begin, url.find('&', begin) - begin);
}

// Answers as the test says, having asked whether a connection to the test's address may be opened.
class ToldTransport final : public Transport {
 public:
  Outcome outcome = Outcome::kAnswered;
  bool confirms = false;
  std::function<void()> meanwhile = [] {};  // before it answers
  std::string address = "192.0.2.1";
  int connections = 0;
  int held_back = 0;

  void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    http::ClientReply reply;
    reply.outcome = outcome;
    reply.status = 500;
    if (request.admits && !request.admits(*http::Address::parse(address))) {
      reply.outcome = Outcome::kHeldBack;
      ++held_back;
    } else {
      ++connections;
      if (confirms) {
        reply.status = 200;
        reply.body = challenge_in(request.url);
      }
    }
    meanwhile();
    done(std::move(reply));
  }
  void stop() override {}
};

class TestClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::days(20'000)); }
  Ticks ticks() const override { return ticks_; }
  void pass(Ticks::duration time) { ticks_ += time; }

 private:
  Ticks ticks_{1h};
};

class VerifierTest : public testing::Test {
 protected:
  VerifierTest() {
    options_.verifications = {1000, 1000, 1000, 1000};
    own_shards(64);
  }

  void own_shards(std::int64_t count) {
    KeptShards kept;
    for (std::int64_t shard = 0; shard < count; ++shard) kept.shards.push_back({shard, 1});
    loop_.shards.update(kept, clock_.ticks());
    for (const ShardEpoch& shard : kept.shards) loop_.shards.set_loaded(shard.shard);
  }
  // All in shard 0.
  void put(const std::string& host, const std::string& path, const std::string& client = "198.51.100.1") {
    NewRequest request;
    request.topic = {"/demo/events", 3, 1};
    request.self = "http://here.example/demo/events";
    request.callback = "http://" + host + path;
    request.callback_host = host;
    request.callback_domain = host.substr(host.find('.') + 1);
    request.identity = "anonymous";
    request.client = client;
    request.lease = 60s;
    store_.put_request(session_, request, 1);
  }
  // Lets the verifier look once, and everything that it begins end.
  void look() {
    bool is_done = false;
    const auto work = [](Verifier& verifier, bool& done) -> http::Task<void> {
      co_await verifier.look();
      done = true;
    };
    loop_.start(work(verifier_, is_done));
    io_.restart();
    while (!is_done || verifier_.active() > 0) ASSERT_NE(io_.run_one_for(10s), 0U);
  }
  std::int64_t number(const std::string& query) { return test::number_of(session_, query); }
  std::int64_t waiting() { return number("select count(*) from hub_requests"); }
  std::int64_t attempts() { return number("select coalesce(sum(attempts), 0)::bigint from hub_requests"); }
  void make_untried_due() {
    session_.run(sql::Query{"due", "update hub_requests set next_attempt = clock_timestamp() where attempts = 0"});
  }

  test::TestDatabase database_;
  sql::Session session_{database_.url()};
  TestClock clock_;
  Metrics metrics_;
  sql::Database pool_{database_.options()};
  sql::Executor executor_{pool_, 1, 100};
  EmptyFeed source_;
  ToldTransport transport_;
  HubOptions options_;
  const Store store_{"mine", Vault(Sha256{1})};
  boost::asio::io_context io_;
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  Loop loop_{options_, source_, executor_, transport_, store_, clock_, metrics_, io_, Shards(24h)};
  Dispatcher dispatcher_{loop_};
  Verifier verifier_{loop_, dispatcher_, [] {}};
};

// What a literal does at once, a name does when it is looked up: it is not asked again.
TEST_F(VerifierTest, AForbiddenAddressEndsTheVerification) {
  put("a.x.example", "/cb");
  transport_.outcome = Outcome::kForbidden;
  look();
  EXPECT_EQ(waiting(), 0);
}

TEST_F(VerifierTest, AFailureIsCountedAndTriedAgainLater) {
  put("a.x.example", "/cb");
  look();
  EXPECT_EQ(waiting(), 1);
  EXPECT_EQ(attempts(), 1);
  look();
  EXPECT_EQ(transport_.connections, 1) << "it is not due yet";
}

// The heartbeat comes so late that for a while nobody knows whether the shards are this process's still.
class LateHeartbeat : public VerifierTest {
 protected:
  LateHeartbeat() {
    transport_.confirms = true;
    beat();
    put("a.x.example", "/cb");
  }

  void beat() {
    loop_.shards.update(store_.keep_shards(session_, 1h), clock_.ticks());
    for (const ShardEpoch& shard : loop_.shards.unloaded()) loop_.shards.set_loaded(shard.shard);
  }
  void be_late() { clock_.pass(48h); }
  void expect_verified_once() {
    EXPECT_EQ(waiting(), 0);
    EXPECT_NE(dispatcher_.find(number("select coalesce(max(subscription), 0) from subscriptions")), nullptr)
        << "it is delivered to without being loaded again";
    beat();
    look();
    EXPECT_EQ(transport_.connections, 1);
  }
};

TEST_F(LateHeartbeat, WhatWasConfirmedMeanwhileIsNotAskedAgain) {
  transport_.meanwhile = [this] { be_late(); };
  look();
  expect_verified_once();
}

TEST_F(LateHeartbeat, WhatIsBeingStoredIsDeliveredTo) {
  source_.is_asked_for_terms = [this] { be_late(); };
  look();
  expect_verified_once();
}

TEST_F(LateHeartbeat, WhatAnotherProcessHasByThenIsItsToAsk) {
  const Store theirs("theirs", Vault(Sha256{1}));
  transport_.meanwhile = [&] {
    session_.execute_script("update hub_processes set expires = clock_timestamp() - interval '1 second'");
    theirs.keep_shards(session_, 1h);
  };
  look();
  EXPECT_EQ(waiting(), 1);
  EXPECT_EQ(number("select count(*) from subscriptions"), 0);
}

class VerifierRates : public VerifierTest {};

TEST_F(VerifierRates, HoldForACallbacksHost) {
  options_.verifications.per_host = 3;
  for (int i = 0; i < 10; ++i) put("a.x.example", "/" + std::to_string(i));
  put("b.x.example", "/cb");
  look();
  EXPECT_EQ(transport_.connections, 4);
  look();
  EXPECT_EQ(transport_.connections, 4) << "the second has not passed";
  clock_.pass(1s);
  look();
  EXPECT_EQ(transport_.connections, 7);
  EXPECT_EQ(attempts(), 7);
}

TEST_F(VerifierRates, HoldForARegistrableDomain) {
  options_.verifications.per_domain = 3;
  for (int i = 0; i < 10; ++i) put(std::to_string(i) + ".x.example", "/cb");
  put("a.y.example", "/cb");
  look();
  EXPECT_EQ(transport_.connections, 4);
  look();
  EXPECT_EQ(transport_.connections, 4) << "the others have no turn yet";
}

TEST_F(VerifierRates, HoldForAClient) {
  options_.verifications.per_client = 3;
  for (int i = 0; i < 10; ++i) put("a." + std::to_string(i) + ".example", "/cb");
  put("a.y.example", "/cb", "198.51.100.2");
  put("a.z.example", "/cb", "");
  put("b.z.example", "/cb", "");
  look();
  EXPECT_EQ(transport_.connections, 6) << "renewals by the hub itself are nobody's";
}

// Names of different owners that lead to one place: it is known once they are looked up, and they come again later.
TEST_F(VerifierRates, HoldForANetwork) {
  options_.verifications.per_network = 3;
  for (int i = 0; i < 10; ++i) put("a." + std::to_string(i) + ".example", "/cb");
  look();
  EXPECT_EQ(transport_.connections, 3);
  EXPECT_EQ(transport_.held_back, 7);
  EXPECT_EQ(attempts(), 3) << "to be held back is no attempt";
  clock_.pass(1s);
  make_untried_due();
  transport_.address = "192.0.2.254";
  look();
  EXPECT_EQ(transport_.connections, 6) << "an address of the same network";
  make_untried_due();
  transport_.address = "192.0.3.1";
  look();
  EXPECT_EQ(transport_.connections, 9) << "another network";
}

// A process with a quarter of the shards takes a quarter of what all may do together.
TEST_F(VerifierRates, AreSharedByTheProcesses) {
  options_.verifications.per_host = 8;
  own_shards(16);
  for (int i = 0; i < 20; ++i) put("a.x.example", "/" + std::to_string(i));
  look();
  EXPECT_EQ(transport_.connections, 2);
  own_shards(64);
  clock_.pass(1s);
  look();
  EXPECT_EQ(transport_.connections, 10);
}

}  // namespace
}  // namespace courant::hub
