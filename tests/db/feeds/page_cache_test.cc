#include "feeds/page_cache.h"

#include <atomic>
#include <future>
#include <list>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "kernel/problem.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::feeds {
namespace {

using Page = PageCache::Page;

class PageCacheTest : public testing::Test {
 protected:
  static ReadyPage page(const std::string& body, std::uint64_t version, std::optional<std::int64_t> head) {
    return ReadyPage({{"ETag", "W/\"x\""}, {"Cache-Control", "no-cache"}}, http::make_bytes(body), version, head);
  }

  // What one reader gets; "refused": a Problem.
  http::Task<void> ask(PageCache& cache, std::string key, bool is_canonical, PageCache::Make make, std::string& got) {
    try {
      Page found = co_await cache.get(key, feed_, is_canonical, make);
      got = *found->body();
    } catch (const Problem&) {
      got = "refused";
    }
  }
  std::string ask(PageCache& cache, const std::string& key, bool is_canonical, const PageCache::Make& make) {
    boost::asio::io_context& io = contexts_.emplace_back();
    std::string got;
    boost::asio::co_spawn(io, ask(cache, key, is_canonical, make, got), boost::asio::detached);
    io.run();
    return got;
  }
  // Counts how often it is made.
  PageCache::Make counted(std::optional<std::int64_t> head, std::size_t length = 10) {
    return [this, head, length, version = feed_->version()](sql::Session&) {
      ++made_;
      return page(std::string(length, 'x'), version, head);
    };
  }

  // The page "slow", made once it is released.
  PageCache::Make held_until(std::promise<void>& release) {
    return [this, released = release.get_future().share(), version = feed_->version()](sql::Session&) {
      ++made_;
      released.wait();
      return page("slow", version, 7);
    };
  }

  std::list<boost::asio::io_context> contexts_;  // the executor's threads may still be posting to them
  test::TestDatabase test_;
  sql::Database database_{test_.options()};
  sql::Executor executor_{database_, 4, 100};
  Metrics metrics_;
  std::shared_ptr<LiveFeed> feed_ = std::make_shared<LiveFeed>(FeedFacts{}, FeedState{}, 7);
  std::atomic<int> made_{0};
};

TEST_F(PageCacheTest, KeepsAPageWhileItHolds) {
  PageCache cache(1 << 20, executor_, metrics_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(cache, "head", true, counted(7)), std::string(10, 'x'));
  EXPECT_EQ(made_, 1);
  EXPECT_TRUE(cache.find("head", *feed_));
  feed_->advance(8);
  EXPECT_FALSE(cache.find("head", *feed_));
  ask(cache, "head", true, counted(8));
  EXPECT_EQ(made_, 2);
  ask(cache, "lasting", true, counted(std::nullopt));
  feed_->advance(9);
  EXPECT_TRUE(cache.find("lasting", *feed_)) << "it holds wherever the feed stands";
  FeedState changed;
  changed.redactions = 1;
  feed_->replace_state(changed);
  EXPECT_FALSE(cache.find("lasting", *feed_));
}

TEST_F(PageCacheTest, WhatIsNotCanonicalIsKeptWhenItIsAskedForAgain) {
  PageCache cache(1 << 20, executor_, metrics_);
  ask(cache, "odd", false, counted(7));
  EXPECT_FALSE(cache.find("odd", *feed_));
  ask(cache, "odd", false, counted(7));
  EXPECT_TRUE(cache.find("odd", *feed_));
  for (int i = 0; i < 1000; ++i) ask(cache, "walk " + std::to_string(i), false, counted(7));
  EXPECT_TRUE(cache.find("odd", *feed_));
}

// Polling readers are given answers of before again, without asking here: what they are given is no less used for that.
TEST_F(PageCacheTest, WhatIsGivenAgainStaysBeforeWhatIsAskedForOnce) {
  PageCache cache(100'000, executor_, metrics_);
  ask(cache, "polled", true, counted(7, 10'000));
  ask(cache, "unused", true, counted(7, 10'000));
  const ReadyPage::Use use = cache.find("polled", *feed_)->use();
  ASSERT_TRUE(cache.find("unused", *feed_));
  for (int i = 0; i < 100; ++i) {
    *use = true;
    ask(cache, "other " + std::to_string(i), true, counted(7, 10'000));
  }
  EXPECT_TRUE(cache.find("polled", *feed_));
  EXPECT_FALSE(cache.find("unused", *feed_));
}

// The second time the thread that asks shares nothing with others but the page, which is marked as used.
TEST_F(PageCacheTest, WhatAThreadHasFoundItFindsAgain) {
  PageCache cache(100'000, executor_, metrics_);
  PageCache other(100'000, executor_, metrics_);
  ask(cache, "head", true, counted(7, 10'000));
  const double hits = metrics_.counter("courant_page_cache_hits_total", "").value();
  Page found = cache.find("head", *feed_);
  ASSERT_TRUE(found);
  const ReadyPage::Use use = found->use();
  EXPECT_FALSE(*use);
  EXPECT_EQ(cache.find("head", *feed_), found);
  EXPECT_TRUE(*use);
  EXPECT_EQ(metrics_.counter("courant_page_cache_hits_total", "").value(), hits + 2);
  std::thread([&] { EXPECT_EQ(cache.find("head", *feed_), found); }).join();
  EXPECT_FALSE(other.find("head", *feed_)) << "of another cache";
  found.reset();
  for (int i = 0; i < 30; ++i) ask(cache, "other " + std::to_string(i), true, counted(7, 10'000));
  EXPECT_FALSE(cache.find("head", *feed_)) << "it is kept by nobody any more";
}

TEST_F(PageCacheTest, MakesForThoseWhoComeLaterInSpareTime) {
  PageCache cache(1 << 20, executor_, metrics_);
  std::promise<void> release;
  const PageCache::Make slow = held_until(release);
  cache.make_for_later("slow", feed_, slow);
  cache.make_for_later("other", feed_, counted(7));
  EXPECT_FALSE(cache.find("slow", *feed_)) << "nobody waits for it";
  release.set_value();
  ASSERT_TRUE(test::wait_until([&] { return cache.find("slow", *feed_) != nullptr; }));
  EXPECT_EQ(made_, 1) << "one at a time";
  // Who failed does not keep the turn, and what does not hold any more is not kept.
  const auto make_until_it_is_done = [&](const std::string& key, const PageCache::Make& make) {
    std::atomic<int> begun{0};  // of this key: one that was asked for before may be made once more
    const PageCache::Make noted = [&](sql::Session& session) {
      ++begun;
      return make(session);
    };
    ASSERT_TRUE(test::wait_until([&] {
      if (begun == 0) cache.make_for_later(key, feed_, noted);
      return begun > 0;
    }));
    // Its turn is over when another has it; only then nothing refers to `begun` any more.
    ASSERT_TRUE(test::wait_until([&] {
      cache.make_for_later(key + ", after", feed_, counted(7));
      return cache.find(key + ", after", *feed_) != nullptr;
    }));
  };
  make_until_it_is_done("failing", [](sql::Session&) -> ReadyPage { throw Problem(404, "gone"); });
  make_until_it_is_done("old", counted(6));
  EXPECT_FALSE(cache.find("old", *feed_));
  executor_.stop();  // what it does for the cache is done before the cache goes
}

TEST_F(PageCacheTest, IsBounded) {
  PageCache cache(100'000, executor_, metrics_);
  for (int i = 0; i < 50; ++i) {
    ask(cache, "page " + std::to_string(i), true, counted(7, 10'000));
    EXPECT_TRUE(cache.find("page 0", *feed_)) << "it is used all the time; " << i;
  }
  EXPECT_FALSE(cache.find("page 1", *feed_)) << "the least recently used goes first";
  EXPECT_LE(metrics_.gauge("courant_page_cache_bytes", "").value(), 100'000);
  ask(cache, "huge", true, counted(7, 200'000));
  EXPECT_FALSE(cache.find("huge", *feed_));
  EXPECT_TRUE(cache.find("page 0", *feed_));
}

// Many ask at once: all of them join the one who makes it, but for those who know more of the feed.
TEST_F(PageCacheTest, APageIsMadeOnceForAllWhoAskAtOnce) {
  PageCache cache(1 << 20, executor_, metrics_);
  std::promise<void> release;
  const PageCache::Make slow = held_until(release);
  const PageCache::Make newer = [&, version = feed_->version()](sql::Session&) {
    ++made_;
    return page("newer", version, 8);
  };
  boost::asio::io_context& io = contexts_.emplace_back();
  std::vector<std::string> got(20);
  for (int i = 0; i < 10; ++i) boost::asio::co_spawn(io, ask(cache, "head", true, slow, got[i]), boost::asio::detached);
  while (made_ == 0) io.poll();
  feed_->advance(8);
  for (int i = 10; i < 20; ++i)
    boost::asio::co_spawn(io, ask(cache, "head", true, newer, got[i]), boost::asio::detached);
  while (got[19].empty()) io.run_one();
  release.set_value();
  io.run();
  EXPECT_EQ(made_, 2);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(got[i], "slow");
  for (int i = 10; i < 20; ++i) EXPECT_EQ(got[i], "newer");
  ASSERT_TRUE(cache.find("head", *feed_));
  EXPECT_EQ(*cache.find("head", *feed_)->body(), "newer") << "the slow one came last, and does not hold";
}

TEST_F(PageCacheTest, AFailureIsToldToAllAndNotKept) {
  PageCache cache(1 << 20, executor_, metrics_);
  const PageCache::Make failing = [&](sql::Session&) -> ReadyPage {
    ++made_;
    throw Problem(404, "gone");
  };
  boost::asio::io_context& io = contexts_.emplace_back();
  std::vector<std::string> got(5);
  for (std::string& one : got) boost::asio::co_spawn(io, ask(cache, "head", true, failing, one), boost::asio::detached);
  io.run();
  for (const std::string& one : got) EXPECT_EQ(one, "refused");
  EXPECT_EQ(ask(cache, "head", true, counted(7)), std::string(10, 'x'));
}

}  // namespace
}  // namespace courant::feeds
