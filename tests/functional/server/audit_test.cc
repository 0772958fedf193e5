#include <atomic>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernel/digest.h"
#include "sql/database.h"
#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/sink.h"
#include "tests/support/test_database.h"

namespace courant::test::audit_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A feed of 60 entries, with revisions, deletions and content that is awkward to canonicalise; what an attacker with
// the database in hand could do to it, and who notices.
class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    std::filesystem::remove(state_);
    for (int number = 1; number <= 50; ++number) {
      EXPECT_EQ(client_.post("/demo/events", entry(number, "n" + std::to_string(number))).status, 201);
    }
    for (int number = 1; number <= 5; ++number) {
      EXPECT_EQ(client_.put(url_of(number), entry(number, "revised")).status, 200);
      EXPECT_EQ(client_.remove(url_of(number + 10)).status, 204);
    }
  }

  static std::string entry(int number, const std::string& text) {
    return "<a:entry xmlns:a='http://www.w3.org/2005/Atom' xmlns:x='urn:x' xmlns:unused='urn:u'><!-- a comment -->"
           "<a:id>urn:x:" +
           std::to_string(number) +
           "</a:id><a:title type='text'>t &amp; u</a:title><a:content type='application/xml'>" +
           "<x:y b='2' a='x:qname'>" + text + "<z xmlns=''/></x:y></a:content></a:entry>";
  }
  static std::string url_of(int number) { return "/demo/events/entries/urn:x:" + std::to_string(number); }
  Ran verify(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"verify", server_.url() + "/demo/events", "--state", state_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_courant(arguments);
  }
  // Both pages are closed, as they are soon, though nobody asks for them.
  void wait_for_pages() {
    constexpr sql::Query kPages{"test.pages", "select count(*) from archive_pages"};
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (session_.run(kPages)[0].integer(0) < 2 && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
    EXPECT_EQ(session_.run(kPages)[0].integer(0), 2);
  }
  // Changes what is stored behind the server's back; stored pages are rendered anew, none of them from what was before.
  void tamper(const std::string& statement) {
    wait_for_pages();
    session_.execute_script(statement + "; delete from archive_pages");
    server_.kill_and_restart();  // it may have pages of before in memory
  }

  const std::string state_ = scratch("verified/state.json");
  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
  sql::Session session_{database_.url()};
};

TEST_F(AuditTest, AnHonestFeedVerifiesAndIsRemembered) {
  const Ran first = verify();
  EXPECT_EQ(first.status, 0) << first.output;
  EXPECT_THAT(first.output, HasSubstr("verifies: positions 1 to 60, 0 of them redacted\nchain after 60: "));
  EXPECT_EQ(client_.post("/demo/events", entry(61, "more")).status, 201);
  const Ran second = verify();
  EXPECT_EQ(second.status, 0) << second.output;
  EXPECT_THAT(second.output, HasSubstr("history is what it was when position 60 was verified"));
  EXPECT_THAT(second.output,
              HasSubstr("chain after 61: " +
                        client_.get("/demo/events/archive")
                            .body.substr(client_.get("/demo/events/archive").body.find("\"chain\": \"") + 10, 64)));
}

// As from a timer for each feed: none forgets what others remember.
TEST_F(AuditTest, RunsAtTheSameTimeShareWhatIsRemembered) {
  constexpr int kFeeds = 8;
  std::vector<std::unique_ptr<Process>> runs;
  for (int feed = 1; feed <= kFeeds; ++feed) {
    const std::string path = "/demo/f" + std::to_string(feed);
    ASSERT_EQ(client_.post(path, entry(1, "x")).status, 201);
    const std::vector<std::string> arguments = {courant_program(), "verify", server_.url() + path, "--state", state_};
    runs.push_back(std::make_unique<Process>(arguments, scratch("verify-" + std::to_string(feed) + ".txt")));
  }
  for (const auto& run : runs) EXPECT_EQ(run->wait(), 0);
  EXPECT_EQ(json::parse(std::ifstream(state_)).size(), std::size_t{kFeeds});
}

TEST_F(AuditTest, AnEmptyFeedVerifies) {
  ASSERT_EQ(client_.post("/demo/other", entry(1, "x")).status, 201);
  session_.execute_script(
      "delete from entries where id = 'urn:x:1' and feed = (select max(feed) from feeds where name = "
      "'other') and lane = (select lane from feeds where name = 'other')");
  const Ran ran = run_courant({"verify", server_.url() + "/demo/other", "--state", state_});
  EXPECT_EQ(ran.status, 0) << ran.output;
}

TEST_F(AuditTest, AForgedEntryIsNamed) {
  tamper("update entries set xml = replace(xml, 'n7', 'nX') where position = 7");
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("the content at position 7 is not what its leaf was made of"));
}

TEST_F(AuditTest, AForgedEntryWithAFreshLeafBreaksTheChain) {
  tamper(
      "update entries set xml = e.xml, salt = e.salt, leaf = e.leaf from entries e "
      "where entries.position = 7 and e.position = 8");
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output,
              HasSubstr("archive/1: the document's chain value at position 25 is not what its entries give"));
}

TEST_F(AuditTest, ADroppedEntryIsNamed) {
  tamper("delete from entries where position = 55");
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("position 55 is missing"));
}

TEST_F(AuditTest, ReorderedEntriesAreNoticed) {
  tamper(
      "update entries set position = 1000 where position = 3; update entries set position = 3 where position = 4; "
      "update entries set position = 4 where position = 1000");
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("the document's chain value at position 25"));
}

TEST_F(AuditTest, APageThatIsNotTheListedOneIsNoticed) {
  ASSERT_EQ(verify().status, 0);
  session_.execute_script("update archive_pages set sha256 = sha256('x') where page = 2");
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("/archive/2 is not the document whose digest the index lists"));
}

// Whoever owns the database can compute everything anew; only a reader who remembers can tell.
TEST_F(AuditTest, HistoryThatWasWrittenAnewIsNoticedByWhoRemembers) {
  ASSERT_EQ(verify().status, 0);
  tamper(
      "create function forge() returns void language plpgsql as $$ declare c bytea := decode(repeat('00', 32), 'hex'); "
      "r record; begin for r in select * from entries order by position loop "
      "if r.position = 9 then r.leaf := (select leaf from entries where position = 10); "
      "update entries e set xml = o.xml, salt = o.salt, leaf = o.leaf from entries o where e.position = 9 and "
      "o.position = 10; end if; "
      "c := sha256(c || r.leaf); update entries set chain = c where position = r.position; end loop; end $$; "
      "select forge()");
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("history has changed: at position 60 the chain is not what it was"));
  EXPECT_EQ(verify({"--forget"}).status, 0);
}

TEST_F(AuditTest, AShorterLogThanTheOneVerifiedIsNoticed) {
  ASSERT_EQ(verify().status, 0);
  tamper("delete from entries where position > 52");
  server_.kill_and_restart();
  const Ran ran = verify();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("verified up to position 60 before, and now ends at position 52"));
}

// A run that should have compared does not pass for a first one.
TEST_F(AuditTest, AStateThatCannotBeReadStopsAndStays) {
  EXPECT_EQ(verify().status, 0);
  const std::string feed = server_.url() + "/demo/events";
  for (const std::string& text :
       {std::string("torn {"), std::string("[]"), json{{feed, "x"}}.dump(),
        json{{feed, {{"position", "1"}, {"chain", "c"}}}}.dump(), json{{feed, {{"position", 1}, {"chain", 2}}}}.dump(),
        json{{feed, {{"position", 1}}}}.dump(),
        json{{feed, {{"position", 1}, {"chain", "c"}, {"generation", nullptr}}}}.dump()}) {
    std::ofstream(state_, std::ios::trunc) << text;
    const Ran ran = verify();
    EXPECT_EQ(ran.status, 2) << text;
    EXPECT_THAT(ran.output, HasSubstr(state_ + " is not what this command writes")) << text;
    EXPECT_EQ(contents_of(state_), text);
  }
  const std::string folder = scratch("verified/folder.json");
  std::filesystem::create_directories(folder);
  const Ran unreadable = run_courant({"verify", feed, "--state", folder});
  EXPECT_EQ(unreadable.status, 2);
  EXPECT_THAT(unreadable.output, HasSubstr(folder + " cannot be read: Is a directory"));
}

TEST_F(AuditTest, WhatIsNoFeedOfOursIsSaid) {
  const Ran ran = run_courant({"verify", server_.url() + "/demo/nothing", "--state", state_});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.output, HasSubstr("not verified: " + server_.url() + "/demo/nothing/archive cannot be read: 404"));
}

// docs/AUDIT.md is enough to write a verifier: tests/support/second_verifier.py has nothing else.
TEST_F(AuditTest, ASecondVerifierComesToTheSameChain) {
  const Ran ran = run_command(
      {"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/second_verifier.py", server_.url() + "/demo/events"});
  EXPECT_EQ(ran.status, 0) << ran.output;
  const json index = json::parse(client_.get("/demo/events/archive").body);
  const std::string chain = index["pages"][1]["chain"];
  EXPECT_EQ(ran.output, "50 " + chain + "\n");
  tamper("update entries set xml = replace(xml, 'n7', 'nX') where position = 7");
  EXPECT_THAT(run_command({"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/second_verifier.py",
                           server_.url() + "/demo/events"})
                  .output,
              HasSubstr("position 7 is not what its leaf was made of"));
}

// What the log does not cover is shown by nobody but a forger.
TEST_F(AuditTest, AnEntryThatStandsInNoLogIsNoticedByBothVerifiers) {
  std::atomic<bool> is_forged = false;
  // The server as somebody between it and its readers hands it on.
  Sink forger([&](const SinkRequest& request) {
    Reply reply = HttpClient(server_.port()).get(request.target);
    const auto as_ours = [&](std::string text) {
      const std::string own = server_.url();
      const std::string forged = "http://" + *request.header("Host");
      for (std::size_t at = text.find(own); at != std::string::npos; at = text.find(own, at + 1)) {
        text.replace(at, own.size(), forged);
      }
      const std::size_t end = text.rfind("</feed>");
      if (is_forged && end != std::string::npos) text.insert(end, "<entry><id>urn:x:forged</id></entry>");
      return text;
    };
    if (request.target == "/demo/events/archive") {
      json index = json::parse(reply.body);
      for (json& page : index["pages"]) {
        const std::string url = page["url"];
        const Reply listed = HttpClient(server_.port()).get(url.substr(server_.url().size()));
        page["sha256"] = to_hex(bytes_of(sha256(as_ours(listed.body))));
      }
      reply.body = index.dump();
    }
    return SinkReply{.status = reply.status, .body = as_ours(reply.body)};
  });
  const auto verify_there = [&] {
    return run_courant({"verify", forger.url("/demo/events"), "--state", state_, "--forget"});
  };
  const auto verify_otherwise = [&] {
    return run_command(
        {"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/second_verifier.py", forger.url("/demo/events")});
  };
  const Ran honest = verify_there();
  EXPECT_EQ(honest.status, 0) << honest.output;
  const Ran honest_otherwise = verify_otherwise();
  EXPECT_EQ(honest_otherwise.status, 0) << honest_otherwise.output;
  is_forged = true;
  const Ran forged = verify_there();
  EXPECT_EQ(forged.status, 1);
  EXPECT_THAT(forged.output, HasSubstr("archive/1: an element entry carries no c:log"));
  EXPECT_THAT(verify_otherwise().output, HasSubstr("carries no c:log"));
}

TEST_F(AuditTest, TheIndexListsEveryPageInPieces) {
  json index = json::parse(client_.get("/demo/events/archive?limit=1").body);
  EXPECT_EQ(index["feed"], server_.url() + "/demo/events");
  EXPECT_EQ(index["generation"], 1);
  EXPECT_EQ(index["page_size"], 25);
  EXPECT_EQ(index["complete_pages"], 2);
  EXPECT_EQ(index["head"], 60);
  ASSERT_EQ(index["pages"].size(), 1U);
  EXPECT_EQ(index["pages"][0]["last_position"], 25);
  EXPECT_EQ(index["pages"][0]["sha256"], to_hex(bytes_of(sha256(client_.get("/demo/events/archive/1").body))));
  const std::string next = index["next"];
  EXPECT_EQ(next, server_.url() + "/demo/events/archive?from=2&limit=1");
  index = json::parse(client_.get(next.substr(server_.url().size())).body);
  EXPECT_EQ(index["pages"][0]["page"], 2);
  EXPECT_TRUE(index["next"].is_null());
  const Reply same = client_.get("/demo/events/archive");
  EXPECT_EQ(client_.get("/demo/events/archive", "If-None-Match: " + same.header("ETag") + "\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events/archive?limit=1001").status, 400);
  EXPECT_EQ(client_.get("/demo/events/archive?from=x").status, 400);
}

// What an entry that was copied from a Courant feed carries is not taken for our own marks.
TEST_F(AuditTest, MarksThatAClientSendsAreDropped) {
  const Reply served = client_.get(url_of(20));
  ASSERT_EQ(client_.post("/demo/copy", served.body).status, 201);
  const Reply copied = client_.get("/demo/copy/entries/urn:x:20");
  EXPECT_EQ(copied.body.find("urn:courant:log:1"), copied.body.rfind("urn:courant:log:1")) << copied.body;
  EXPECT_EQ(client_.post("/demo/copy", served.body).status, 200) << "a mark is no content";
}

// Pages are closed as soon as they are complete, though nobody asks for them.
TEST_F(AuditTest, PagesAreClosedAheadOfTheirReaders) {
  wait_for_pages();
}

// The bytes of a page stay, whatever the feed is called and wherever it is served from then on.
TEST_F(AuditTest, StoredPagesAreTheSameBytesForEver) {
  const Reply before = client_.get("/demo/events/archive/1");
  const Reply packed = client_.get("/demo/events/archive/1", "Accept-Encoding: gzip\r\n");
  ASSERT_EQ(before.status, 200);
  server_.process().signal(SIGTERM);
  server_.process().wait();
  const std::string config = scratch("renamed.toml");
  std::ofstream(config) << "[[workspaces]]\nname = 'demo'\ntitle = 'Another'\nauto_create = true\nauthor = 'Else'\n"
                           "[[workspaces.feeds]]\nname = 'events'\ntitle = 'Renamed'\n";
  CourantServer other({"--database", database_.url(), "--config", config, "--public-url", "http://127.0.0.1:1/else"});
  HttpClient client(other.port());
  EXPECT_THAT(client.get("/else/demo/events").body + client.get("/demo/events").body, HasSubstr("Renamed"));
  const Reply after = client.get("/demo/events/archive/1");
  EXPECT_EQ(after.body, before.body);
  EXPECT_EQ(after.header("ETag"), before.header("ETag"));
  EXPECT_EQ(after.header("Repr-Digest"), before.header("Repr-Digest"));
  EXPECT_EQ(client.get("/demo/events/archive/1", "Accept-Encoding: gzip\r\n").body, packed.body);
}

}  // namespace
}  // namespace courant::test::audit_test
