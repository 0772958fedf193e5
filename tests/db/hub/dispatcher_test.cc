#include "hub/dispatcher.h"

#include <algorithm>
#include <atomic>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "tests/support/no_topics.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

// One feed that stands where the test says; its documents hold whatever is new and fits: each entry has 64 KiB.
class OneFeed final : public test::NoTopics {
 public:
  static constexpr std::int64_t kEntryBytes = 64 << 10;
  std::int64_t head = 0;
  std::int64_t nothing_upto = 0;  // nothing is to be delivered of what stands up to there
  bool is_empty = false;          // whatever its head says
  std::int64_t generation = 1;
  std::atomic<int> reads{0};  // that gave a document

  std::int64_t position(sql::Session&, const Topic&) override { return head; }
  std::int64_t known_position(std::int64_t, std::int64_t) override { return head; }
  std::int64_t known_generation(std::int64_t, std::int64_t) override { return generation; }
  std::optional<PushDocument> read(sql::Session&, const Topic&, const std::string& self, std::int64_t from,
                                   std::int64_t upto, const PushLimits& limits) override {
    if (from >= head) return std::nullopt;
    if (from < nothing_upto) return PushDocument{nullptr, "text/plain", self, from, nothing_upto, 0};
    ++reads;
    if (is_empty) return std::nullopt;
    const std::int64_t to = std::min({head, upto, from + limits.max_bytes / kEntryBytes});
    const auto body = std::make_shared<const std::string>("after " + std::to_string(from) + ": new");
    PushDocument document{body, "text/plain", self, from, to, to - from, std::string_view("after ").size()};
    document.generation = generation;
    return document;
  }
};

// Goes on as time does, and further where it is told.
class LeapingClock final : public Clock {
 public:
  std::chrono::seconds leapt{0};
  Instant now() const override { return system_.now() + leapt; }
  Ticks ticks() const override { return system_.ticks() + leapt; }

 private:
  SystemClock system_;
};

// Keeps what is sent until the test answers it.
class HeldRequests final : public Transport {
 public:
  struct Held {
    http::ClientRequest request;
    std::function<void(http::ClientReply)> done;
  };
  std::vector<Held> held;
  int sent = 0;

  void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    held.push_back({std::move(request), std::move(done)});
    ++sent;
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

  void adopt(std::int64_t number, std::int64_t cursor = 0, std::int64_t frozen = 0) {
    Subscription subscription;
    subscription.number = number;
    subscription.frozen = frozen;
    subscription.topic = {"/demo/events", 3, 1};
    subscription.callback = "http://x.example/" + std::to_string(number);
    subscription.callback_host = "x.example";
    subscription.verified = clock_.now();
    subscription.lease_until = clock_.now() + 1h;
    subscription.cursor = cursor;
    subscription.told = cursor;
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
  // The callback of that name takes its document, which is returned.
  http::ClientRequest accept(const std::string& url) {
    http::ClientReply taken;
    taken.outcome = http::ClientReply::Outcome::kAnswered;
    taken.status = 204;
    return answer(url, std::move(taken));
  }
  http::ClientRequest answer(const std::string& url, http::ClientReply reply) {
    const auto found = std::find_if(transport_.held.begin(), transport_.held.end(),
                                    [&url](const HeldRequests::Held& held) { return held.request.url == url; });
    EXPECT_NE(found, transport_.held.end()) << url;
    if (found == transport_.held.end()) return {};
    const auto done = std::move(found->done);
    http::ClientRequest request = std::move(found->request);
    transport_.held.erase(found);
    done(std::move(reply));
    return request;
  }
  static std::string header(const http::ClientRequest& request, const std::string& name) {
    const auto found = std::find_if(request.headers.begin(), request.headers.end(),
                                    [&name](const auto& field) { return field.first == name; });
    return found == request.headers.end() ? "none" : found->second;
  }

  test::TestDatabase database_;
  LeapingClock clock_;
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

// Across what was passed over the previous position is that of the delivery before, in the header, in the id and in the
// document, which is read and rendered once for all who stand there.
TEST_F(DispatcherTest, WhatIsPassedOverLeavesNoGap) {
  source_.head = 3;
  source_.nothing_upto = 3;
  adopt(1, 1);
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; })) << "it looks at what is not to be delivered";
  adopt(2, 3);
  source_.head = 4;
  dispatcher_.moved(3, 1, 4);
  ASSERT_TRUE(run_until_held(2));
  EXPECT_EQ(source_.reads, 1);
  const http::ClientRequest first = accept("http://x.example/1");
  EXPECT_EQ(header(first, "Feed-Position-Previous"), "1");
  EXPECT_EQ(header(first, "Feed-Position"), "4");
  EXPECT_EQ(header(first, "webhook-id"), "msg_1_1_4");
  EXPECT_EQ(*first.body, "after 1: new");
  const http::ClientRequest second = accept("http://x.example/2");
  EXPECT_EQ(header(second, "Feed-Position-Previous"), "3");
  EXPECT_EQ(*second.body, "after 3: new");

  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  EXPECT_EQ(dispatcher_.told(1), 4);
  source_.head = 5;
  dispatcher_.moved(3, 1, 5);
  ASSERT_TRUE(run_until_held(2));
  EXPECT_EQ(header(accept("http://x.example/1"), "Feed-Position-Previous"), "4");
}

TEST_F(DispatcherTest, ASubscriptionMadeAgainStandsWhereItStood) {
  source_.head = 2;
  adopt(1, 1);
  ASSERT_TRUE(run_until_held(1));
  accept("http://x.example/1");
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  adopt(1, 1);  // as the database has it, which is behind
  EXPECT_EQ(dispatcher_.told(1), 2);
  EXPECT_EQ(dispatcher_.told(7), std::nullopt);
  EXPECT_TRUE(transport_.held.empty());
}

// While its document is read the subscription is given a secret that cannot be opened here.
TEST_F(DispatcherTest, NothingIsSentUnsignedThatIsToBeSigned) {
  source_.head = 1;
  adopt(1);
  ASSERT_TRUE(test::wait_until([this] {
    if (source_.reads == 0) io_.poll_one();
    return source_.reads == 1;
  }));
  Subscription changed = *dispatcher_.find(1);
  changed.has_lost_secret = true;
  dispatcher_.set_wishes(changed);
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  EXPECT_TRUE(transport_.held.empty());
  EXPECT_EQ(dispatcher_.count(Phase::kResting), 1);
  changed.secret = "shh";
  changed.has_lost_secret = false;
  dispatcher_.set_wishes(changed);
  ASSERT_TRUE(run_until_held(1));
  EXPECT_NE(header(transport_.held[0].request, "X-Hub-Signature"), "none");
}

TEST_F(DispatcherTest, DocumentsForOneThatIsFarBehindGrowByBytes) {
  source_.head = 100;
  adopt(1);
  std::vector<std::string> positions;
  while (positions.empty() || positions.back() != "100") {
    ASSERT_TRUE(run_until_held(1));
    positions.push_back(header(transport_.held[0].request, "Feed-Position"));
    accept("http://x.example/1");
  }
  EXPECT_EQ(positions, (std::vector<std::string>{"4", "12", "28", "60", "100"}));
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  source_.head = 200;
  dispatcher_.moved(3, 1, 200);
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(header(transport_.held[0].request, "Feed-Position"), "104") << "it has caught up meanwhile";
}

TEST_F(DispatcherTest, WhatWasSentComesAgainAsAWhole) {
  source_.head = 100;
  adopt(1, 0, 50);  // by a process that had come to longer documents
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(header(transport_.held[0].request, "Feed-Position"), "50");
}

TEST_F(DispatcherTest, ADocumentIsReadOnceForAllAndKeptForSomeSeconds) {
  source_.head = 1;
  for (std::int64_t number = 1; number <= 20; ++number) adopt(number);
  ASSERT_TRUE(run_until_held(16)) << "of one host";
  EXPECT_EQ(source_.reads, 1);
  accept("http://x.example/1");
  ASSERT_TRUE(run_until([this] { return transport_.held.back().request.url == "http://x.example/17"; }));
  EXPECT_EQ(source_.reads, 1) << "whoever has the turn later is sent the same";
  clock_.leapt = 11s;
  accept("http://x.example/2");
  ASSERT_TRUE(run_until([this] { return transport_.held.back().request.url == "http://x.example/18"; }));
  EXPECT_EQ(source_.reads, 2) << "entries may have expired or been erased by now";
}

// Whoever else has a callback there is not tried in vain meanwhile, and goes on as soon as one gets through.
// The database was set back and its positions are given again: what was read of the generation before is not what
// stands there now.
TEST_F(DispatcherTest, NoDocumentOfAGenerationThatIsOverIsSent) {
  source_.head = 1;
  adopt(1);
  ASSERT_TRUE(run_until_held(1));
  accept("http://x.example/1");
  source_.generation = 2;
  adopt(2);
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(source_.reads, 2);
  EXPECT_EQ(header(accept("http://x.example/2"), "webhook-id"), "msg_2_0_1_g2");
  adopt(3);
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(source_.reads, 2) << "the new one is shared as the old one was";
  accept("http://x.example/3");
}

TEST_F(DispatcherTest, AHostThatCannotBeReachedIsProbedByOne) {
  source_.head = 1;
  for (std::int64_t number = 1; number <= 30; ++number) adopt(number);
  ASSERT_TRUE(run_until_held(16)) << "of one host";
  http::ClientReply unreachable;
  unreachable.outcome = http::ClientReply::Outcome::kConnect;
  while (!transport_.held.empty()) answer(transport_.held[0].request.url, unreachable);
  ASSERT_TRUE(run_until([this] { return transport_.held.size() == 1 && dispatcher_.active() == 1; }));
  EXPECT_EQ(transport_.sent, 17);
  answer(transport_.held[0].request.url, unreachable);
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(transport_.sent, 18);
  accept(transport_.held[0].request.url);
  for (int i = 1; i < 30; ++i) {
    ASSERT_TRUE(run_until([this] { return !transport_.held.empty(); }));
    accept(transport_.held[0].request.url);
  }
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  EXPECT_EQ(transport_.sent, 18 + 29);
}

TEST_F(DispatcherTest, WhoeverIsToProbeAndEndsLeavesItToAnother) {
  source_.head = 1;
  adopt(1);
  adopt(2);
  ASSERT_TRUE(run_until_held(2));
  http::ClientReply unreachable;
  unreachable.outcome = http::ClientReply::Outcome::kTimeout;
  answer("http://x.example/1", unreachable);
  answer("http://x.example/2", unreachable);
  ASSERT_TRUE(run_until_held(1));
  const std::string prober = transport_.held[0].request.url;
  dispatcher_.forget(prober.back() - '0');
  ASSERT_TRUE(run_until_held(2));
  EXPECT_NE(transport_.held[1].request.url, prober);
}

// An answer of any kind shows that the host is there: what is wrong is the subscription's alone.
TEST_F(DispatcherTest, ARefusalIsTheSubscriptionsOwn) {
  source_.head = 1;
  for (std::int64_t number = 1; number <= 20; ++number) adopt(number);
  ASSERT_TRUE(run_until_held(16));
  http::ClientReply refused;
  refused.outcome = http::ClientReply::Outcome::kAnswered;
  refused.status = 500;
  for (int i = 0; i < 4; ++i) answer(transport_.held[0].request.url, refused);
  EXPECT_TRUE(run_until_held(16)) << "the other four have their turn";
}

TEST_F(DispatcherTest, WhereThereIsLessThanAWakeUpSaidItIsNotLookedAtAllTheTime) {
  source_.head = 1;
  source_.is_empty = true;
  adopt(1);
  ASSERT_TRUE(run_until([this] { return source_.reads > 10 || (source_.reads > 0 && dispatcher_.active() == 0); }));
  EXPECT_EQ(source_.reads, 1);
}

Subscription with_wishes(std::int64_t number, const Wishes& wishes, Instant verified) {
  Subscription subscription;
  subscription.number = number;
  subscription.wishes = wishes;
  subscription.verified = verified;
  return subscription;
}

TEST_F(DispatcherTest, WhatIsPausedGetsNothingUntilItGoesOn) {
  source_.head = 1;
  adopt(1);
  adopt(2);
  ASSERT_TRUE(run_until_held(2));
  EXPECT_TRUE(dispatcher_.set_wishes(with_wishes(1, {.is_paused = true}, clock_.now())));
  accept("http://x.example/1");
  accept("http://x.example/2");
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  source_.head = 2;
  dispatcher_.moved(3, 1, 2);
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(transport_.held[0].request.url, "http://x.example/2");
  EXPECT_TRUE(dispatcher_.set_wishes(with_wishes(1, {}, clock_.now())));
  ASSERT_TRUE(run_until_held(2));
  EXPECT_EQ(header(accept("http://x.example/1"), "Feed-Position-Previous"), "1");
}

TEST_F(DispatcherTest, WishesReadBeforeItWasVerifiedAgainAreReadAgain) {
  adopt(1);
  EXPECT_FALSE(dispatcher_.set_wishes(with_wishes(1, {.is_paused = true}, clock_.now() - 1h)));
  source_.head = 1;
  dispatcher_.moved(3, 1, 1);
  EXPECT_TRUE(run_until_held(1));
  EXPECT_TRUE(dispatcher_.set_wishes(with_wishes(7, {}, clock_.now()))) << "there is none of that number";
}

// What is under way does not undo it, and nothing is begun in between.
TEST_F(DispatcherTest, WhatIsSetBackGoesOnFromThere) {
  source_.head = 3;
  adopt(1);
  ASSERT_TRUE(run_until_held(1));
  source_.head = 4;
  EXPECT_FALSE(dispatcher_.hold(1)) << "a document is under way";
  accept("http://x.example/1");
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  EXPECT_TRUE(transport_.held.empty());
  EXPECT_TRUE(dispatcher_.hold(1));
  dispatcher_.set_back(1, 1);
  ASSERT_TRUE(run_until_held(1));
  const http::ClientRequest again = accept("http://x.example/1");
  EXPECT_EQ(header(again, "Feed-Position-Previous"), "1");
  EXPECT_EQ(header(again, "Feed-Position"), "4");
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  EXPECT_TRUE(dispatcher_.hold(1));
  dispatcher_.set_back(1, 9);
  EXPECT_EQ(dispatcher_.find(1)->cursor, 4) << "never forward";
}

TEST_F(DispatcherTest, NothingIsSentBeyondTheEndOfATopic) {
  source_.head = 3;
  adopt(1);
  ASSERT_TRUE(run_until_held(1));
  source_.head = 9;
  dispatcher_.end_topic_at(1, 5);
  accept("http://x.example/1");
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(header(accept("http://x.example/1"), "Feed-Position"), "5");
  ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  EXPECT_TRUE(transport_.held.empty());
  dispatcher_.end_topic_at(1, 7);
  ASSERT_TRUE(run_until_held(1));
}

// Whoever gathers is not sent the short documents that were read for others.
TEST_F(DispatcherTest, WhatIsGatheredComesInOneDocument) {
  adopt(1);
  adopt(2);
  dispatcher_.set_wishes(with_wishes(1, {.gather = 5s}, clock_.now()));
  for (source_.head = 1; source_.head <= 3; ++source_.head) {
    dispatcher_.moved(3, 1, source_.head);
    ASSERT_TRUE(run_until_held(1));
    accept("http://x.example/2");
    ASSERT_TRUE(run_until([this] { return dispatcher_.active() == 0; }));
  }
  --source_.head;
  clock_.leapt = 6s;
  dispatcher_.set_wishes(with_wishes(1, {.gather = 5s}, clock_.now()));  // wakes it, as its timer would
  ASSERT_TRUE(run_until_held(1));
  EXPECT_EQ(header(accept("http://x.example/1"), "Feed-Position"), "3");
}

}  // namespace
}  // namespace courant::hub
