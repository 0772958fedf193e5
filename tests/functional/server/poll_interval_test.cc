// When readers are told to ask again, and who waits where too many want to.
#include <chrono>
#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/database.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/test_database.h"

namespace courant::test::poll_interval_test {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

std::string entry(const std::string& id) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id + "</id><title>" + id + "</title></entry>";
}

class PollIntervalTest : public testing::Test {
 protected:
  explicit PollIntervalTest(std::vector<std::string> more = {}) : server_(with_database(std::move(more))) {}

  std::vector<std::string> with_database(std::vector<std::string> more) const {
    more.insert(more.end(), {"--database", database_.url()});
    return more;
  }
  void publish(const std::string& id) { ASSERT_EQ(client_.post("/demo/events", entry(id)).status, 201); }
  std::string known() { return "If-None-Match: " + client_.get("/demo/events").header("ETag") + "\r\n"; }
  std::string hint(const std::string& target, const std::string& headers = {}) {
    return client_.get(target, headers).header("Poll-Interval");
  }
  // Asks until that is so; false: it never is.
  static bool eventually(const std::function<bool()>& is_so) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
    }
    return true;
  }

  TestDatabase database_;
  CourantServer server_;
  HttpClient client_{server_.port()};
};

TEST_F(PollIntervalTest, GrowsWhileAFeedIsQuietAndIsNoneWhereItMoves) {
  publish("1");
  const std::string condition = known();
  // The requests are the same byte for byte all the time: what is remembered of them does not outlive its hint.
  EXPECT_TRUE(eventually([&] { return hint("/demo/events", condition) >= "1"; }));
  EXPECT_EQ(client_.get("/demo/events", condition).status, 304);
  EXPECT_GE(hint("/demo/events"), "1");
  EXPECT_GE(hint("/demo/events?marker=1"), "1") << "a page made since then";
  // A machine that stands still for two seconds in between makes it idle again.
  int number = 1;
  for (const std::string target : {"/demo/events", "/demo/events?format=json"}) {
    EXPECT_TRUE(eventually([&] {
      publish(std::to_string(++number));
      return hint(target, condition) == "0";
    })) << target;
  }
}

TEST_F(PollIntervalTest, PagesThatDoNotGrowSayNothing) {
  for (int i = 1; i <= 25; ++i) publish(std::to_string(i));
  for (const char* const target :
       {"/demo/events?marker=9&direction=backward&limit=5", "/demo/events/archive/1", "/demo/events/entries/urn:x:1"}) {
    const Reply reply = client_.get(target);
    EXPECT_EQ(reply.status, 200) << target;
    EXPECT_EQ(reply.header("Poll-Interval"), "") << target;
  }
}

TEST_F(PollIntervalTest, AnotherServerHearsTheRhythm) {
  publish("1");
  CourantServer other(with_database({}));
  HttpClient reader(other.port());
  EXPECT_TRUE(eventually([&] { return reader.get("/demo/events").header("Poll-Interval") >= "1"; }));
  int number = 1;
  EXPECT_TRUE(eventually([&] {
    const std::string position = std::to_string(++number);
    publish(position);
    const Reply reply = reader.get("/demo/events", "Feed-Position-Min: " + position + "\r\n");
    EXPECT_EQ(reply.header("Feed-Position"), position);
    return reply.header("Poll-Interval") == "0";
  }));
}

class NoHintsTest : public PollIntervalTest {
 protected:
  NoHintsTest() : PollIntervalTest({"--config", COURANT_SOURCE_DIR "/tests/data/no_hints.toml"}) {}
};

TEST_F(NoHintsTest, CanBeTurnedOff) {
  publish("1");
  const std::string condition = known();
  EXPECT_EQ(hint("/demo/events"), "");
  const Reply unchanged = client_.get("/demo/events", condition);
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.header("Poll-Interval"), "");
}

// Whose database does two things at once.
class LoadTest : public PollIntervalTest {
 protected:
  LoadTest() : PollIntervalTest({"--config", COURANT_SOURCE_DIR "/tests/data/narrow.toml"}) {}
};

TEST_F(LoadTest, WhereMuchWaitsForTheDatabaseReadersAreToldToComeLater) {
  for (int i = 1; i <= 20; ++i) publish(std::to_string(i));
  const std::string condition = known();
  // Pages that are not in memory wait for a table; the head is in memory, and says so.
  sql::Session holder(database_.url());
  holder.execute_script("begin; lock table entries in access exclusive mode");
  std::vector<std::unique_ptr<RawClient>> readers;
  for (int i = 1; i <= 19; ++i) {
    readers.push_back(std::make_unique<RawClient>(static_cast<std::uint16_t>(server_.port())));
    readers.back()->send("GET /demo/events?marker=" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  EXPECT_TRUE(eventually([&] { return hint("/demo/events", condition) == "15"; }));
  holder.execute_script("rollback");
  for (const auto& reader : readers) EXPECT_THAT(reader->read_response(), HasSubstr("HTTP/1.1 "));
  EXPECT_TRUE(eventually([&] { return hint("/demo/events", condition) != "15"; }));
}

// Two may wait here; so from one on there is pressure.
class PressureTest : public PollIntervalTest {
 protected:
  static constexpr const char* kPressed = "60";  // the most that is configured
  static inline const int kOperations = free_port();

  PressureTest()
      : PollIntervalTest({"--config", COURANT_SOURCE_DIR "/tests/data/pressed.toml", "--operations",
                          "127.0.0.1:" + std::to_string(kOperations)}) {}

  // A request that waits, and is known to.
  std::unique_ptr<RawClient> waiting(const std::string& target, const std::string& headers = {}) {
    auto client = std::make_unique<RawClient>(static_cast<std::uint16_t>(server_.port()));
    client->send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    EXPECT_TRUE(eventually([&] { return hint("/demo/events") == kPressed; })) << "who waits is seen by all";
    return client;
  }
};

TEST_F(PressureTest, WhoHasWaitedLongestIsAnsweredEarly) {
  publish("1");
  EXPECT_NE(hint("/demo/events"), kPressed) << "nobody waits yet";
  const std::unique_ptr<RawClient> first = waiting("/demo/events?wait=60", known());
  const std::unique_ptr<RawClient> second = waiting("/demo/events?marker=1&wait=60");
  const std::string early = first->read_response();
  EXPECT_THAT(early, HasSubstr("HTTP/1.1 304 "));
  EXPECT_THAT(early, HasSubstr("\r\nPoll-Interval: 60\r\n"));
  EXPECT_THAT(early, HasSubstr("\r\nCache-Control: no-store\r\n"));
  const std::unique_ptr<RawClient> third = waiting("/demo/events?wait=60", known());
  const std::string empty = second->read_response();
  EXPECT_THAT(empty, HasSubstr("HTTP/1.1 200 "));
  EXPECT_THAT(empty, HasSubstr("\r\nPoll-Interval: 60\r\n"));
  EXPECT_THAT(empty, HasSubstr("\r\nFeed-Position: 1\r\n"));
  EXPECT_THAT(HttpClient(kOperations).get("/metrics").body, HasSubstr("\ncourant_waits_ended_early_total 2\n"));
  // Nobody waits any more once there is news: it is as it was.
  publish("2");
  EXPECT_THAT(third->read_response(), HasSubstr("\r\nFeed-Position: 2\r\n"));
  EXPECT_TRUE(eventually([&] { return hint("/demo/events") != kPressed; }));
  const std::unique_ptr<RawClient> fourth = waiting("/demo/events?marker=2&wait=60");
  publish("3");
  EXPECT_THAT(fourth->read_response(), HasSubstr("\r\nFeed-Position: 3\r\n"));
}

TEST_F(PressureTest, WhoWaitsForAFeedThatIsNotThereIsToldWhenToComeAgain) {
  publish("1");
  const std::unique_ptr<RawClient> first = waiting("/demo/never?wait=60");
  const std::unique_ptr<RawClient> second = waiting("/demo/events?marker=1&wait=60");
  const std::string early = first->read_response();
  EXPECT_THAT(early, HasSubstr("HTTP/1.1 404 "));
  EXPECT_THAT(early, HasSubstr("\r\nPoll-Interval: 60\r\n"));
  EXPECT_EQ(hint("/demo/never"), "") << "he did not wait";
  publish("2");
  EXPECT_THAT(second->read_response(), HasSubstr("\r\nFeed-Position: 2\r\n"));
}

TEST_F(PressureTest, AStreamEndsWithALongerRetry) {
  publish("1");
  const std::unique_ptr<RawClient> stream = waiting("/demo/events?format=events");
  const std::unique_ptr<RawClient> poll = waiting("/demo/events?marker=1&wait=60");
  std::string text = stream->read_response();
  for (std::string byte = "-"; !text.ends_with("\r\n0\r\n\r\n") && !byte.empty(); text += byte) {
    byte = stream->read_bytes(1);
  }
  EXPECT_THAT(text, HasSubstr("retry: 2000\nid: 1\n\n"));
  EXPECT_TRUE(text.ends_with("retry: 60000\n\n\r\n0\r\n\r\n")) << text;
  publish("2");
  EXPECT_THAT(poll->read_response(), HasSubstr("\r\nFeed-Position: 2\r\n"));
}

}  // namespace
}  // namespace courant::test::poll_interval_test
