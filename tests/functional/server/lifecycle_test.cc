// What feeds live through beside publishing: retention, redaction, deletion, quotas, idleness, generations; with the
// real program and its commands, while it serves.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/database.h"
#include "tests/support/any_query.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::lifecycle_test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string entry(int number, const std::string& text = "c", const std::string& term = "all") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><category term='" + term + "'/><content>" + text + "</content></entry>";
}

std::string url_of(int number) {
  return "/demo/events/entries/urn:x:" + std::to_string(number);
}

class LifecycleTest : public testing::Test {
 protected:
  // workspace: settings of the workspace demo, in TOML.
  void serve(const std::string& workspace) {
    const std::string config = scratch("lifecycle.toml");
    std::ofstream(config) << "[hub]\ncallback_allow = ['127.0.0.0/8']\n"
                          << "[[workspaces]]\nname = 'demo'\nauto_create = true\npage_size = 5\n"
                          << workspace << "\n";
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config});
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  void publish(int first, int last) {
    for (int number = first; number <= last; ++number) {
      ASSERT_EQ(client_->post("/demo/events", entry(number, "text" + std::to_string(number))).status, 201) << number;
    }
  }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  Ran command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, {"--database", database_.url()});
    return run_courant(arguments);
  }
  Ran verify() { return run_courant({"verify", server_->url() + "/demo/events", "--state", state_, "--forget"}); }
  Ran verify_otherwise() {
    return run_command(
        {"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/second_verifier.py", server_->url() + "/demo/events"});
  }

  const std::string state_ = scratch("verified/lifecycle.json");
  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
  int next_ = 1000;
};

TEST_F(LifecycleTest, RetentionByCountDropsWholePagesAndSaysSo) {
  serve("retain = '10 entries'");
  publish(1, 23);
  ASSERT_TRUE(wait_until([&] { return number_of("select min(position) from " + kPublished) == 11; }));
  const Reply gone = client_->get("/demo/events?marker=3&direction=forward");
  EXPECT_EQ(gone.status, 410);
  EXPECT_THAT(gone.body, HasSubstr("The entries up to position 10 are not kept any more"));
  EXPECT_EQ(gone.header("Link"), "<" + server_->url() + "/demo/events?marker=last>; rel=\"last\", <" + server_->url() +
                                     "/demo/events>; rel=\"current\"");
  EXPECT_THAT(client_->get("/demo/events?marker=last&limit=1").body, HasSubstr("text11<"));
  EXPECT_EQ(client_->get("/demo/events?marker=10&direction=forward").status, 200);
  EXPECT_EQ(client_->get("/demo/events/archive/2").status, 410);
  EXPECT_THAT(client_->get("/demo/events/archive/2").header("Link"), HasSubstr("rel=\"last\""));
  EXPECT_EQ(client_->get("/demo/events/archive/3").status, 200);
  EXPECT_THAT(client_->get("/demo/events?search=%2Ball&limit=1000").body, Not(HasSubstr("text10<")));
  EXPECT_EQ(client_->get("/demo/events?startingAt=2020-01-01T00:00:00Z").status, 200);
  EXPECT_EQ(client_->get(url_of(3)).status, 404);
  EXPECT_EQ(number_of("select count(*) from " + kPublished), 13);
  EXPECT_EQ(number_of("select count(*) from entry_ids"), 13);
  EXPECT_EQ(number_of("select count(*) from entry_terms"), 13);
  EXPECT_EQ(number_of("select count(*) from archive_pages where page < 3"), 0);
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(verify_otherwise().status, 0);

  // An id that was dropped is new again, and the next one too old goes with its page.
  EXPECT_EQ(client_->post("/demo/events", entry(3)).header("Feed-Position"), "24");
  publish(101, 101);
  ASSERT_TRUE(wait_until([&] { return number_of("select min(position) from " + kPublished) == 16; }));
  EXPECT_EQ(client_->get(url_of(3)).status, 200);
}

// What the floor has passed is gone at once, though its rows are still there.
TEST_F(LifecycleTest, WhatTheFloorHasPassedIsGoneBeforeItsRowsAre) {
  serve("");
  publish(1, 12);
  ASSERT_EQ(client_->put(url_of(2), entry(2, "revised")).status, 200);  // 13
  ASSERT_EQ(number_of("select raise_floor(lane, feed, 7, now()) from feeds"), 5);
  const Ran told = command({"new-generation"});  // any command makes the server look
  ASSERT_EQ(told.status, 0) << told.output;
  ASSERT_TRUE(wait_until([&] { return client_->get(url_of(3)).status == 404; }));
  EXPECT_EQ(number_of("select count(*) from entries where position <= 5"), 5);
  const Reply again = client_->post("/demo/events", entry(3, "other"));
  EXPECT_EQ(again.status, 201) << again.body;
  EXPECT_EQ(again.header("Feed-Position"), "14");
  // Its first revision is behind the floor: a retry of that is answered with what there is.
  const Reply retry = client_->post("/demo/events", entry(2, "text2"));
  EXPECT_EQ(retry.status, 200) << retry.body;
  EXPECT_EQ(retry.header("Feed-Position"), "13");
  EXPECT_THAT(client_->get("/demo/events?search=%2Ball&limit=1000").body, Not(HasSubstr("text1<")));
  EXPECT_THAT(client_->get("/demo/events?search=(NOT(cat=z))&limit=1000").body, Not(HasSubstr("text1<")));
  EXPECT_EQ(number_of("select forget_ids(lane, feed, 0, 3) from feeds"), 3);
  EXPECT_EQ(number_of("select count(*) from entries where position <= 5"), 5);
  EXPECT_EQ(number_of("select forget_ids(lane, feed, 3, 3) from feeds"), 5);
  session_.execute_script("select drop_rows(lane, feed, 0, 5) from feeds");
  EXPECT_EQ(number_of("select count(*) from entries where position <= 5"), 0);
  EXPECT_EQ(number_of("select count(*) from entry_ids"), 9) << "6 to 12, 2 with its revision, 3 anew";
}

TEST_F(LifecycleTest, PublishingDoesNotWaitForRowsThatAreBeingDropped) {
  serve("");
  publish(1, 12);
  ASSERT_EQ(number_of("select raise_floor(lane, feed, 7, now()) from feeds"), 5);
  ASSERT_EQ(number_of("select forget_ids(lane, feed, 0, 5) from feeds"), 5);
  session_.execute_script("begin; select drop_rows(lane, feed, 0, 5) from feeds");
  publish(13, 14);
  EXPECT_EQ(client_->post("/demo/events", entry(3, "other")).header("Feed-Position"), "15")
      << "its rows are on their way";
  session_.execute_script("commit");
  EXPECT_EQ(number_of("select count(*) from entries where id = 'urn:x:3'"), 1);
  EXPECT_EQ(number_of("select newest_position from entry_ids where first_position = 15"), 15);
}

// Who goes on after an entry whose first revision has been dropped would miss what was dropped with it.
TEST_F(LifecycleTest, AnIdWhoseFirstRevisionIsNotKeptIsNoMarker) {
  serve("");
  publish(1, 12);
  ASSERT_EQ(client_->put(url_of(2), entry(2, "revised")).status, 200);  // 13
  ASSERT_EQ(client_->put(url_of(5), entry(5, "revised")).status, 200);  // 14
  ASSERT_EQ(client_->get("/demo/events?marker=urn:x:2").status, 200);
  ASSERT_EQ(number_of("select raise_floor(lane, feed, 7, now()) from feeds"), 5);
  for (const std::string more : {"", "&direction=backward", "&search=%2Ball"}) {
    const Reply gone = client_->get("/demo/events?marker=urn:x:2" + more);
    EXPECT_EQ(gone.status, 410) << more;
    EXPECT_THAT(gone.header("Link"), HasSubstr("?marker=last>; rel=\"last\"")) << more;
  }
  const Reply after = client_->get("/demo/events?marker=urn:x:5&limit=100");
  EXPECT_EQ(after.status, 200) << "nothing that came after it was dropped";
  EXPECT_THAT(after.body, HasSubstr("text6<"));
}

// A full page is told to caches as an archive page is.
TEST_F(LifecycleTest, FullPagesAreCachedNoLongerThanTheirEntriesAreKept) {
  const std::map<std::string, std::string> rules = {{"retain = '1h'", "public, immutable"},
                                                    {"retain = '1000 entries'", "public, max-age=86400, immutable"},
                                                    {"redactable = true", "public, max-age=31536000"},
                                                    {"", "public, max-age=31536000, immutable"}};
  std::string workspaces;
  int number = 0;
  for (const auto& [setting, said] : rules) {
    workspaces += "\n[[workspaces]]\nname = 'w" + std::to_string(++number) + "'\nauto_create = true\npage_size = 5\n" +
                  setting + "\n";
  }
  serve(workspaces);
  number = 0;
  for (const auto& [setting, said] : rules) {
    const std::string feed = "/w" + std::to_string(++number) + "/events";
    for (int i = 1; i <= 11; ++i) ASSERT_EQ(client_->post(feed, entry(i)).status, 201);
    const Reply archived = client_->get(feed + "/archive/2");
    const Reply full = client_->get(feed + "?marker=5&direction=forward");
    EXPECT_EQ(archived.header("Cache-Control"), said) << setting;
    EXPECT_EQ(full.header("Cache-Control"), said) << setting;
    EXPECT_EQ(client_->get(feed + "?marker=10&direction=forward").header("Cache-Control"), "no-cache") << setting;
    // Of an archive page all are dropped together; of another page some entries may go first.
    const std::string age = setting == "retain = '1h'" ? "1 hour" : "";
    const auto expires = [&](std::int64_t position) {
      constexpr sql::Query kExpires{
          "test.expires",
          "select coalesce(to_char(recorded at time zone 'UTC' + nullif($3::text, '')::interval, "
          "'Dy, DD Mon YYYY HH24:MI:SS \"GMT\"'), '') from entries join feeds using (lane, feed) "
          "where workspace = $1::text and position = $2::bigint"};
      const sql::Rows rows =
          session_.run(kExpires, sql::Parameters().add("w" + std::to_string(number)).add(position).add(age));
      return std::string(rows[0].text(0));
    };
    EXPECT_EQ(archived.header("Expires"), expires(10)) << setting;
    EXPECT_EQ(full.header("Expires"), expires(6)) << setting;
    const std::string known = "If-None-Match: " + archived.header("ETag") + "\r\n";
    const Reply unchanged = client_->get(feed + "/archive/2", known);
    EXPECT_EQ(unchanged.status, 304);
    EXPECT_EQ(unchanged.header("Expires"), expires(10)) << "RFC 9110 section 15.4.5";
  }
}

// What was dropped lies in the indexes until they are vacuumed: nobody looks through it again.
TEST_F(LifecycleTest, DroppingGoesOnWhereItEnded) {
  serve("retain = '10 entries'");
  session_.execute_script(
      "create table asked (number serial, after bigint); alter function forget_ids rename to really_forget_ids;"
      "create function forget_ids(smallint, bigint, bigint, bigint) returns bigint language plpgsql as $$ begin "
      "insert into asked (after) values ($3); return really_forget_ids($1, $2, $3, $4); end $$");
  publish(1, 23);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from entries where position <= 10") == 0; }));
  const std::int64_t before = number_of("select coalesce(max(number), 0) from asked");
  publish(24, 30);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from entries where position <= 15") == 0; }));
  EXPECT_EQ(number_of("select count(*) from asked where after < 5 and number > " + std::to_string(before)), 0);
}

TEST_F(LifecycleTest, RetentionByAgeDropsWhatIsTooOld) {
  serve("retain = '2s'");
  publish(1, 7);
  ASSERT_TRUE(wait_until([&] { return number_of("select min(position) from " + kPublished) == 6; }));
  EXPECT_EQ(client_->get("/demo/events/archive/1").status, 410);
  publish(8, 10);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from " + kPublished) == 0; }));
  EXPECT_EQ(client_->get("/demo/events").status, 200);
  publish(11, 11);
  EXPECT_EQ(client_->get("/demo/events").header("Feed-Position"), "11");
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 0) << ran.output;
}

TEST_F(LifecycleTest, ARedactionErasesAndTheLogStillVerifies) {
  serve("redactable = true");
  publish(1, 12);
  ASSERT_EQ(client_->put(url_of(3), entry(3, "secret", "hidden")).status, 200);  // 13
  const std::string before = client_->get("/demo/events/archive/1").body;
  const std::string etag = client_->get("/demo/events").header("ETag");
  ASSERT_THAT(before, HasSubstr("text3<"));
  ASSERT_EQ(verify().status, 0);

  const Ran done = command({"redact", "demo/events", "urn:x:3"});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.output, HasSubstr("Erased the content of position 3, 13; recorded at position 14."));
  ASSERT_TRUE(wait_until([&] { return client_->get(url_of(3)).status == 410; }));
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events").header("Feed-Position") == "14"; }));
  EXPECT_NE(client_->get("/demo/events").header("ETag"), etag);
  // Where a page is read before this server has heard of the act, that tells it of the position alone.
  std::string page;
  ASSERT_TRUE(wait_until([&] {
    page = client_->get("/demo/events/archive/1").body;
    return page.find("redacted=\"true\"") != std::string::npos;
  }));
  EXPECT_THAT(page, Not(HasSubstr("text3<")));
  const std::string head = client_->get("/demo/events?limit=100").body;
  EXPECT_THAT(head, Not(HasSubstr("secret")));
  EXPECT_THAT(head, HasSubstr("<c:redacted xmlns:c=\"urn:courant:log:1\" positions=\"3 13\"></c:redacted>"));
  EXPECT_THAT(client_->get("/demo/events?search=%2Bhidden").body, Not(HasSubstr("position=\"13\"")));
  EXPECT_EQ(number_of("select count(*) from entries where xml like '%secret%' or xml like '%text3<%'"), 0);
  EXPECT_EQ(number_of("select count(*) from entries where kind = 4 and content_type = ''"), 2);
  EXPECT_EQ(client_->put(url_of(3), entry(3)).status, 410);
  EXPECT_EQ(client_->post("/demo/events", entry(3)).status, 410);

  const Ran ran = verify();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("positions 1 to 14, 2 of them redacted"));
  EXPECT_EQ(verify_otherwise().status, 0);
  EXPECT_THAT(command({"redact", "demo/events", "urn:x:3"}).output, HasSubstr("Nothing is left to erase"));
  const Ran none = command({"redact", "demo/events", "urn:x:99"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("there is no entry with the id urn:x:99 in demo/events"));
  EXPECT_EQ(command({"redact", "demo", "urn:x:99"}).status, 2);
  EXPECT_EQ(command({"redact", "demo/none", "urn:x:99"}).status, 1);
}

// What was in memory of it does not come back with its name.
TEST_F(LifecycleTest, AFeedThatIsMadeAgainShowsNothingOfBefore) {
  serve("");
  publish(1, 12);
  const std::vector<std::string> targets = {"/demo/events?marker=0", "/demo/events/archive/1"};
  for (const std::string& target : targets) {
    for (int i = 0; i < 3; ++i) ASSERT_EQ(client_->get(target).status, 200) << target;
  }
  ASSERT_EQ(command({"delete-feed", "demo/events", "--yes"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events").status == 404; }));
  ASSERT_EQ(client_->post("/demo/events", entry(13)).status, 201);
  for (const std::string& target : targets) EXPECT_EQ(client_->get(target).status, 410) << target;
}

// An operator who erases without a record is found out.
TEST_F(LifecycleTest, AnErasureWithoutARecordIsNoticed) {
  serve("");
  publish(1, 6);
  // While no server stores pages, or has them in memory.
  server_->process().signal(SIGKILL);
  server_->process().wait();
  session_.execute_script("update entries set kind = 4, xml = null, salt = null where position = 4");
  session_.execute_script("delete from archive_pages");
  server_->start();
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("position 4"));
}

TEST_F(LifecycleTest, ADeletedFeedIsGoneAndMadeAgainGoesOn) {
  serve("");
  publish(1, 7);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(*server_, "subscribe", server_->url() + "/demo/events"), 202);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from subscriptions") == 1; }));
  const Ran asked = command({"delete-feed", "demo/events"});
  EXPECT_EQ(asked.status, 2);
  EXPECT_THAT(asked.output, HasSubstr("demo/events holds 7 entries, which would be gone: say --yes"));
  EXPECT_EQ(client_->get("/demo/events").status, 200);

  const Ran done = command({"delete-feed", "demo/events", "--yes"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("Made again, it goes on at position 8."));
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events").status == 404; }));
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events/archive/1").status == 404; }));
  EXPECT_EQ(client_->get(url_of(2)).status, 404);
  EXPECT_EQ(client_->remove(url_of(2)).status, 404);
  EXPECT_EQ(command({"delete-feed", "demo/events", "--yes"}).status, 1);

  const Reply again = client_->post("/demo/events", entry(2));
  EXPECT_EQ(again.status, 201) << again.body;
  EXPECT_EQ(again.header("Feed-Position"), "8");
  EXPECT_EQ(client_->get("/demo/events/archive/1").status, 410);
  EXPECT_EQ(client_->get("/demo/events?marker=7&direction=forward").status, 200);
  EXPECT_EQ(client_->get("/demo/events?marker=6&direction=forward").status, 410);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.positions().empty(); }));
  EXPECT_EQ(subscriber.positions().front(), 8) << "who was subscribed still is";
  publish(30, 35);
  const Reply begun = client_->get("/demo/events/archive/2");
  EXPECT_EQ(begun.status, 200) << "the page that the deletion has cut";
  EXPECT_THAT(begun.body, HasSubstr("position=\"8\""));
  EXPECT_THAT(begun.body, Not(HasSubstr("position=\"7\"")));
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(verify_otherwise().status, 0);
}

// Publishers that meet the deletion make the feed anew; nobody is told 201 of what is not there.
TEST_F(LifecycleTest, FeedsAreDeletedWhilePublishersWrite) {
  serve("");
  std::atomic<bool> is_over = false;
  std::atomic<int> number = 0;
  std::vector<std::thread> publishers;
  for (int i = 0; i < 4; ++i) {
    publishers.emplace_back([&] {
      HttpClient client(server_->port());
      while (!is_over) {
        const int status = client.post("/demo/events", entry(++number)).status;
        EXPECT_EQ(status, 201);
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    const int before = number;
    ASSERT_TRUE(wait_until([&] { return number > before + 50; }));
    EXPECT_EQ(command({"delete-feed", "demo/events", "--yes"}).status, 0);
  }
  is_over = true;
  for (std::thread& publisher : publishers) publisher.join();
  ASSERT_TRUE(wait_until([&] {
    return number_of(
               "select count(*) from entries e join feeds f using (lane, feed) "
               "where e.position <= f.floor_position") == 0;
  }));
  EXPECT_EQ(number_of("select max(position) - min(position) + 1 - count(*) from entries join feeds using (lane, feed) "
                      "where workspace = 'demo'"),
            0);
  EXPECT_EQ(client_->get("/demo/events").header("Feed-Position"), std::to_string(number));
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 0) << ran.output;
}

TEST_F(LifecycleTest, AWorkspaceHasNoMoreFeedsThanItsQuota) {
  serve("max_feeds = 5");
  std::atomic<int> made = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> publishers;
  for (int i = 0; i < 16; ++i) {
    publishers.emplace_back([&, i] {
      const int status = HttpClient(server_->port()).post("/demo/f" + std::to_string(i), entry(1)).status;
      ++(status == 201 ? made : refused);
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(made, 5);
  EXPECT_EQ(refused, 11);
  const Reply reply = client_->post("/demo/one-more", entry(1));
  EXPECT_EQ(reply.status, 507);
  EXPECT_THAT(reply.body, HasSubstr("The workspace demo has the 5 feeds already that it may have (max_feeds)"));
  EXPECT_EQ(number_of("select count(*) from feeds"), 5);
}

TEST_F(LifecycleTest, FeedsInWhichNothingHappensExpire) {
  serve("expire_idle = '2s'");
  publish(1, 3);
  ASSERT_EQ(client_->post("/demo/quiet", entry(1)).status, 201);
  ASSERT_TRUE(wait_until([&] {
    client_->post("/demo/events", entry(++next_));
    return client_->get("/demo/quiet").status == 404;
  }));
  EXPECT_EQ(client_->get("/demo/events").status, 200) << "something happened here";
  const std::string audit = "/_courant/audit?format=cloudevents";
  ASSERT_TRUE(wait_until([&] { return client_->get(audit).body.find("feed-deleted") != std::string::npos; }));
  EXPECT_THAT(client_->get(audit).body, HasSubstr("\"subject\": \"demo/quiet\""));
  EXPECT_THAT(client_->get(audit).body, HasSubstr("\"actor\": \"server: "));
  EXPECT_EQ(client_->post("/demo/quiet", entry(1)).header("Feed-Position"), "2");
}

TEST_F(LifecycleTest, ANewGenerationSendsReadersBackToTheCurrentFeed) {
  serve("");
  publish(1, 7);
  const std::string etag = client_->get("/demo/events").header("ETag");
  EXPECT_EQ(client_->get("/demo/events/archive/1").status, 200);
  EXPECT_EQ(client_->get("/demo/events?marker=9").status, 400);
  const Ran done = command({"new-generation"});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.output, HasSubstr("Generation 2: "));
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events/archive/1").status == 410; }));
  EXPECT_EQ(client_->get("/demo/events/archive/1").header("Link"),
            "<" + server_->url() + "/demo/events>; rel=\"current\"");
  EXPECT_THAT(client_->get("/demo/events").body,
              HasSubstr("<link rel=\"prev-archive\" href=\"" + server_->url() + "/demo/events/archive/2-1\"/>"));
  EXPECT_EQ(client_->get("/demo/events/archive/2-1").status, 200);
  EXPECT_EQ(client_->get("/demo/events", "If-None-Match: " + etag + "\r\n").status, 200);
  const Reply lost = client_->get("/demo/events?marker=9");
  EXPECT_EQ(lost.status, 410);
  EXPECT_THAT(lost.header("Link"), HasSubstr("<" + server_->url() + "/demo/events>; rel=\"current\""));
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 0) << ran.output;
}

TEST_F(LifecycleTest, ANewGenerationHasItsPagesClosedAheadOfTheirReaders) {
  serve("");
  publish(1, 12);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from archive_pages") == 2; }));
  server_->kill_and_restart();  // nothing that was published is still to be told
  ASSERT_EQ(command({"new-generation"}).status, 0);
  EXPECT_TRUE(wait_until([&] { return number_of("select count(*) from archive_pages") == 2; }));
}

// The closer has other feeds, too.
TEST_F(LifecycleTest, AFeedWhosePagesCannotBeClosedHoldsUpNoOther) {
  serve("");
  for (const std::string feed : {"a", "b", "c"}) ASSERT_EQ(client_->post("/demo/" + feed, entry(1)).status, 201);
  session_.execute_script(
      "create function refuse() returns trigger language plpgsql as $$ begin "
      "if (new.lane, new.feed) = (select lane, feed from feeds order by lane, feed limit 1) then "
      "raise exception 'not this one'; end if; return new; end $$;"
      "create trigger refuse before insert on archive_pages for each row execute function refuse()");
  for (int number = 2; number <= 5; ++number) {
    for (const std::string feed : {"a", "b", "c"}) ASSERT_EQ(client_->post("/demo/" + feed, entry(number)).status, 201);
  }
  EXPECT_TRUE(wait_until([&] { return number_of("select count(*) from archive_pages") == 2; }));
}

// Rendering is dear: one question for the index does not have a long archive rendered.
TEST_F(LifecycleTest, TheIndexHasFewPagesRenderedForOneQuestion) {
  serve("");
  publish(1, 41);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from archive_pages") == 8; }));
  session_.execute_script("delete from archive_pages where page between 2 and 7");  // the closer looks behind the last
  const std::string index = client_->get("/demo/events/archive?limit=1000").body;
  EXPECT_EQ(number_of("select count(*) from archive_pages"), 6);
  EXPECT_THAT(index, HasSubstr("/demo/events/archive/5\""));
  EXPECT_THAT(index, Not(HasSubstr("/demo/events/archive/6\"")));
  EXPECT_THAT(index, HasSubstr("\"next\": \"" + server_->url() + "/demo/events/archive?from=6&limit=1000\""));
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(number_of("select count(*) from archive_pages"), 8);
}

// A failover with loss, under a server that runs: it knows more than the database does.
TEST_F(LifecycleTest, ALogThatWasSetBackBeginsANewGeneration) {
  serve("");
  publish(1, 7);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(*server_, "subscribe", server_->url() + "/demo/events"), 202);
  Subscriber filtering;
  ASSERT_EQ(filtering.ask(*server_, "subscribe", server_->url() + "/demo/events?search=%2Ball"), 202);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from subscriptions where cursor = 7") == 2; }));
  session_.execute_script(
      "begin; delete from entries where position > 4; delete from entry_ids where newest_position > 4;"
      "delete from entry_terms where position > 4; delete from archive_pages;"
      "delete from journal where sequence > 4;"
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> "
      "pg_backend_pid(); commit");
  ASSERT_TRUE(wait_until([&] { return number_of("select generation from log_facts") == 2; }));
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events").header("Feed-Position") == "4"; }));
  EXPECT_EQ(client_->get("/demo/events?marker=7").status, 410);
  ASSERT_TRUE(wait_until([&] { return client_->post("/demo/events", entry(105)).status / 100 == 2; }));
  EXPECT_EQ(client_->get("/demo/events").header("Feed-Position"), "5");
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.positions().empty(); }));
  EXPECT_EQ(subscriber.positions(), std::vector<int>{5}) << "positions are given again, and pushed";
  EXPECT_THAT(subscriber.deliveries().front().header("webhook-id").value_or(""), testing::EndsWith("_5_g2"));
  ASSERT_TRUE(filtering.wait_until([&] { return !filtering.positions().empty(); }));
  EXPECT_THAT(filtering.deliveries().front().header("webhook-id").value_or(""), testing::EndsWith("_5_g2"));
  EXPECT_TRUE(wait_until([&] {
    const std::string told = client_->get("/_courant/audit?format=cloudevents").body;
    return told.find("\"courant.audit.generation-begun\"") != std::string::npos;
  }));
}

// The commands work on a private cluster that a server runs, and on one that nobody runs.
TEST(LifecycleCommandsTest, WorkBesideTheServerOfAPrivateCluster) {
  const DataFolder folder;
  const std::string& data = folder.path();
  {
    CourantServer server({"--data", data});
    HttpClient client(server.port());
    ASSERT_EQ(client.post("/demo/events", entry(1)).status, 201);
    const Ran done = run_courant({"redact", "--data", data, "demo/events", "urn:x:1"});
    EXPECT_EQ(done.status, 0) << done.output;
    EXPECT_THAT(done.output, HasSubstr("recorded at position 2"));
    EXPECT_EQ(client.get(url_of(1)).status, 410);
    server.process().signal(SIGTERM);
    server.process().wait();
  }
  const Ran done = run_courant({"delete-feed", "--data", data, "demo/events", "--yes"});
  EXPECT_EQ(done.status, 0) << done.output;
  const Ran nowhere = run_courant({"new-generation", "--data", data + "-none"});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.output, HasSubstr("there is no data in "));
}

}  // namespace
}  // namespace courant::test::lifecycle_test
