#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "kernel/time.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"

namespace courant::test::edit_test {
namespace {

std::string entry(const std::string& content, const std::string& id = "urn:x:1") {
  const std::string id_element = id.empty() ? "" : "<id>" + id + "</id>";
  return "<entry xmlns='http://www.w3.org/2005/Atom'>" + id_element + "<title>t</title><content>" + content +
         "</content></entry>";
}

std::string value_in(const std::string& text, const std::string& element) {
  const std::size_t at = text.find("<" + element + ">") + element.size() + 2;
  return text.substr(at, text.find('<', at) - at);
}

class EditTest : public testing::Test {
 protected:
  static constexpr const char* kUrl = "/demo/events/entries/urn:x:1";
  std::string head() { return client_.get("/demo/events").header("Feed-Position"); }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(EditTest, APutAppendsARevision) {
  const Reply first = client_.post("/demo/events", entry("one"));
  const Reply second = client_.put(kUrl, entry("two"));
  EXPECT_EQ(second.status, 200) << second.body;
  EXPECT_EQ(second.header("ETag"), "\"2\"");
  EXPECT_EQ(value_in(second.body, "published"), value_in(first.body, "published"));
  EXPECT_GT(*parse_rfc3339(value_in(second.body, "updated")), *parse_rfc3339(value_in(first.body, "updated")));
  EXPECT_NE(client_.get(kUrl).body.find("<content>two</content>"), std::string::npos);
  const std::string page = client_.get("/demo/events").body;
  EXPECT_NE(page.find("<content>one</content>"), std::string::npos) << "nothing in the log changes";
  EXPECT_LT(page.find("<content>two</content>"), page.find("<content>one</content>"));
}

TEST_F(EditTest, ARepeatedPutOrPostAppendsNothing) {
  client_.post("/demo/events", entry("one"));
  client_.put(kUrl, entry("two"));
  EXPECT_EQ(client_.put(kUrl, entry("two")).status, 200);
  EXPECT_EQ(client_.post("/demo/events", entry("one")).status, 200) << "a retry, also after a later edit";
  EXPECT_EQ(client_.post("/demo/events", entry("two")).status, 409);
  EXPECT_EQ(head(), "2");
  EXPECT_EQ(client_.put(kUrl, entry("one")).status, 200) << "back to the first content is a change";
  EXPECT_EQ(head(), "3");
}

TEST_F(EditTest, APutMayCreate) {
  const Reply reply = client_.put(kUrl, entry("one", ""));
  EXPECT_EQ(reply.status, 201) << reply.body;
  EXPECT_EQ(reply.header("Location"), server_.url() + kUrl);
  EXPECT_EQ(client_.put(kUrl, entry("x", "urn:x:2")).status, 409) << "the body's id is not the URL's";
  EXPECT_EQ(client_.put("/demo/events/entries/urn:x:9", entry("x", "urn:x:9"), "If-Match: *\r\n").status, 412);
  EXPECT_EQ(client_.put(kUrl, entry("x"), "If-None-Match: *\r\n").status, 412);
}

TEST_F(EditTest, IfMatchNamesTheRevisionThatIsChanged) {
  client_.post("/demo/events", entry("one"));
  EXPECT_EQ(client_.put(kUrl, entry("two"), "If-Match: \"9\"\r\n").status, 412);
  EXPECT_EQ(client_.put(kUrl, entry("two"), "If-Match: W/\"1\"\r\n").status, 412) << "weak tags never match";
  EXPECT_EQ(client_.put(kUrl, entry("two"), "If-Match: \"7\", \"1-gzip\"\r\n").status, 200);
  EXPECT_EQ(client_.put(kUrl, entry("three"), "If-Match: \"1\"\r\n").status, 412);
  EXPECT_EQ(client_.remove(kUrl, "If-Match: \"1\"\r\n").status, 412);
  EXPECT_EQ(client_.remove(kUrl, "If-Match: \"2\"\r\n").status, 204);
}

TEST_F(EditTest, OfManyWhoChangeTheSameRevisionOneWins) {
  client_.post("/demo/events", entry("one"));
  std::atomic<int> won{0}, lost{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(server_.port());
      const int status = client.put(kUrl, entry("by " + std::to_string(i)), "If-Match: \"1\"\r\n").status;
      ++(status == 200 ? won : lost);
      EXPECT_TRUE(status == 200 || status == 412) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(head(), "2");
}

TEST_F(EditTest, ADeletionLeavesATombstone) {
  client_.post("/demo/events", entry("one"));
  const Reply deleted = client_.remove(kUrl);
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.header("Feed-Position"), "2");
  EXPECT_EQ(client_.remove(kUrl).status, 410);
  EXPECT_EQ(client_.get(kUrl).status, 410);
  EXPECT_EQ(client_.post("/demo/events", entry("one")).status, 410) << "never a resurrection";
  EXPECT_EQ(client_.put(kUrl, entry("two")).status, 410);
  EXPECT_EQ(client_.remove("/demo/events/entries/urn:x:2").status, 404);
  EXPECT_EQ(client_.remove("/demo/events/entries/urn:x:%1F").status, 404) << "no id, and nothing that XML could hold";
  client_.post("/demo/events", entry("three", "urn:x:3"));
  const std::string page = client_.get("/demo/events").body;
  const std::size_t tombstone =
      page.find("<at:deleted-entry xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" ref=\"urn:x:1\"");
  ASSERT_NE(tombstone, std::string::npos) << page;
  EXPECT_LT(tombstone, page.find("<entry")) << "tombstones stand before the first entry";
  EXPECT_NE(page.find("position=\"2\"", tombstone), std::string::npos);
  EXPECT_EQ(head(), "3");
}

TEST(Edits, CanBeForbiddenForAFeed) {
  const std::string config = scratch("no-edits.toml");
  std::ofstream(config) << "[[workspaces]]\nname = \"demo\"\nauto_create = true\nedits = false\n";
  TestDatabase database;
  CourantServer server({"--database", database.url(), "--config", config});
  HttpClient client(server.port());
  client.post("/demo/events", entry("one"));
  for (const Reply& reply :
       {client.put("/demo/events/entries/urn:x:1", entry("two")), client.remove("/demo/events/entries/urn:x:1")}) {
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(reply.header("Allow"), "GET, HEAD, OPTIONS");
  }
}

TEST_F(EditTest, IfMatchOnAPostIsTheExpectedHead) {
  client_.post("/demo/events", entry("one"));
  const std::string etag = client_.get("/demo/events").header("ETag");
  EXPECT_EQ(client_.post("/demo/events", entry("x", "urn:x:2"), "If-Match: \"0\"\r\n").status, 412);
  EXPECT_EQ(client_.post("/demo/events", entry("x", "urn:x:2"), "If-Match: " + etag + "\r\n").status, 201);
  EXPECT_EQ(client_.post("/demo/events", entry("x", "urn:x:2"), "If-Match: " + etag + "\r\n").status, 200) << "a retry";
  EXPECT_EQ(client_.post("/demo/events", entry("y", "urn:x:2"), "If-Match: " + etag + "\r\n").status, 412);
  EXPECT_EQ(client_.post("/demo/events", entry("x", "urn:x:3"), "If-Match: " + etag + "\r\n").status, 412);
  EXPECT_EQ(client_.post("/demo/events", entry("x", "urn:x:3"), "If-Match: \"2\"\r\n").status, 201);
}

TEST_F(EditTest, OfManyWhoExpectTheSameHeadOneWins) {
  client_.post("/demo/events", entry("one"));
  std::atomic<int> won{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(server_.port());
      const std::string id = "urn:y:" + std::to_string(i);
      if (client.post("/demo/events", entry("c", id), "If-Match: \"1\"\r\n").status == 201) ++won;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
}

TEST_F(EditTest, SubscribersGetRevisionsAndTombstones) {
  client_.post("/demo/events", entry("one"));
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(server_, "subscribe", server_.url() + "/demo/events"), 202);
  sql::Session session(database_.url());
  ASSERT_TRUE(subscriber.wait_until([&] {
    return session.run(sql::Query{"subscribed", "select count(*) from subscriptions"})[0].integer(0) == 1;
  }));
  client_.put(kUrl, entry("two"));
  client_.remove(kUrl);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == (std::vector<int>{2, 3}); }));
  EXPECT_NE(subscriber.deliveries().back().body.find("<at:deleted-entry"), std::string::npos);
}

}  // namespace
}  // namespace courant::test::edit_test
