// Last-Modified and If-Modified-Since, of all that is sent with entity tags. What has happened is set back in the
// database, so that it has settled.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "sql/database.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::last_modified_test {
namespace {

using testing::HasSubstr;

std::string entry(int number, const std::string& text = "c") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><category term='" + (number % 2 == 0 ? "even" : "odd") + "'/><content>" + text +
         "</content></entry>";
}

class LastModifiedTest : public testing::Test {
 protected:
  void serve(const std::string& settings = {}) {
    const std::string config = scratch("last_modified.toml");
    std::ofstream(config) << "[[workspaces]]\nname = 'demo'\nauto_create = true\npage_size = 2\n"
                          << "[[workspaces.feeds]]\nname = 'events'\n"
                          << settings << "\n";
    server_.reset();
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config});
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  void publish(int first, int last) {
    for (int number = first; number <= last; ++number) {
      ASSERT_EQ(client_->post("/demo/events", entry(number)).status, 201) << number;
    }
  }
  // An hour passes.
  void settle() {
    session_.execute_script(
        "update entries set recorded = recorded - interval '1 hour';"
        "update feeds set modified = modified - interval '1 hour';"
        "update log_facts set modified = modified - interval '1 hour';"
        "update archive_pages set rendered = rendered - interval '1 hour'");
  }
  std::string last_modified(const std::string& target) { return client_->get(target).header("Last-Modified"); }
  Reply get_since(const std::string& target, const std::string& date) {
    return client_->get(target, "If-Modified-Since: " + date + "\r\n");
  }
  // The present state of a URL is told; after `change` it is another one, which is not told of yet.
  template <class Change>
  void expect_change(const std::string& target, Change change) {
    const std::string before = last_modified(target);
    ASSERT_NE(before, "") << target;
    ASSERT_EQ(get_since(target, before).status, 304) << target;
    change();
    const Reply after = get_since(target, before);
    EXPECT_EQ(after.status, 200) << target;
    EXPECT_EQ(after.header("Last-Modified"), "") << target;
  }
  void command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, {"--database", database_.url()});
    const Ran ran = run_courant(arguments);
    ASSERT_EQ(ran.status, 0) << ran.output;
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(LastModifiedTest, IsSentOfWhateverHasATagOnceItHasSettled) {
  serve();
  publish(1, 5);
  settle();
  for (const char* const target :
       {"/demo/events", "/demo/events?format=json", "/demo/events?format=html", "/demo/events?format=rss",
        "/demo/events?marker=1&limit=2", "/demo/events?marker=5", "/demo/events?marker=last",
        "/demo/events?search=%2Beven", "/demo/events?search=%2Bnone", "/demo/events/entries/urn:x:3",
        "/demo/events/entries/urn:x:3?format=html"}) {
    const Reply whole = client_->get(target);
    const std::string date = whole.header("Last-Modified");
    EXPECT_THAT(date, HasSubstr(" GMT")) << target;
    const Reply same = get_since(target, date);
    EXPECT_EQ(same.status, 304) << target;
    EXPECT_EQ(same.body, "") << target;
    for (const char* const field : {"ETag", "Cache-Control", "Vary", "Last-Modified"}) {
      EXPECT_EQ(same.header(field), whole.header(field)) << target << " " << field;
    }
    EXPECT_EQ(get_since(target, "Thu, 01 Jan 2099 00:00:00 GMT").status, 200) << target;
  }
  EXPECT_EQ(get_since("/demo/events", last_modified("/demo/events")).header("Link"),
            client_->get("/demo/events").header("Link"));
}

TEST_F(LastModifiedTest, IsNotSentOfWhatIsYoung) {
  serve();
  publish(1, 2);
  for (const char* const target : {"/demo/events", "/demo/events?marker=0", "/demo/events/entries/urn:x:1"}) {
    const Reply reply = client_->get(target);
    EXPECT_EQ(reply.header("Last-Modified"), "") << target;
    EXPECT_EQ(get_since(target, reply.header("Date")).status, 200) << target;
  }
}

TEST_F(LastModifiedTest, EntriesEditsAndDeletionsMoveIt) {
  serve();
  publish(1, 3);
  settle();
  expect_change("/demo/events", [&] { publish(4, 4); });
  settle();
  expect_change("/demo/events?marker=last&limit=9", [&] { publish(5, 5); });
  settle();
  expect_change("/demo/events/entries/urn:x:1", [&] { client_->put("/demo/events/entries/urn:x:1", entry(1, "d")); });
  settle();
  expect_change("/demo/events?format=json&marker=0&limit=3",
                [&] { client_->put("/demo/events/entries/urn:x:2", entry(2, "d")); });
  settle();
  expect_change("/demo/events", [&] { client_->remove("/demo/events/entries/urn:x:3"); });
}

TEST_F(LastModifiedTest, AFilteredPageMovesWithWhatMatches) {
  serve();
  publish(1, 3);
  settle();
  const std::string odd = last_modified("/demo/events?search=%2Bodd");
  const std::string even = last_modified("/demo/events?search=%2Beven");
  publish(4, 4);
  EXPECT_EQ(get_since("/demo/events?search=%2Bodd", odd).status, 304);
  EXPECT_EQ(get_since("/demo/events?search=%2Beven", even).status, 200);
}

TEST_F(LastModifiedTest, SettingsMoveIt) {
  serve("title = 'One'");
  publish(1, 1);
  settle();
  expect_change("/demo/events", [&] { serve("title = 'Two'"); });
}

TEST_F(LastModifiedTest, RedactionMovesIt) {
  serve("redactable = true");
  publish(1, 4);
  settle();
  const std::string target = "/demo/events?marker=0&limit=2";
  expect_change(target, [&] {
    const std::string before = client_->get(target).header("ETag");
    command({"redact", "demo/events", "urn:x:1"});
    ASSERT_TRUE(wait_until([&] { return client_->get(target).header("ETag") != before; })) << "the server hears of it";
  });
}

TEST_F(LastModifiedTest, AGenerationMovesIt) {
  serve();
  publish(1, 1);
  settle();
  expect_change("/demo/events", [&] {
    command({"new-generation"});
    // The marker is beyond the head: refused so from the second generation on.
    ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events?marker=9").status == 410; }));
  });
}

TEST_F(LastModifiedTest, RetentionMovesIt) {
  serve("retain = '4 entries'");
  publish(1, 4);
  settle();
  expect_change("/demo/events?marker=last&limit=9", [&] {
    publish(5, 6);
    ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events?marker=1").status == 410; }));
  });
}

TEST_F(LastModifiedTest, ArchivePagesSayWhenTheyWereRendered) {
  serve("redactable = true");
  publish(1, 4);
  const std::string page = "/demo/events/archive/1";
  ASSERT_EQ(client_->get(page).header("Last-Modified"), "");
  settle();
  serve("redactable = true");  // pages in memory have their times
  for (const char* const coding : {"", "gzip"}) {
    const std::string accepted = "Accept-Encoding: " + std::string(coding) + "\r\n";
    const Reply whole = client_->get(page, accepted);
    ASSERT_NE(whole.header("Last-Modified"), "") << coding;
    const Reply same = client_->get(page, accepted + "If-Modified-Since: " + whole.header("Last-Modified") + "\r\n");
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.header("ETag"), whole.header("ETag"));
  }
  expect_change(page, [&] {
    command({"redact", "demo/events", "urn:x:1"});
    ASSERT_TRUE(wait_until([&] { return client_->get(page).body.find("redacted=\"true\"") != std::string::npos; }));
  });
}

TEST_F(LastModifiedTest, OfMediaItIsTheNewestRevisions) {
  serve("accept = ['image/*']");
  const Reply posted = client_->post("/demo/events", "bytes", "Content-Type: image/png\r\n");
  ASSERT_EQ(posted.status, 201) << posted.body;
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(posted.body.c_str()));
  const std::string url = document.child("entry").child("content").attribute("src").value();
  const std::string media = url.substr(server_->url().size());
  settle();
  const Reply whole = client_->get(media);
  const Reply same = get_since(media, whole.header("Last-Modified"));
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("ETag"), whole.header("ETag"));
  expect_change(media, [&] { client_->put(media, "other", "Content-Type: image/png\r\n"); });
}

TEST_F(LastModifiedTest, WhoWaitsWithADateWaitsForWhatIsNewer) {
  serve();
  publish(1, 1);
  settle();
  const std::string known = "If-Modified-Since: " + last_modified("/demo/events") + "\r\n";
  const Reply same = client_->get("/demo/events?wait=1", known);
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("Preference-Applied"), "wait=1");
  EXPECT_EQ(same.header("Cache-Control"), "no-store");

  RawClient waiting(static_cast<std::uint16_t>(server_->port()));
  waiting.send("GET /demo/events HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=30\r\n" + known + "\r\n");
  EXPECT_FALSE(waiting.has_answer_within(std::chrono::milliseconds(200)));
  publish(2, 2);
  const std::string answer = waiting.read_response();
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("urn:x:2"));

  EXPECT_EQ(client_->get("/demo/events?wait=30", known).status, 200) << "what is known is old: at once";
}

}  // namespace
}  // namespace courant::test::last_modified_test
