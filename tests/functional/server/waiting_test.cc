// Waiting for news: long polls (RFC 7240 section 4.3) on heads, forward pages, filters and feeds that do not exist yet.
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/metric.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::waiting_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::string entry(const std::string& id, const std::string& term = "t") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id + "</id><title>" + id +
         "</title><category term='" + term + "'/></entry>";
}

// A request that is under way.
class Pending {
 public:
  Pending(const CourantServer& server, const std::string& target, const std::string& headers = {})
      : client_(static_cast<std::uint16_t>(server.port())) {
    client_.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  }
  bool is_answered_within(std::chrono::milliseconds patience) { return client_.has_answer_within(patience); }
  Reply reply() {
    const std::string bytes = client_.read_response();
    const std::size_t end = bytes.find("\r\n\r\n");
    Reply reply;
    if (end == std::string::npos) return reply;
    reply.status = std::stoi(bytes.substr(9, 3));
    reply.head = bytes.substr(0, end + 2);
    reply.body = bytes.substr(end + 4);
    return reply;
  }

 private:
  RawClient client_;
};

class WaitingTest : public testing::Test {
 protected:
  int publish(const std::string& id, const std::string& term = "t", const std::string& headers = {}) {
    return HttpClient(server_.port()).post("/demo/events", entry(id, term), headers).status;
  }
  std::string etag(const std::string& target) { return client_.get(target).header("ETag"); }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(WaitingTest, AHeadThatIsKnownIsHeldUntilAnEntryComes) {
  ASSERT_EQ(publish("1"), 201);
  const std::string known = "If-None-Match: " + etag("/demo/events") + "\r\n";
  Pending pending(server_, "/demo/events", known + "Prefer: wait=30\r\n");
  EXPECT_FALSE(pending.is_answered_within(200ms));
  ASSERT_EQ(publish("2"), 201);
  const Reply reply = pending.reply();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Feed-Position"), "2");
  EXPECT_EQ(reply.header("Preference-Applied"), "wait=30");
  EXPECT_EQ(reply.header("Cache-Control"), "no-store") << "a held answer is for nobody else";
  EXPECT_THAT(reply.body, HasSubstr("urn:x:2"));
}

TEST_F(WaitingTest, WhatIsNewAlreadyIsAnsweredAtOnce) {
  ASSERT_EQ(publish("1"), 201);
  const std::string old = etag("/demo/events");
  ASSERT_EQ(publish("2"), 201);
  const Reply newer = client_.get("/demo/events", "If-None-Match: " + old + "\r\nPrefer: wait=30\r\n");
  EXPECT_EQ(newer.status, 200);
  EXPECT_EQ(newer.header("Preference-Applied"), "wait=30");
  EXPECT_EQ(newer.header("Cache-Control"), "no-cache");
  EXPECT_EQ(client_.get("/demo/events", "Prefer: wait=30\r\n").status, 200) << "who knows nothing yet";
  EXPECT_EQ(client_.get("/demo/events?marker=1&wait=30").header("Feed-Position"), "2");
}

TEST_F(WaitingTest, WhenTimeIsUpAHeadIs304AndAForwardPageIsEmpty) {
  ASSERT_EQ(publish("1"), 201);
  const Reply head = client_.get("/demo/events?wait=1", "If-None-Match: " + etag("/demo/events") + "\r\n");
  // The URL's own tag: wait is no part of the view.
  EXPECT_EQ(head.status, 304);
  EXPECT_EQ(head.header("Cache-Control"), "no-store");
  EXPECT_EQ(head.header("Preference-Applied"), "wait=1");
  const Reply page = client_.get("/demo/events?marker=1&direction=forward&wait=1");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.header("Feed-Position"), "1");
  EXPECT_THAT(page.body, Not(HasSubstr("<entry")));
  EXPECT_THAT(page.body, HasSubstr("rel=\"previous\""));
}

TEST_F(WaitingTest, AForwardPageIsHeldUntilItHasSomething) {
  ASSERT_EQ(publish("1"), 201);
  Pending pending(server_, "/demo/events?marker=1&direction=forward", "Prefer: respond-async, wait=30\r\n");
  EXPECT_FALSE(pending.is_answered_within(200ms));
  ASSERT_EQ(publish("2"), 201);
  const Reply reply = pending.reply();
  EXPECT_EQ(reply.header("Feed-Position"), "2");
  EXPECT_THAT(reply.body, HasSubstr("urn:x:2"));
  EXPECT_THAT(reply.body, Not(HasSubstr("urn:x:1<")));
}

TEST_F(WaitingTest, AFilteredPageWakesForWhatMatchesAlone) {
  ASSERT_EQ(publish("1", "gold"), 201);
  const std::string known = etag("/demo/events?search=%2Bgold");
  Pending head(server_, "/demo/events?search=%2Bgold", "If-None-Match: " + known + "\r\nPrefer: wait=30\r\n");
  Pending page(server_, "/demo/events?search=%2Bgold&marker=1&wait=30");
  Pending other(server_, "/demo/events?search=(NOT(cat=gold))&marker=1&wait=30");
  EXPECT_FALSE(head.is_answered_within(200ms));
  EXPECT_FALSE(page.is_answered_within(1ms));
  ASSERT_EQ(publish("2", "lead"), 201);
  EXPECT_EQ(other.reply().header("Feed-Position"), "2");
  EXPECT_FALSE(head.is_answered_within(200ms));
  EXPECT_FALSE(page.is_answered_within(1ms));
  ASSERT_EQ(publish("3", "Gold"), 201);
  EXPECT_THAT(head.reply().body, HasSubstr("urn:x:3"));
  const Reply found = page.reply();
  EXPECT_EQ(found.header("Feed-Position"), "3");
  EXPECT_THAT(found.body, HasSubstr("urn:x:3"));
  EXPECT_THAT(found.body, Not(HasSubstr("urn:x:2")));
}

TEST_F(WaitingTest, AFeedThatDoesNotExistYetIsWaitedFor) {
  Pending pending(server_, "/demo/later", "Prefer: wait=30\r\n");
  Pending page(server_, "/demo/later?marker=0&wait=30");
  EXPECT_FALSE(pending.is_answered_within(200ms));
  EXPECT_EQ(client_.get("/demo/later").status, 404) << "reading never creates anything";
  ASSERT_EQ(HttpClient(server_.port()).post("/demo/later", entry("1")).status, 201);
  EXPECT_THAT(pending.reply().body, HasSubstr("urn:x:1"));
  EXPECT_THAT(page.reply().body, HasSubstr("urn:x:1"));
  EXPECT_EQ(client_.get("/demo/never?wait=1").status, 404) << "time is up";
  EXPECT_EQ(client_.get("/nowhere/never?wait=30").status, 404) << "publishing does not make feeds there: at once";
}

TEST_F(WaitingTest, EntriesThatHaveExpiredAreNoNews) {
  ASSERT_EQ(publish("1"), 201);
  const std::string known = "If-None-Match: " + etag("/demo/events") + "\r\n";
  Pending head(server_, "/demo/events", known + "Prefer: wait=30\r\n");
  Pending page(server_, "/demo/events?marker=1&wait=30");
  EXPECT_FALSE(head.is_answered_within(200ms));
  ASSERT_EQ(publish("2", "t", "Entry-Expires: 2020-01-01T00:00:00Z\r\n"), 201);
  EXPECT_FALSE(head.is_answered_within(300ms));
  EXPECT_FALSE(page.is_answered_within(1ms));
  ASSERT_EQ(publish("3", "t", "Entry-Expires: 2199-01-01T00:00:00Z\r\n"), 201);
  EXPECT_EQ(head.reply().header("Feed-Position"), "3");
  const Reply both = page.reply();
  EXPECT_THAT(both.body, HasSubstr("urn:x:2")) << "the log keeps it";
  EXPECT_THAT(both.body, HasSubstr("urn:x:3"));
}

TEST_F(WaitingTest, EditsAndDeletionsAreNews) {
  ASSERT_EQ(publish("1"), 201);
  Pending edit(server_, "/demo/events?marker=1&wait=30");
  EXPECT_FALSE(edit.is_answered_within(100ms));
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry("1", "edited")).status, 200);
  EXPECT_EQ(edit.reply().header("Feed-Position"), "2");
  Pending deletion(server_, "/demo/events?marker=2&wait=30");
  EXPECT_FALSE(deletion.is_answered_within(100ms));
  ASSERT_EQ(client_.remove("/demo/events/entries/urn:x:1").status, 204);
  EXPECT_THAT(deletion.reply().body, HasSubstr("deleted-entry"));
}

TEST_F(WaitingTest, ReadersOfAnotherServerAreWoken) {
  ASSERT_EQ(publish("1"), 201);
  CourantServer other({"--database", database_.url()});
  Pending known(other, "/demo/events?marker=1&wait=30");
  Pending filtered(other, "/demo/events?marker=1&search=%2Bgold&wait=30");
  Pending unborn(other, "/demo/unborn?wait=30");
  EXPECT_FALSE(known.is_answered_within(200ms));
  ASSERT_EQ(publish("2", "gold"), 201);
  EXPECT_THAT(known.reply().body, HasSubstr("urn:x:2"));
  EXPECT_THAT(filtered.reply().body, HasSubstr("urn:x:2"));
  EXPECT_FALSE(unborn.is_answered_within(1ms));
  ASSERT_EQ(HttpClient(server_.port()).post("/demo/unborn", entry("1")).status, 201);
  EXPECT_THAT(unborn.reply().body, HasSubstr("urn:x:1"));
}

TEST_F(WaitingTest, EveryFormCanBeWaitedFor) {
  ASSERT_EQ(publish("1"), 201);
  for (const std::string format : {"json", "rss", "html", "cloudevents"}) {
    SCOPED_TRACE(format);
    const std::string target = "/demo/events?format=" + format;
    Pending pending(server_, target, "If-None-Match: " + etag(target) + "\r\nPrefer: wait=30\r\n");
    EXPECT_FALSE(pending.is_answered_within(100ms));
    ASSERT_EQ(publish("of " + format), 422) << "no IRI";
    ASSERT_EQ(publish(format), 201);
    EXPECT_EQ(pending.reply().status, 200);
  }
}

TEST_F(WaitingTest, WhatIsNoNumberIsNoWait) {
  ASSERT_EQ(publish("1"), 201);
  const Reply refused = client_.get("/demo/events?wait=soon");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("wait must be a number of seconds, not 'soon'"));
  const std::string known = "If-None-Match: " + etag("/demo/events") + "\r\n";
  // RFC 7240 section 2: "a server ... that does not recognize or is unable to comply with particular preference tokens
  // ... MUST ignore those tokens and continue processing".
  EXPECT_EQ(client_.get("/demo/events", known + "Prefer: wait=soon\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events", known + "Prefer: wait=0\r\n").header("Preference-Applied"), "");
  EXPECT_EQ(client_.get("/demo/events?marker=last", "Prefer: wait=30\r\n").status, 200)
      << "it does not end at the head";
  EXPECT_EQ(client_.get("/demo/events?marker=1&direction=backward&wait=30").status, 200);
}

// However long somebody would wait, he waits as long as he may.
TEST_F(WaitingTest, WhatIsTooLongAWaitIsTheLongest) {
  ASSERT_EQ(publish("1"), 201);
  const std::string longest = "99999999999999999999999";
  EXPECT_EQ(client_.get("/demo/events?wait=" + longest).header("Preference-Applied"), "wait=60");
  EXPECT_EQ(client_.get("/demo/events", "Prefer: wait=" + longest + "\r\n").header("Preference-Applied"), "wait=60");
}

// JSON shows the newest revisions alone: a page of which nothing is left goes on all the same.
TEST_F(WaitingTest, APageThatIsEmptyButNotTheLastIsNotHeld) {
  ASSERT_EQ(publish("1"), 201);
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry("1", "edited")).status, 200);
  const Reply page = client_.get("/demo/events?format=json&marker=0&limit=1&wait=60");
  EXPECT_EQ(page.header("Feed-Position"), "1");
  EXPECT_EQ(page.header("Cache-Control"), "no-cache") << "it was not held";
  EXPECT_THAT(page.body, HasSubstr("\"items\": []"));
}

TEST_F(WaitingTest, AServerThatStopsAnswersWhoWaits) {
  ASSERT_EQ(publish("1"), 201);
  Pending head(server_, "/demo/events", "If-None-Match: " + etag("/demo/events") + "\r\nPrefer: wait=60\r\n");
  Pending page(server_, "/demo/events?marker=1&wait=60");
  EXPECT_FALSE(head.is_answered_within(200ms));
  server_.process().signal(SIGTERM);
  EXPECT_EQ(head.reply().status, 304);
  EXPECT_EQ(page.reply().status, 200);
  server_.process().wait();
}

// And the page that they get is made once.
TEST_F(WaitingTest, ManyWhoWaitShareOneRendering) {
  const int operations = free_port();
  CourantServer server({"--database", database_.url(), "--operations", "127.0.0.1:" + std::to_string(operations)});
  HttpClient client(server.port());
  ASSERT_EQ(client.post("/demo/events", entry("1")).status, 201);
  std::vector<std::unique_ptr<Pending>> pending;
  for (int i = 0; i < 200; ++i) pending.push_back(std::make_unique<Pending>(server, "/demo/events?marker=1&wait=60"));
  ASSERT_TRUE(wait_until([&] { return metric_at(operations, "courant_waiting_readers") == 200; }));
  const double before = metric_at(operations, "courant_page_cache_misses_total");
  ASSERT_EQ(client.post("/demo/events", entry("2")).status, 201);
  for (const auto& one : pending) EXPECT_EQ(one->reply().header("Feed-Position"), "2");
  EXPECT_EQ(metric_at(operations, "courant_page_cache_misses_total"), before + 1);
}

}  // namespace
}  // namespace courant::test::waiting_test
