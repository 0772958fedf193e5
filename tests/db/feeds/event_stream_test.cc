#include "feeds/event_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feeds/publish_call.h"
#include "kernel/problem.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

class EventStreamTest : public testing::Test {
 protected:
  static EngineOptions quickly() {
    EngineOptions options;
    options.keep_alive = 1ms;
    return options;
  }
  template <class T>
  T result_of(http::Task<T> task) {
    std::future<T> result = boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future);
    io_.restart();
    io_.run();
    return result.get();
  }

  // As another process does, of which nobody here has heard yet.
  void publish_elsewhere(sql::Session& session, FeedKey feed, const std::string& id) {
    auto entry = std::make_shared<PreparedEntry>();
    entry->id = id;
    entry->before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
    entry->after_times = "<title></title></entry>";
    PublishItem item;
    item.feed = feed;
    item.entry = std::move(entry);
    const PublishCall call = make_call(feed.lane, {item}, clock_.now());
    ASSERT_EQ(run_call(session, call, false, clock_.now()).front().outcome, PublishOutcome::kCreated);
  }

  boost::asio::io_context io_;  // outlives every thread that wakes it
  test::TestDatabase test_;
  sql::Database database_{test_.options()};
  sql::Executor executor_{database_, 2, 100};
  SystemClock clock_;
  Metrics metrics_;
  Engine engine_{quickly(), 16, database_, executor_, clock_, metrics_, [](const std::vector<Advance>&) {}};
};

// So that whoever is between does not take the connection for a dead one.
TEST_F(EventStreamTest, ACommentComesWhereNothingElseDoes) {
  std::shared_ptr<LiveFeed> feed;
  database_.with_session([&](sql::Session& session) {
    feed = engine_.directory().create(session, {"demo", "events", 25, {}, clock_.now()}, clock_.now());
  });
  const http::Request request;
  http::Response response = result_of(stream_events(engine_, request, feed, PageQuery{}));
  ASSERT_TRUE(response.more);
  EXPECT_EQ(*result_of(response.more()), "retry: 2000\nid: 0\n\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*result_of(response.more()), ": still there\n\n");
  response = {};
  engine_.stop();
}

// Retention has gone on in another process, and this one does not know the floor yet: the database does, before the
// head of the answer is sent.
TEST_F(EventStreamTest, WhoIsBehindRetentionIsToldWhateverThisProcessKnows) {
  std::shared_ptr<LiveFeed> feed;
  database_.with_session([&](sql::Session& session) {
    feed = engine_.directory().create(session, {"demo", "events", 1, {}, clock_.now()}, clock_.now());
    for (const char* const id : {"urn:a", "urn:b", "urn:c"}) publish_elsewhere(session, feed->facts().key, id);
  });
  feed->advance(3);
  const auto asked_from = [&](const std::string& position) {
    http::Request request;
    request.headers = {{"Last-Event-ID", position}};
    return result_of(stream_events(engine_, request, feed, PageQuery{}));
  };
  http::Response response = asked_from("1");
  EXPECT_EQ(*result_of(response.more()), "retry: 2000\nid: 1\n\n");
  EXPECT_THAT(*result_of(response.more()), testing::StartsWith("id: 2\nevent: entry\n"));
  EXPECT_EQ(*result_of(response.more()), ": still there\n\n");
  response = {};
  engine_.stop();  // nothing is heard of others any more
  database_.with_session([&](sql::Session& session) {
    const FeedKey key = feed->facts().key;
    session.execute_script("select raise_floor(" + std::to_string(key.lane) + "::smallint, " +
                           std::to_string(key.feed) + ", 2, now())");
  });
  ASSERT_EQ(feed->state()->floor, 0);
  try {
    asked_from("0");
    FAIL() << "it begins";
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 410);
  }
}

}  // namespace
}  // namespace courant::feeds
