#include "feeds/event_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace courant::feeds
