// SIGHUP: the configuration is read again while the server serves.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tls_client.h"
#include "tests/support/wait_until.h"

namespace courant::test::reload_test {
namespace {

using testing::HasSubstr;
using testing::Not;

const char* const kDemo = "[[workspaces]]\nname = \"demo\"\nauto_create = true\n";
const char* const kDone = "the configuration has been read again";
const char* const kRefused = "the configuration is not taken over: all stays as it was";

std::string entry(const std::string& id, std::size_t length = 1) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id + "</id><title>t</title><content>" +
         std::string(length, 'c') + "</content></entry>";
}

class ReloadTest : public testing::Test {
 protected:
  void write(const std::string& toml) { std::ofstream(file_) << toml; }
  void serve(const std::string& toml, std::vector<std::string> more = {}) {
    write(toml);
    std::vector<std::string> arguments = {"--database", database_.url(), "--config", file_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_ = std::make_unique<CourantServer>(arguments);
  }
  // Sends the signal and gives what is logged from then on until `last` is.
  std::string reload(const std::string& last, int times = 1) {
    const std::size_t before = contents_of(log_).size();
    server_->process().signal(SIGHUP);
    const auto count = [&] {
      const std::string logged = contents_of(log_).substr(before);
      int found = 0;
      for (std::size_t at = logged.find(last); at != std::string::npos; at = logged.find(last, at + 1)) ++found;
      return found;
    };
    EXPECT_TRUE(wait_until([&] { return count() >= times; })) << last;
    return contents_of(log_).substr(before);
  }
  int publish(const std::string& feed, const std::string& body) {
    return HttpClient(server_->port()).post(feed, body).status;
  }

  TestDatabase database_;
  const std::string file_ = scratch("reloaded.toml");
  const std::string log_ = scratch("courant-under-test.log");
  std::unique_ptr<CourantServer> server_;
};

TEST_F(ReloadTest, WorkspacesFeedsAndLimitsHoldFromThenOn) {
  serve(kDemo);
  EXPECT_EQ(publish("/billing/invoices", entry("1")), 404);
  EXPECT_EQ(publish("/demo/events", entry("1", 2000)), 201);
  const auto named = [&](const std::string& host) {
    RawClient client(static_cast<std::uint16_t>(server_->port()));
    client.send("GET /demo/events HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.read_response().substr(9, 3);
  };
  EXPECT_EQ(named("127.9.9.9"), "421");
  write(std::string(kDemo) +
        "title = \"Another title\"\n[[workspaces]]\nname = \"billing\"\n[[workspaces.feeds]]\nname = \"invoices\"\n"
        "[server]\nhosts = [\"127.9.9.9\"]\n[limits]\nmax_entry_bytes = 1024\nmax_batch = 1\n"
        "[hub]\nallow_http = false\n");
  const std::string logged = reload(kDone);
  EXPECT_THAT(logged, HasSubstr("setting=limits.max_entry_bytes"));
  EXPECT_EQ(publish("/billing/invoices", entry("1")), 201);
  EXPECT_EQ(publish("/demo/events", entry("2", 2000)), 413);
  EXPECT_EQ(publish("/demo/events", entry("2")), 201);
  EXPECT_TRUE(wait_until([&] { return named("127.9.9.9") == "200"; }));  // each io thread hears of it by itself
  EXPECT_THAT(HttpClient(server_->port()).get("/").body, HasSubstr("Another title"));
  const std::string form = "hub.mode=subscribe&hub.callback=http%3A%2F%2F127.0.0.1%3A1%2F&hub.topic=";
  const Reply refused =
      HttpClient(server_->port())
          .post("/hub", form + server_->url() + "/demo/events", "Content-Type: application/x-www-form-urlencoded\r\n");
  EXPECT_EQ(refused.status / 100, 4) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("http"));
}

// Such as one that the management API has closed.
TEST_F(ReloadTest, AFileThatDoesNotSaySoOpensNothingThatIsPrivate) {
  const auto read = [&] { return HttpClient(server_->port()).get("/demo").status; };
  serve(std::string(kDemo) + "read = \"private\"\n", {"--access", "tokens"});
  EXPECT_EQ(read(), 401);
  write(kDemo);
  EXPECT_THAT(reload(kDone), HasSubstr("workspace demo is private, which this file does not say, and stays so"));
  EXPECT_EQ(read(), 401);
  write(std::string(kDemo) + "read = \"public\"\n");
  reload(kDone);
  EXPECT_TRUE(wait_until([&] { return read() == 200; }));
}

TEST_F(ReloadTest, WhatCannotChangeIsNamedEachTime) {
  serve(kDemo);
  write(std::string(kDemo) + "[server]\nthreads = 1\nmax_connections = 200\n");
  for (int i = 0; i < 2; ++i) {
    const std::string logged = reload(kDone);
    EXPECT_THAT(logged, HasSubstr("restart the server for it setting=server.threads runs_with=0 file_says=1"));
    EXPECT_EQ(logged.find("setting=server.max_connections") == std::string::npos, i > 0) << "it has been taken over";
  }
}

TEST_F(ReloadTest, ABrokenFileChangesNothing) {
  serve(kDemo);
  write(
      "[limits]\nmax_entry_bytes = 1024\nmax_batch = \"many\"\n[[workspaces]]\nname = \"other\"\nauto_create = true\n");
  const std::string logged = reload(kRefused);
  EXPECT_THAT(logged, HasSubstr("line=3 why=\"limits.max_batch must be a whole number\""));
  EXPECT_THAT(logged, Not(HasSubstr(kDone)));
  EXPECT_EQ(publish("/demo/events", entry("1", 2000)), 201);
  EXPECT_EQ(publish("/other/events", entry("1")), 404);
  // What the database refuses, too: the page size of a feed that exists.
  write(std::string(kDemo) +
        "[[workspaces.feeds]]\nname = \"events\"\npage_size = 7\n[limits]\nmax_entry_bytes = 1024\n");
  EXPECT_THAT(reload(kRefused), HasSubstr("has page_size 25, which cannot become 7"));
  EXPECT_EQ(publish("/demo/events", entry("2", 2000)), 201);
  std::filesystem::remove(file_);
  reload(kRefused);
  EXPECT_EQ(publish("/demo/events", entry("3")), 201);
}

TEST_F(ReloadTest, TheCommandLineStillWins) {
  serve(kDemo, {"--public-url", "http://localhost"});
  write(std::string(kDemo) + "[server]\npublic_url = \"http://elsewhere.example\"\n");
  EXPECT_THAT(reload(kDone), Not(HasSubstr("public_url")));
}

TEST_F(ReloadTest, ALogLevelHoldsFromThenOn) {
  serve(kDemo);
  write(std::string(kDemo) + "[log]\nlevel = \"warning\"\n[server]\nthreads = 1\n");
  EXPECT_THAT(reload("restart the server"), Not(HasSubstr("read again")));
  write(kDemo);
  reload(kDone);
}

TEST_F(ReloadTest, AnotherCertificateInAnotherFile) {
  const int tls_port = free_port();
  make_certificate(scratch(""), "first");
  make_certificate(scratch(""), "second");
  const auto config = [&](const std::string& name) {
    return "[server]\nlisten_tls = [\"127.0.0.1:" + std::to_string(tls_port) + "\"]\n[server.tls]\ncertificate = \"" +
           scratch(name + ".crt") + "\"\nkey = \"" + scratch(name + ".key") + "\"\n" + kDemo;
  };
  serve(config("first"));
  const auto serial = [&] { return TlsClient(static_cast<std::uint16_t>(tls_port)).serial(); };
  const std::string first = serial();
  write(config("second"));
  reload(kDone);
  EXPECT_NE(serial(), first);
  write(config("third") + "[[workspaces]]\nname = \"other\"\nauto_create = true\n");
  EXPECT_THAT(reload(kDone), HasSubstr("the one before stays"));
  EXPECT_NE(serial(), first);
  EXPECT_EQ(publish("/other/events", entry("1")), 201) << "the rest is taken over";
}

TEST_F(ReloadTest, EachOfSeveralProcessesReadsItAgain) {
  serve(kDemo, {"--processes", "2"});
  ASSERT_TRUE(wait_until([&] { return children_of(server_->process().id()).size() == 2; }));
  write(std::string(kDemo) + "[[workspaces]]\nname = \"other\"\nauto_create = true\n");
  reload(kDone, 2);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(publish("/other/events-" + std::to_string(i), entry("1")), 201);
}

TEST_F(ReloadTest, AProcessThatPushesAloneReadsItToo) {
  serve(kDemo);
  const std::string log = scratch("reloaded-hub.log");
  std::ofstream(log).close();
  Process hub({courant_program(), "hub", "--database", database_.url(), "--config", file_, "--data",
               scratch("courant-under-test"), "--operations", ""},
              log);
  ASSERT_TRUE(wait_until([&] { return contents_of(log).find("Courant pushes") != std::string::npos; }));
  write(std::string(kDemo) + "[hub]\ndocument_entries = 10\nin_flight = 20\n");
  hub.signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return contents_of(log).find(kDone) != std::string::npos; }));
  EXPECT_THAT(contents_of(log), HasSubstr("a setting has changed setting=hub.document_entries from=1000 to=10"));
  EXPECT_THAT(contents_of(log), HasSubstr("restart the server for it setting=hub.in_flight"));
  EXPECT_FALSE(hub.ended());
}

TEST_F(ReloadTest, AServerWithoutAFileGoesOn) {
  write("");
  server_ = std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", ""});
  reload(kDone);
  EXPECT_EQ(publish("/demo/events", entry("1")), 201);
}

}  // namespace
}  // namespace courant::test::reload_test
