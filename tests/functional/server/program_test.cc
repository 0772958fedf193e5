#include "tests/support/program.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/scratch.h"
#include "tests/support/sink.h"
#include "tests/support/test_database.h"

namespace courant::test::program_test {
namespace {

// The program's commands beside serve, run as a user runs them.
class ProgramTest : public testing::Test {
 protected:
  static Ran run(std::vector<std::string> arguments) { return run_courant(std::move(arguments)); }
  static std::string file(const std::string& name, const std::string& text) {
    std::string path = scratch(name);
    std::ofstream(path) << text;
    return path;
  }
  static std::string entry(const std::string& id) {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>Title of " + id +
           "</title><content>c</content></entry>";
  }
};

TEST_F(ProgramTest, PublishThenTail) {
  TestDatabase database;
  CourantServer server({"--database", database.url()});
  const std::string feed = server.url() + "/demo/events";
  const std::string one = file("one.xml", entry("urn:x:1"));
  const std::string two = file("two.xml", entry("urn:x:2"));
  const std::string bad = file("bad.xml", "<entry>");

  const Ran published = run({"publish", feed, one, two, one});
  EXPECT_EQ(published.status, 0);
  EXPECT_EQ(published.output, "2 published, 1 stored before, 0 failed\n");

  const Ran refused = run({"publish", feed, bad, "/nowhere.xml"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.output.find("bad.xml was not stored: 422"), std::string::npos) << refused.output;
  EXPECT_NE(refused.output.find("/nowhere.xml cannot be read"), std::string::npos) << refused.output;
  EXPECT_NE(refused.output.find("0 published, 0 stored before, 2 failed\n"), std::string::npos) << refused.output;

  const Ran tailed = run({"tail", feed, "--from", "0", "--count", "2"});
  EXPECT_EQ(tailed.status, 0);
  EXPECT_EQ(tailed.output.find("1  20"), 0U) << tailed.output;
  EXPECT_NE(tailed.output.find("  urn:x:1  Title of urn:x:1\n2  20"), std::string::npos) << tailed.output;
  EXPECT_NE(run({"tail", feed, "--from", "1", "--count", "1", "--xml"}).output.find("<id>urn:x:2</id>"),
            std::string::npos);
  EXPECT_EQ(run({"tail", feed, "--from", "99"}).status, 1) << "a position beyond the head";
}

TEST_F(ProgramTest, CheckConfigSaysEverythingThatIsWrong) {
  const std::string bad = file("bad.toml", "[server]\nlistne = 1\ndrain = 1\n");
  const Ran checked = run({"check-config", bad});
  EXPECT_EQ(checked.status, 1);
  EXPECT_NE(checked.output.find("bad.toml:2:"), std::string::npos) << checked.output;
  EXPECT_NE(checked.output.find("bad.toml:3:"), std::string::npos) << checked.output;
  EXPECT_EQ(run({"check-config", COURANT_SOURCE_DIR "/docs/examples/demo.toml"}).status, 0);
  EXPECT_EQ(run({"serve", "--config", bad}).status, 1);
}

// Part of a file, or nothing, would be another entry.
TEST_F(ProgramTest, WhatCannotBeReadToItsEndIsNotPublished) {
  TestDatabase database;
  CourantServer server({"--database", database.url()});
  const std::string feed = server.url() + "/demo/events";
  const std::string folder = scratch("a-folder.xml");
  std::filesystem::create_directories(folder);
  const Ran ran = run({"publish", feed, folder});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find(folder + " cannot be read: Is a directory\n0 published"), std::string::npos) << ran.output;
  const std::string spool = scratch("spool-of-a-folder");
  const Ran spooled = run({"publish", "--spool", spool, feed, folder});
  EXPECT_EQ(spooled.status, 1);
  EXPECT_NE(spooled.output.find("Is a directory: nothing was spooled\n"), std::string::npos) << spooled.output;
}

TEST_F(ProgramTest, WhatAServerSaysDoesNotSteerTheTerminal) {
  Sink sink([](const SinkRequest& request) {
    if (request.method == "POST")
      return SinkReply{.status = 422, .body = R"({"detail": "bad \u001b[2J \u009b31m\ncourant: all is well"})"};
    return SinkReply{.status = 200,
                     .headers = {{"Feed-Position", "1"}},
                     .body =
                         "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>urn:x:1</id><title>a\x1b]0;t\x07 "
                         "\xc2\x9b"
                         "31m&#x7f;</title></entry></feed>"};
  });
  const Ran published = run({"publish", sink.url("/demo/events"), file("entry.xml", entry("urn:x:1"))});
  EXPECT_NE(published.output.find("422: bad ?[2J ?31m?courant: all is well\n"), std::string::npos) << published.output;
  const Ran tailed = run({"tail", "--from", "0", "--count", "1", sink.url("/demo/events")});
  EXPECT_NE(tailed.output.find("a?]0;t? ?31m?\n"), std::string::npos) << tailed.output;
}

TEST_F(ProgramTest, HelpTeaches) {
  for (const char* const command : {"serve", "migrate", "publish", "tail", "check-config", "import"}) {
    EXPECT_NE(run({"--help"}).output.find(command), std::string::npos);
    EXPECT_EQ(run({command, "--help"}).status, 0) << command;
  }
  EXPECT_EQ(run({"--version"}).output.find("courant "), 0U);
  EXPECT_NE(run({"nonsense"}).status, 0);
}

TEST_F(ProgramTest, TheOperatorSeesMetricsAndHealth) {
  TestDatabase database;
  const int operations = free_port();
  CourantServer server({"--database", database.url(), "--operations", "127.0.0.1:" + std::to_string(operations)});
  HttpClient(server.port()).post("/demo/events", entry("urn:x:1"));
  HttpClient client(operations);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (client.get("/health").status == 503 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  const Reply metrics = client.get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(metrics.body.find("courant_hub_subscriptions{state=\"caught_up\"} 0"), std::string::npos) << metrics.body;
  EXPECT_EQ(client.get("/health").status, 200);
  EXPECT_EQ(client.get("/else").status, 404);
  EXPECT_EQ(client.post("/metrics", "x").status, 405);
  EXPECT_EQ(HttpClient(server.port()).get("/-/health/ready").status, 200);
  EXPECT_EQ(HttpClient(server.port()).get("/metrics").status, 404) << "the public port shows none of it";
}

TEST_F(ProgramTest, ASecondServerOnAPortIsRefused) {
  TestDatabase database;
  CourantServer server({"--database", database.url()});
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  const Ran second = run({"serve", "--database", database.url(), "--data", scratch("courant-under-test"),
                          "--operations", "", "--listen", address});
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.output.find("cannot listen on " + address + ": Address already in use"), std::string::npos)
      << second.output;
}

TEST_F(ProgramTest, TheOperatorsPagesStayOnLoopback) {
  TestDatabase database;
  const Ran started = run({"serve", "--database", database.url(), "--data", scratch("courant-under-test"), "--listen",
                           "127.0.0.1:" + std::to_string(free_port()), "--operations", "0.0.0.0:9"});
  EXPECT_EQ(started.status, 1);
  EXPECT_NE(started.output.find("must be a loopback address"), std::string::npos) << started.output;
}

// Its connection is ended while it waits for a table: before the engine is there, and after.
TEST_F(ProgramTest, ADatabaseThatGoesAwayDuringTheStartIsSaidInASentence) {
  for (const std::string table : {"workspaces", "hub_facts"}) {
    TestDatabase database;
    sql::Session locking(database.url());
    sql::Session session(database.url());
    locking.execute_script("begin; lock table " + table + " in access exclusive mode");
    const std::string log = scratch("start-without-database.txt");
    std::filesystem::remove(log);
    Process server({courant_program(), "serve", "--database", database.url(), "--data", scratch("courant-under-test"),
                    "--operations", "", "--listen", "127.0.0.1:" + std::to_string(free_port())},
                   log);
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    std::optional<int> status;
    int ended = 0;
    while (!(status = server.ended()) && std::chrono::steady_clock::now() < give_up) {
      ended += session
                   .run({"test.end_waiting",
                         "select pg_terminate_backend(pid) from pg_stat_activity "
                         "where datname = current_database() and wait_event_type = 'Lock'"})
                   .size();
    }
    const std::string output = contents_of(log);
    EXPECT_GT(ended, 0) << "nothing waited for " << table;
    EXPECT_EQ(status, 1) << output;
    EXPECT_NE(output.find("courant: the server cannot start: "), std::string::npos) << output;
  }
}

}  // namespace
}  // namespace courant::test::program_test
