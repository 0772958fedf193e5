// What hub/seam.h says of a WakeUp, held against each source of them: this process's commits, those of another process
// that it hears of, and topics in memory.
#include <condition_variable>
#include <future>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include "feeds/engine.h"
#include "server/feed_topics.h"
#include "tests/contract/hub/memory_topics.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::wake_up_test {
namespace {

using hub::Moved;

// Each world has the feed demo/events and tells `wake` of what moves, until told to stop.

// A process with what it knows of feeds.
class Process {
 public:
  Process(const TestDatabase& test, hub::WakeUp wake)
      : database_(test.options()),
        engine_(options(), 16, database_, executor_, clock_, metrics_,
                [wake = std::move(wake)](const std::vector<feeds::Advance>& advances) {
                  wake(server::moves_of(advances));
                }) {}
  ~Process() { stop(); }

  void make_feed() {
    database_.with_session([this](sql::Session& session) {
      engine_.directory().create(session, {"demo", "events", 25, {}, clock_.now()}, clock_.now());
    });
  }
  void load_feeds() {
    database_.with_session([this](sql::Session& session) { engine_.directory().load_all(session); });
  }
  bool hears() const { return engine_.follower().is_current(); }
  std::int64_t publish(int number) {
    feeds::PreparedEntry entry;
    entry.id = "urn:x:" + std::to_string(number);
    entry.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + entry.id + "</id>";
    entry.after_times = "<title></title></entry>";
    entry.content_digest = sha256(entry.id);
    io_.restart();
    std::future<feeds::Published> published =
        boost::asio::co_spawn(io_,
                              engine_.publish(access::Identity::anonymous(), engine_.directory().find("demo", "events"),
                                              std::make_shared<const feeds::PreparedEntry>(std::move(entry))),
                              boost::asio::use_future);
    const auto working = boost::asio::make_work_guard(io_);
    while (published.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      io_.run_one_for(std::chrono::milliseconds(100));
    }
    return published.get().position;
  }
  std::int64_t known_position(std::int64_t lane, std::int64_t feed) { return topics_.known_position(lane, feed); }
  void stop() {
    engine_.stop();
    executor_.stop();
  }

 private:
  static feeds::EngineOptions options() {
    feeds::EngineOptions options;
    options.public_url = "http://here.example";
    return options;
  }

  boost::asio::io_context io_;  // outlives every thread that wakes it
  sql::Database database_;
  const SystemClock clock_;
  Metrics metrics_;
  sql::Executor executor_{database_, 2, 100};
  feeds::Engine engine_;
  server::FeedTopics topics_{engine_.directory(), clock_, "http://here.example", "http://here.example/hub"};
};

class OwnCommits {
 public:
  explicit OwnCommits(hub::WakeUp wake) : own_(test_, std::move(wake)) { own_.make_feed(); }
  std::int64_t publish(int number) { return own_.publish(number); }
  std::int64_t known_position(const Moved& moved) { return own_.known_position(moved.lane, moved.feed); }
  void stop() { own_.stop(); }

 private:
  TestDatabase test_;
  Process own_;
};

class CommitsOfOthers {
 public:
  explicit CommitsOfOthers(hub::WakeUp wake)
      : other_(test_, [](const std::vector<Moved>&) {}), own_(test_, std::move(wake)) {
    other_.make_feed();
    own_.load_feeds();
    EXPECT_TRUE(wait_until([this] { return own_.hears(); }));
  }
  std::int64_t publish(int number) { return other_.publish(number); }
  std::int64_t known_position(const Moved& moved) { return own_.known_position(moved.lane, moved.feed); }
  void stop() {
    own_.stop();
    other_.stop();
  }

 private:
  TestDatabase test_;
  Process other_;
  Process own_;
};

class InMemory {
 public:
  explicit InMemory(hub::WakeUp wake) : wake_(std::move(wake)) { topics_.make("demo/events"); }
  std::int64_t publish(int number) {
    const std::int64_t position = topics_.publish("demo/events", std::to_string(number));
    wake_({topics_.moved("demo/events")});
    return position;
  }
  std::int64_t known_position(const Moved& moved) { return topics_.known_position(moved.lane, moved.feed); }
  void stop() {}

 private:
  const hub::WakeUp wake_;
  MemoryTopics topics_;
};

// Keeps what it is told.
class Told {
 public:
  hub::WakeUp wake() {
    return [this](const std::vector<Moved>& moves) {
      const std::lock_guard lock(mutex_);
      all_.insert(all_.end(), moves.begin(), moves.end());
    };
  }
  std::vector<Moved> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  std::int64_t highest() const {
    std::int64_t highest = 0;
    for (const Moved& moved : all()) highest = std::max(highest, moved.position);
    return highest;
  }

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::vector<Moved> all_;
};

template <class World>
class WakeUpContract : public testing::Test {
 protected:
  ~WakeUpContract() override { world_.stop(); }
  bool wait_until_told(std::int64_t position) {
    return wait_until([this, position] { return told_.highest() >= position; });
  }

  Told told_;
  World world_{told_.wake()};
};

using Worlds = testing::Types<OwnCommits, CommitsOfOthers, InMemory>;
TYPED_TEST_SUITE(WakeUpContract, Worlds);

TYPED_TEST(WakeUpContract, EachCommitIsTold) {
  for (int number = 1; number <= 3; ++number) {
    ASSERT_EQ(this->world_.publish(number), number);
    EXPECT_TRUE(this->wait_until_told(number)) << "with nothing published after it";
  }
}

// Whoever is woken looks at once, and must not find less than it was told.
TYPED_TEST(WakeUpContract, WhatIsToldIsKnown) {
  for (int number = 1; number <= 20; ++number) {
    this->world_.publish(number);
    ASSERT_TRUE(this->wait_until_told(number));
    EXPECT_GE(this->world_.known_position(this->told_.all().back()), number);
  }
}

TYPED_TEST(WakeUpContract, NothingIsToldThatIsNotThere) {
  this->world_.publish(1);
  ASSERT_TRUE(this->wait_until_told(1));
  for (int number = 2; number <= 50; ++number) this->world_.publish(number);
  ASSERT_TRUE(this->wait_until_told(50)) << "several commits may be told as one";
  std::set<std::pair<std::int64_t, std::int64_t>> feeds;
  for (const Moved& moved : this->told_.all()) {
    EXPECT_LE(moved.position, 50);
    if (moved.position > 0) feeds.insert({moved.lane, moved.feed});
  }
  EXPECT_EQ(feeds.size(), 1U);
}

}  // namespace
}  // namespace courant::test::wake_up_test
