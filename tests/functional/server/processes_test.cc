// Several server processes on one database: any client may go to any of them.
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/background.h"
#include "tests/support/courant_server.h"
#include "tests/support/database_relay.h"
#include "tests/support/test_database.h"
#include "tests/support/tls_client.h"
#include "tests/support/wait_until.h"

namespace courant::test::processes_test {
namespace {

using testing::HasSubstr;

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

class ProcessesTest : public testing::Test {
 protected:
  ProcessesTest() : tls_port_(free_port()) {
    make_certificate(scratch(""));
    configure("");
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", scratch("processes.toml")});
  }

  // more: of the workspace.
  void configure(const std::string& more) const {
    std::ofstream(scratch("processes.toml"))
        << "[server]\nlisten_tls = [\"127.0.0.1:" << tls_port_ << "\"]\nprocesses = 3\n"
        << "[server.tls]\ncertificate = \"" << scratch("tls.crt") << "\"\nkey = \"" << scratch("tls.key")
        << "\"\n[[workspaces]]\nname = \"demo\"\nauto_create = true\n"
        << more;
  }

  std::vector<pid_t> servers() { return children_of(server_->process().id()); }
  // Over a connection of its own, which leads to any of them.
  Reply ask(const std::string& target, const std::string& headers = {}) {
    return HttpClient(server_->port()).get(target, headers);
  }

  TestDatabase database_;
  const int tls_port_;
  std::unique_ptr<CourantServer> server_;
};

TEST_F(ProcessesTest, AnyOfThemKnowsTheSameTagsMarkersAndTickets) {
  ASSERT_TRUE(wait_until([&] { return servers().size() == 3; }));
  TlsSession session;
  int resumed = 0;
  for (int i = 1; i <= 40; ++i) {
    const Reply created = HttpClient(server_->port()).post("/demo/events", entry(i));
    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.header("Feed-Position"), std::to_string(i));
    // Whoever has read position i is never shown less, and never told that there is nothing new when there is.
    const std::string behind = "?marker=" + std::to_string(i) + "&direction=backward";
    EXPECT_THAT(ask("/demo/events" + behind).body, HasSubstr("<id>urn:x:" + std::to_string(i) + "</id>"));
    const std::string etag =
        ask("/demo/events", "If-None-Match: \"none." + std::to_string(i) + "\"\r\n").header("ETag");
    EXPECT_EQ(ask("/demo/events", "If-None-Match: " + etag + "\r\n").status, 304) << etag;
    TlsClient client(static_cast<std::uint16_t>(tls_port_), {.resumed = session.get()});
    client.send("GET /demo/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.read_all(), HasSubstr("200 OK"));
    EXPECT_TRUE(client.was_ended());
    if (client.is_resumed()) ++resumed;
    session = client.session();
  }
  EXPECT_EQ(resumed, 39);
}

// Nobody publishes any more; and the janitor is one process's, which may not be the one that reads the file first.
TEST_F(ProcessesTest, WhatAReloadSaysOfRetentionHoldsForFeedsInWhichNothingHappens) {
  const std::string feeds = "page_size = 5\n[[workspaces.feeds]]\nname = \"events\"\n";
  configure(feeds);
  server_->process().signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] { return ask("/demo/events").status == 200; }));
  for (int i = 1; i <= 22; ++i) ASSERT_EQ(HttpClient(server_->port()).post("/demo/events", entry(i)).status, 201);
  ASSERT_TRUE(wait_until([&] { return ask("/demo/events/archive/1").status == 200; }));
  configure(feeds + "retain = \"5 entries\"\n");
  server_->process().signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return ask("/demo/events/archive/1").status == 410; }));
}

TEST_F(ProcessesTest, OneThatDiesIsReplacedAndAllEndTogether) {
  ASSERT_TRUE(wait_until([&] { return servers().size() == 3; }));
  const std::vector<pid_t> before = servers();
  ::kill(before[1], SIGKILL);
  ASSERT_TRUE(wait_until([&] {
    const std::vector<pid_t> now = servers();
    return now.size() == 3 && std::find(now.begin(), now.end(), before[1]) == now.end();
  }));
  EXPECT_TRUE(wait_until([&] { return HttpClient(server_->port()).post("/demo/events", entry(1)).status == 201; }));
  const std::vector<pid_t> now = servers();
  server_->process().signal(SIGTERM);
  EXPECT_EQ(server_->process().wait(), 0);
  for (const pid_t process : now) EXPECT_NE(::kill(process, 0), 0);
}

TEST_F(ProcessesTest, NoneOutlivesTheOneThatStartedThem) {
  ASSERT_TRUE(wait_until([&] { return servers().size() == 3; }));
  const std::vector<pid_t> all = servers();
  ::kill(server_->process().id(), SIGKILL);
  for (const pid_t process : all) {
    EXPECT_TRUE(wait_until([&] { return ::kill(process, 0) != 0; }));
  }
}

// Readers go from one server to the other while what one of them hears of commits is cut, frozen and delayed.
class DeafServerTest : public testing::Test {
 protected:
  DeafServerTest() {
    EXPECT_TRUE(wait_until([&] { return hearing_of_b_.listeners() > 0; }));
  }

  // Publishes through A, and reads each entry through B behind the position before it, while `disturb` goes on.
  void read_behind(const std::function<void()>& disturb) {
    HttpClient publisher(a_.port());
    HttpClient reader(b_.port());
    Background disturbing(disturb);
    std::string etag;
    for (int i = next_; i < next_ + 60; ++i) {
      EXPECT_EQ(publisher.post("/demo/events", entry(i)).status, 201);
      const Reply seen = HttpClient(a_.port()).get("/demo/events");
      // B may be behind what nobody has told it of, for two seconds; what a reader names, it has to know.
      const Reply behind = reader.get("/demo/events?marker=" + std::to_string(i) + "&direction=backward&limit=1");
      EXPECT_THAT(behind.body, HasSubstr("<id>urn:x:" + std::to_string(i) + "</id>")) << behind.status;
      EXPECT_EQ(reader.get("/demo/events", "If-None-Match: " + seen.header("ETag") + "\r\n").status, 304)
          << "the tag says that its reader has seen position " << i;
    }
    next_ += 60;
    disturbing.stop();
    EXPECT_TRUE(wait_until([&] {
      return reader.get("/demo/events?limit=1").body.find("<id>urn:x:" + std::to_string(next_ - 1) + "</id>") !=
             std::string::npos;
    }));
  }

  TestDatabase database_;
  DatabaseRelay hearing_of_b_{database_.url()};
  CourantServer a_{{"--database", database_.url()}};
  CourantServer b_{{"--database", hearing_of_b_.url()}};
  int next_ = 1;
};

// A retry at another server is answered with the position that it has got, and that server shows it from then on.
TEST_F(DeafServerTest, WhoIsToldOfAPositionSeesIt) {
  for (int i = 1; i <= 20; ++i) {
    hearing_of_b_.freeze(DatabaseRelay::kListeners);
    ASSERT_EQ(HttpClient(a_.port()).post("/demo/events", entry(i)).status, 201);
    HttpClient retrying(b_.port());
    const Reply again = retrying.post("/demo/events", entry(i));
    EXPECT_EQ(again.header("Feed-Position"), std::to_string(i)) << again.status;
    EXPECT_EQ(retrying.get("/demo/events").header("Feed-Position"), std::to_string(i));
    hearing_of_b_.thaw();
  }
}

TEST_F(DeafServerTest, WhoNamesAPositionNeverSeesLess) {
  read_behind([] { std::this_thread::yield(); });
  read_behind([&] { hearing_of_b_.cut(DatabaseRelay::kListeners); });  // cut: this connection, and the next one
  hearing_of_b_.freeze(DatabaseRelay::kListeners);
  read_behind([] { std::this_thread::yield(); });  // frozen
  hearing_of_b_.thaw();
  read_behind([&] {  // delayed
    hearing_of_b_.freeze(DatabaseRelay::kListeners);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    hearing_of_b_.thaw();
  });
}

}  // namespace
}  // namespace courant::test::processes_test
