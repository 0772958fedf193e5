// PostgreSQL is frozen: all of its processes are stopped, as when its disk hangs or its machine is paused. It keeps its
// connections, takes new ones (the kernel does) and answers nothing.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/wait_until.h"

namespace courant::test::frozen_database_test {
namespace {

// Those of a private cluster, so that no other test waits for a lock that one of them holds.
class PostgresProcesses {
 public:
  explicit PostgresProcesses(const std::string& data) {
    std::ifstream(data + "/postgres/cluster/postmaster.pid") >> postmaster_;
  }
  ~PostgresProcesses() { thaw(); }
  PostgresProcesses(const PostgresProcesses&) = delete;
  PostgresProcesses& operator=(const PostgresProcesses&) = delete;

  // Its parent first, so that no more of them come.
  void freeze() {
    ASSERT_GT(postmaster_, 1);
    stop(postmaster_);
    const std::string task = "/proc/" + std::to_string(postmaster_) + "/task/" + std::to_string(postmaster_);
    std::ifstream children(task + "/children");
    for (int child = 0; children >> child;) stop(child);
    ASSERT_GT(stopped_.size(), 5U);
  }

  void thaw() {
    for (const int process : stopped_) ::kill(process, SIGCONT);
    stopped_.clear();
  }

 private:
  void stop(int process) {
    ASSERT_EQ(::kill(process, SIGSTOP), 0);
    stopped_.push_back(process);
  }

  int postmaster_ = 0;
  std::vector<int> stopped_;
};

std::string entry(const std::string& id) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>t</title><content>c</content></entry>";
}

class FrozenDatabaseTest : public testing::TestWithParam<int> {
 protected:
  static constexpr int kFeeds = 5;

  static std::string feed(int number) { return "/demo/f" + std::to_string(number % kFeeds); }

  std::string written_config() const {
    const std::string path = scratch("frozen.toml");
    std::ofstream(path) << "[server]\nprocesses = " << GetParam()
                        << "\n[database]\nanswer_timeout = \"2s\"\n[hub]\ncallback_allow = [\"127.0.0.0/8\"]\n"
                           "lease_min = \"1s\"\nretry = [\"0s\", \"100ms\", \"200ms\"]\n"
                           "[[workspaces]]\nname = \"demo\"\ntitle = \"Demo\"\nauto_create = true\n";
    return path;
  }

  // As a publisher does it: again, until the server says that it is stored.
  void publish(int feed_number, const std::string& id) {
    HttpClient client(server_.port());
    Reply reply;
    ASSERT_TRUE(wait_until([&] {
      reply = client.post(feed(feed_number), entry(id));
      return reply.status == 201 || reply.status == 200;
    })) << reply.status;
  }

  // The positions of a feed, from its beginning; empty where it is not answered.
  std::vector<std::string> positions_of(int feed_number) {
    std::vector<std::string> found;
    const Reply page = HttpClient(server_.port()).get(feed(feed_number) + "?marker=0&direction=forward&limit=100");
    const std::string marker = "<c:log xmlns:c=\"urn:courant:log:1\" position=\"";
    for (std::size_t at = page.body.find(marker); at != std::string::npos; at = page.body.find(marker, at)) {
      at += marker.size();
      found.push_back(page.body.substr(at, page.body.find('"', at) - at));
    }
    std::reverse(found.begin(), found.end());  // the newest stands first
    return found;
  }

  const DataFolder folder_;
  CourantServer server_{{"--data", folder_.path(), "--config", written_config()}};
};

TEST_P(FrozenDatabaseTest, EverybodyIsToldToComeBackAndFindsAllThatWasAcceptedOnce) {
  constexpr int kBefore = 20;
  constexpr int kClients = 60;  // several for each connection to the database
  for (int number = 0; number < kBefore; ++number) publish(number, "urn:before:" + std::to_string(number));
  Subscriber subscriber;
  const std::string topic = server_.url() + feed(0);
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.verifications().empty(); }));
  publish(0, "urn:pushed:1");
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));

  PostgresProcesses postgres(folder_.path());
  ASSERT_NO_FATAL_FAILURE(postgres.freeze());
  std::atomic<int> told_to_come_back = 0;
  std::vector<std::thread> clients;
  for (int number = 0; number < kClients; ++number) {
    clients.emplace_back([&, number] {
      HttpClient client(server_.port());
      const std::string limit = "?marker=0&direction=forward&limit=" + std::to_string(number % 30 + 1);
      const Reply reply = number % 4 == 0   ? client.get(feed(number) + limit)
                          : number % 4 == 1 ? client.get(feed(number) + limit, "Accept: text/html\r\n")
                          : number % 4 == 2 ? client.get(feed(number) + "/entries/urn:before:" + std::to_string(number))
                                            : client.post(feed(number), entry("urn:x:" + std::to_string(number)));
      EXPECT_EQ(reply.status, 503) << number << reply.body;
      EXPECT_NE(reply.header("Retry-After"), "") << number << reply.head;
      if (reply.status == 503) ++told_to_come_back;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(told_to_come_back, kClients);

  postgres.thaw();
  std::vector<int> expected(kFeeds, 0);
  for (int number = 0; number < kBefore; ++number) ++expected[static_cast<std::size_t>(number % kFeeds)];
  ++expected[0];
  for (int number = 3; number < kClients; number += 4) {
    publish(number, "urn:x:" + std::to_string(number));
    ++expected[static_cast<std::size_t>(number % kFeeds)];
  }
  for (int number = 0; number < kFeeds; ++number) {
    std::vector<std::string> dense;
    for (int position = 1; position <= expected[static_cast<std::size_t>(number)]; ++position)
      dense.push_back(std::to_string(position));
    EXPECT_TRUE(wait_until([&] { return positions_of(number) == dense; })) << number;
  }
  EXPECT_EQ(HttpClient(server_.port()).get(feed(1), "Accept: text/html\r\n").status, 200);
  // The hub has its shards and goes on from its cursor.
  EXPECT_TRUE(subscriber.wait_until([&] {
    const std::vector<int> pushed = subscriber.positions();
    return std::set<int>(pushed.begin(), pushed.end()).contains(expected[0]);
  }));
}

INSTANTIATE_TEST_SUITE_P(Processes, FrozenDatabaseTest, testing::Values(1, 2));

}  // namespace
}  // namespace courant::test::frozen_database_test
