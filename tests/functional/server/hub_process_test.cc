// `courant hub`: processes that push and nothing else.
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/any_query.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::hub_process_test {
namespace {

using testing::HasSubstr;

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

class HubProcessTest : public testing::Test {
 protected:
  HubProcessTest() : config_(scratch("hub_process.toml")), key_(scratch("hub_process.key")) {
    std::ofstream(key_) << std::string(64, 'a') << "\n";
    std::ofstream(config_) << "[server]\npublic_url = 'http://127.0.0.1:" << port_ << "'\noperations = ''\n"
                           << "[hub]\ndeliver = false\ncallback_allow = ['127.0.0.0/8']\nretry = ['0s', '100ms']\n"
                           << "secrets_key = '" << key_ << "'\n"
                           << "[[workspaces]]\nname = 'demo'\nauto_create = true\n";
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", config_}, port_);
  }

  std::unique_ptr<Process> start_hub() {
    return std::make_unique<Process>(
        std::vector<std::string>{courant_program(), "hub", "--database", database_.url(), "--config", config_},
        hub_log_);
  }
  void publish(int number) { ASSERT_EQ(HttpClient(server_->port()).post("/demo/events", entry(number)).status, 201); }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  std::string topic() const { return server_->url() + "/demo/events"; }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  const int port_ = free_port();
  const std::string config_;
  const std::string key_;
  const std::string hub_log_ = scratch("hub_process.log");
  std::unique_ptr<CourantServer> server_;
};

// The server takes the subscription; whoever pushes has it within seconds, and one that is killed is replaced.
TEST_F(HubProcessTest, PushesWhatTheServerTakes) {
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(*server_, "subscribe", topic(), "&hub.secret=shh"), 202);
  EXPECT_EQ(number_of("select count(*) from hub_requests"), 1) << "nobody asks the callback yet";
  EXPECT_EQ(number_of("select count(*) from hub_shards where owner <> ''"), 0);

  const auto first = start_hub();
  ASSERT_TRUE(subscriber.wait_until([&] { return number_of("select count(*) from subscriptions") == 1; }));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{2}; }));
  EXPECT_NE(subscriber.deliveries()[0].header("X-Hub-Signature"), std::nullopt);

  first->signal(SIGKILL);
  first->wait();
  publish(3);
  const auto second = start_hub();
  ASSERT_TRUE(
      subscriber.wait_until([&] { return !subscriber.positions().empty() && subscriber.positions().back() == 3; }));
  second->signal(SIGTERM);
  EXPECT_EQ(second->wait(), 0);
  EXPECT_EQ(number_of("select count(*) from hub_shards where owner <> ''"), 0) << "handed over";
}

// Servers are taken over from; of these each is restarted while the others push.
TEST_F(HubProcessTest, TheSignalForASuccessorLeavesItAsItIs) {
  const auto hub = start_hub();
  publish(1);
  Subscriber subscriber;
  ASSERT_EQ(subscriber.ask(*server_, "subscribe", topic()), 202);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from subscriptions") == 1; }));
  hub->signal(SIGUSR2);
  ASSERT_TRUE(wait_until([&] { return contents_of(hub_log_).find("restarted") != std::string::npos; }));
  EXPECT_EQ(contents_of(hub_log_).find("a successor has been started"), std::string::npos);
  publish(2);
  EXPECT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{2}; }));
}

TEST_F(HubProcessTest, ManyShareTheSubscriptions) {
  const auto first = start_hub();
  const auto second = start_hub();
  ASSERT_TRUE(
      wait_until([&] { return number_of("select count(distinct owner) from hub_shards where owner <> ''") == 2; }));
  publish(1);
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (int i = 0; i < 6; ++i) {
    subscribers.push_back(std::make_unique<Subscriber>());
    ASSERT_EQ(subscribers.back()->ask(*server_, "subscribe", topic()), 202);
  }
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from subscriptions") == 6; }));
  publish(2);
  for (const auto& subscriber : subscribers) {
    ASSERT_TRUE(subscriber->wait_until([&] { return subscriber->positions() == std::vector<int>{2}; }));
  }
}

// What is asked for on the page, which the server answers, is done by whoever pushes.
TEST_F(HubProcessTest, TakesUpWhatSubscribersAskTheServerFor) {
  const auto hub = start_hub();
  publish(1);
  Subscriber paused, other;
  for (const Subscriber* const one : {&paused, &other}) ASSERT_EQ(one->ask(*server_, "subscribe", topic()), 202);
  ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from subscriptions") == 2; }));
  const std::string url = paused.verifications().at(0).header("Subscription-Page").value_or("");
  ASSERT_TRUE(url.starts_with(server_->url() + "/hub/s/"));
  const auto ask = [&](const std::string& action) {
    HttpClient client(server_->port());
    ASSERT_EQ(client
                  .post(url.substr(server_->url().size()), "action=" + action,
                        "Content-Type: application/x-www-form-urlencoded\r\n")
                  .status,
              200);
    ASSERT_TRUE(wait_until([&] { return number_of("select count(*) from hub_changes") == 0; }));
  };
  ask("pause");
  publish(2);
  ASSERT_TRUE(other.wait_until([&] { return other.positions() == std::vector<int>{2}; }));
  EXPECT_TRUE(paused.deliveries().empty());
  ask("resume");
  EXPECT_TRUE(paused.wait_until([&] { return paused.positions() == std::vector<int>{2}; }));
}

TEST_F(HubProcessTest, SaysWhenThereIsNoHub) {
  const std::string off = scratch("hub_off.toml");
  std::ofstream(off) << "[hub]\nenabled = false\n";
  const std::string log = scratch("hub_off.log");
  Process process({courant_program(), "hub", "--database", database_.url(), "--config", off}, log);
  EXPECT_EQ(process.wait(), 1);
  EXPECT_THAT(contents_of(log), HasSubstr("hub.enabled = true"));
}

}  // namespace
}  // namespace courant::test::hub_process_test
