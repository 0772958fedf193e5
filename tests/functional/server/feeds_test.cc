#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>

#include "http/gzip.h"
#include "kernel/digest.h"
#include "kernel/text.h"
#include "sql/database.h"
#include "tests/support/any_query.h"
#include "tests/support/courant_server.h"
#include "tests/support/database_relay.h"
#include "tests/support/test_database.h"

namespace courant::test::feeds_test {
namespace {

std::string entry(const std::string& id, const std::string& content = "x") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>t</title><content>" + content +
         "</content></entry>";
}

// The values of an attribute after a marker text, in document order.
std::vector<std::string> values_after(const std::string& text, const std::string& marker) {
  std::vector<std::string> values;
  for (std::size_t at = text.find(marker); at != std::string::npos; at = text.find(marker, at)) {
    at += marker.size();
    values.push_back(text.substr(at, text.find('"', at) - at));
  }
  return values;
}

std::vector<std::string> positions_in(const std::string& page) {
  return values_after(page, "<c:log xmlns:c=\"urn:courant:log:1\" position=\"");
}

// The path and query that a link of a page leads to; empty: no such link.
std::string link_in(const std::string& page, const std::string& rel) {
  const std::vector<std::string> found = values_after(page, "<link rel=\"" + rel + "\" href=\"");
  if (found.empty()) return {};
  std::string target = found.front().substr(found.front().find('/', 8));
  for (std::size_t at = target.find("&amp;"); at != std::string::npos; at = target.find("&amp;"))
    target.replace(at, 5, "&");
  return target;
}

class FeedsTest : public testing::Test {
 protected:
  TestDatabase database_;
  DatabaseRelay relay_{database_.url()};
  CourantServer server_{{"--database", relay_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(FeedsTest, AnEntryIsStoredOnceAndServedAtItsLocation) {
  const Reply created = client_.post("/demo/events", entry("urn:x:1"));
  EXPECT_EQ(created.status, 201);
  EXPECT_EQ(created.header("Location"), server_.url() + "/demo/events/entries/urn:x:1");
  EXPECT_EQ(created.header("ETag"), "\"1\"");
  EXPECT_EQ(created.header("Feed-Position"), "1");
  const Reply again = client_.post("/demo/events", entry("urn:x:1"));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, created.body);
  EXPECT_EQ(client_.post("/demo/events", entry("urn:x:1", "other")).status, 409);
  EXPECT_EQ(client_.get("/demo/events/entries/urn:x:1").body, created.body);
  EXPECT_EQ(client_.get("/demo/events/entries/urn:x:2").status, 404);
}

TEST_F(FeedsTest, RefusesWhatIsNoEntryWithLineAndColumn) {
  const Reply broken = client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'>\n<title>");
  EXPECT_EQ(broken.status, 422);
  EXPECT_NE(broken.body.find("line 2, column"), std::string::npos) << broken.body;
  EXPECT_EQ(client_.post("/demo/events", "").status, 422);
  EXPECT_EQ(client_.post("/demo/events", "x", "Content-Type: image/png\r\n").status, 415);
  EXPECT_EQ(client_.post("/nobody/events", entry("urn:x")).status, 404);
  EXPECT_EQ(client_.get("/demo/nothing").status, 404);
}

TEST_F(FeedsTest, AConditionalGetOfAnUnchangedHeadRunsNoSql) {
  ASSERT_EQ(client_.post("/demo/events", entry("urn:x:1")).status, 201);
  const Reply head = client_.get("/demo/events");
  ASSERT_EQ(head.status, 200);
  const std::string condition = "If-None-Match: " + head.header("ETag") + "\r\n";
  EXPECT_EQ(client_.get("/demo/events", condition).status, 304);

  // Nothing reaches the database: whatever needs one statement waits.
  relay_.freeze(DatabaseRelay::kAll);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client_.get("/demo/events", condition).status, 304) << i;
  RawClient reader(static_cast<std::uint16_t>(server_.port()));
  ASSERT_EQ(client_.get("/demo/events").body, head.body) << "the page is in memory";
  reader.send("GET /demo/events?limit=7 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_FALSE(reader.has_answer_within(std::chrono::milliseconds(200))) << "it was frozen indeed";
  relay_.thaw();
  ASSERT_EQ(client_.post("/demo/events", entry("urn:x:2")).status, 201);
  EXPECT_EQ(client_.get("/demo/events", condition).status, 200);
}

TEST_F(FeedsTest, AMarkerBeyondTheHeadLeadsToTheCurrentFeed) {
  ASSERT_EQ(client_.post("/demo/events", entry("urn:x:1")).status, 201);
  const std::string current = "http://127.0.0.1:" + std::to_string(server_.port()) + "/demo/events";
  // The last two are larger than any number that we have.
  for (const std::string marker : {"2", "9223372036854775807", "18446744073709551616", "99999999999999999999"}) {
    for (const std::string more : {"", "&direction=backward", "&search=%2Ba", "&format=json"}) {
      const Reply reply = client_.get("/demo/events?marker=" + marker + more);
      EXPECT_EQ(reply.status, 400) << marker << more;
      EXPECT_NE(reply.body.find("beyond the newest entry, which has position 1"), std::string::npos) << reply.body;
      EXPECT_NE(reply.body.find(current), std::string::npos) << reply.body;
      EXPECT_EQ(reply.header("Link"), "<" + current + ">; rel=\"current\"") << marker << more;
    }
    const Reply stream = client_.get("/demo/events?format=events&lastEventId=" + marker);
    EXPECT_EQ(stream.status, 400) << marker;
    EXPECT_EQ(stream.header("Link"), "<" + current + ">; rel=\"current\"") << marker;
  }
  EXPECT_EQ(client_.get("/demo/events?marker=99999999999999999999x").status, 404) << "an id that nobody has";
}

TEST_F(FeedsTest, ArchivesReplayTheWholeFeedAndItsChainVerifies) {
  for (int i = 1; i <= 60; ++i)
    ASSERT_EQ(client_.post("/demo/events", entry("urn:x:" + std::to_string(i))).status, 201);
  std::string target = "/demo/events/archive/1";
  std::string chain(32, '\0');
  int seen = 0;
  for (Reply page = client_.get(target); page.status == 200; page = client_.get(target)) {
    EXPECT_EQ(client_.get(target).body, page.body);
    const Reply packed = client_.get(target, "Accept-Encoding: gzip\r\n");
    EXPECT_EQ(http::gunzip(packed.body, 1 << 20), page.body);
    EXPECT_NE(packed.header("ETag"), page.header("ETag"));
    EXPECT_NE(page.header("Cache-Control").find("immutable"), std::string::npos);
    const std::vector<std::string> positions = positions_in(page.body);
    const std::vector<std::string> leaves = values_after(page.body, "leaf=\"");
    ASSERT_EQ(positions.size(), 25U);
    for (std::size_t i = positions.size(); i-- > 0;) {
      EXPECT_EQ(positions[i], std::to_string(++seen));
      chain = std::string(bytes_of(sha256(chain, *from_hex(leaves[i]))));
    }
    EXPECT_NE(page.body.find("value=\"" + to_hex(chain) + "\""), std::string::npos);
    target = link_in(page.body, "next-archive");
  }
  EXPECT_EQ(seen, 50);
  EXPECT_EQ(client_.get(target).status, 303);
  const Reply head = client_.get("/demo/events");
  EXPECT_EQ(link_in(head.body, "prev-archive"), "/demo/events/archive/2");
  EXPECT_EQ(positions_in(head.body).front(), "60");
  EXPECT_LE(std::stoi(positions_in(head.body).back()), 51);
}

// 64 writers on one feed, 16 readers that only follow `previous`, a snapshot held open: every reader sees every entry
// once, in the same order, with no delay setting anywhere.
TEST(SmallPages, APageThatEndsEarlyLosesNothingOnTheWay) {
  TestDatabase database;
  CourantServer server({"--database", database.url(), "--config", COURANT_SOURCE_DIR "/tests/data/small_pages.toml"});
  HttpClient client(server.port());
  for (int number = 1; number <= 12; ++number) {
    const std::string size = std::string(number == 5 ? 100'000 : 20'000, 'x');  // one is longer than any page
    ASSERT_EQ(client.post("/demo/events", entry("urn:x:" + std::to_string(number), size)).status, 201);
  }
  const auto walk = [&](std::string target, const std::string& rel) {
    std::vector<std::string> seen;
    while (!target.empty()) {
      const Reply reply = client.get(target);
      EXPECT_EQ(reply.status, 200) << target;
      const std::vector<std::string> positions = positions_in(reply.body);
      EXPECT_LE(positions.size(), 3U);
      if (positions.empty()) break;
      if (rel == "next") {
        seen.insert(seen.end(), positions.begin(), positions.end());
      } else {
        seen.insert(seen.end(), positions.rbegin(), positions.rend());
      }
      target = link_in(reply.body, rel);
    }
    return seen;
  };
  std::vector<std::string> all;
  for (int number = 1; number <= 12; ++number) all.push_back(std::to_string(number));
  EXPECT_EQ(walk("/demo/events?marker=0", "previous"), all);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(walk("/demo/events", "next"), all);
  EXPECT_EQ(positions_in(client.get("/demo/events?marker=last").body), (std::vector<std::string>{"3", "2", "1"}));
}

TEST_F(FeedsTest, ReadersThatFollowPreviousSeeEveryEntryOnceInOrder) {
  constexpr int kWriters = 64;
  constexpr int kEach = 20;
  ASSERT_EQ(client_.post("/demo/events", entry("urn:first")).status, 201);
  sql::Session held(database_.url());
  held.execute_script("begin isolation level repeatable read; select count(*) from entries");
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int r = 0; r < 16; ++r) {
    threads.emplace_back([&] {
      HttpClient client(server_.port());
      std::string target = "/demo/events?marker=0&direction=forward";
      int seen = 0;
      for (bool last_look = false;;) {
        const Reply page = client.get(target);
        ASSERT_EQ(page.status, 200);
        const std::vector<std::string> positions = positions_in(page.body);
        for (std::size_t i = positions.size(); i-- > 0;) EXPECT_EQ(positions[i], std::to_string(++seen));
        target = link_in(page.body, "previous");
        if (!positions.empty()) continue;
        if (last_look) break;
        last_look = done;
      }
      EXPECT_EQ(seen, kWriters * kEach + 1);
    });
  }
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      HttpClient client(server_.port());
      for (int i = 0; i < kEach; ++i) {
        EXPECT_EQ(client.post("/demo/events", entry("urn:" + std::to_string(w) + ":" + std::to_string(i))).status, 201);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& reader : threads) reader.join();
}

// Two processes over one database; one is killed again and again, then stopped in its tracks for good.
TEST_F(FeedsTest, KilledAndFrozenServersLoseNothingThatWasAnswered) {
  CourantServer second({"--database", database_.url()});
  std::mutex mutex;
  std::map<std::string, std::string> answered;  // id -> position
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  for (int w = 0; w < 8; ++w) {
    writers.emplace_back([&, w] {
      HttpClient client(w % 2 == 0 ? server_.port() : second.port());
      for (int i = 0; !done; ++i) {
        const std::string id = "urn:" + std::to_string(w) + ":" + std::to_string(i);
        const Reply reply = client.post("/demo/events", entry(id));
        if (reply.status != 201 && reply.status != 200) continue;
        const std::lock_guard lock(mutex);
        answered[id] = reply.header("Feed-Position");
      }
    });
  }
  const auto publish_through_first = [&](int count) {
    const auto answers = [&] {
      const std::lock_guard lock(mutex);
      return answered.size();
    };
    for (const std::size_t enough = answers() + static_cast<std::size_t>(count); answers() < enough;)
      std::this_thread::yield();
  };
  for (int round = 0; round < 4; ++round) {
    publish_through_first(100);
    second.kill_and_restart();
  }
  second.process().signal(SIGSTOP);
  publish_through_first(200);
  done = true;
  second.process().signal(SIGKILL);
  for (std::thread& writer : writers) writer.join();

  std::map<std::string, std::string> stored;
  std::int64_t expected = 0;
  sql::Session session(database_.url());
  const sql::Rows rows = rows_of(session, "select position, id from " + kPublished + " order by position");
  for (int i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].integer(0), ++expected);
    EXPECT_TRUE(stored.emplace(std::string(rows[i].text(1)), std::to_string(expected)).second);
  }
  for (const auto& [id, position] : answered) EXPECT_EQ(stored[id], position) << id;
}

TEST(PrivateDatabase, SurvivesAKillOfTheServer) {
  const DataFolder folder;
  {
    CourantServer server({"--data", folder.path()});
    EXPECT_EQ(HttpClient(server.port()).post("/demo/events", entry("urn:x:1")).status, 201);
    server.kill_and_restart();
    EXPECT_EQ(positions_in(HttpClient(server.port()).get("/demo/events").body), (std::vector<std::string>{"1"}));
    server.process().signal(SIGTERM);
    EXPECT_EQ(server.process().wait(), 0);
  }
}

}  // namespace
}  // namespace courant::test::feeds_test
