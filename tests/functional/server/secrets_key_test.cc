// courant rotate-secrets-key: another key for what the database keeps sealed, while servers run.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernel/digest.h"
#include "kernel/durable_files.h"
#include "tests/support/any_query.h"
#include "tests/support/background.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/tls_client.h"
#include "tests/support/wait_until.h"

namespace courant::test::secrets_key_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";

// A subscriber that takes nothing that is not signed with its secret.
struct Checking {
  explicit Checking(std::string the_secret, std::function<void()> before_yes = nullptr)
      : secret(std::move(the_secret)),
        subscriber([this](const SinkRequest& request) { return judge(request); }, std::move(before_yes)) {}

  SinkReply judge(const SinkRequest& request) {
    const std::string wanted = "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, secret, request.body));
    if (request.header("X-Hub-Signature") != wanted) ++wrong;
    last = std::stoi(request.header("Feed-Position").value_or("0"));
    return {.status = 204};
  }
  // Everything up to a position has come, and nothing is missing between the first and that.
  bool has_all(int upto) const {
    int next = 0;
    for (const int position : subscriber.positions()) {
      if (next != 0 && position > next) return false;
      next = std::max(next, position + 1);
    }
    return next == upto + 1;
  }

  const std::string secret;
  std::atomic<int> wrong{0};
  std::atomic<int> last{0};  // Feed-Position
  Subscriber subscriber;
};

class SecretsKeyTest : public testing::Test {
 protected:
  SecretsKeyTest() : config_(scratch("secrets_key.toml")), key_(scratch("secrets_key.key")) {
    std::filesystem::remove(key_);
    std::ofstream(config_) << "[server]\npublic_url = 'http://127.0.0.1:" << port_ << "'\noperations = ''\n"
                           << "[hub]\ncallback_allow = ['127.0.0.0/8']\nretry = ['0s', '100ms']\n"
                           << "secrets_key = '" << key_ << "'\n"
                           << "[[workspaces]]\nname = 'demo'\nauto_create = true\n";
    one_ = std::make_unique<CourantServer>(source(), port_);
  }

  std::vector<std::string> source() const { return {"--database", database_.url(), "--config", config_}; }
  void publish() {
    const std::string number = std::to_string(++published_);
    ASSERT_EQ(HttpClient(port_)
                  .post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + number +
                                            "</id><title>t</title><content>c</content></entry>")
                  .status,
              201);
  }
  void subscribe(const Checking& one, const CourantServer& server) {
    ASSERT_EQ(one.subscriber.ask(server, "subscribe", topic(), "&hub.secret=" + one.secret), 202);
    ASSERT_TRUE(one.subscriber.wait_until([&] { return is_subscribed(one); }));
  }
  bool is_subscribed(const Checking& one) {
    return number_of("select count(*) from subscriptions where callback = '" + one.subscriber.callback() + "'") == 1;
  }
  std::string page_of(const Checking& one) const {
    const std::string url = one.subscriber.verifications().at(0).header("Subscription-Page").value_or("");
    return url.substr(url.find("/hub/s/"));
  }
  Ran rotate(const std::string& flag = "--config") {
    std::vector<std::string> arguments = {"rotate-secrets-key", "--database", database_.url(), "--config", config_};
    if (flag != "--config") arguments.push_back(flag);
    return run_courant(arguments);
  }
  std::string key_file() const { return read_file(key_); }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  std::string topic() const { return "http://127.0.0.1:" + std::to_string(port_) + "/demo/events"; }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  const int port_ = free_port();
  const std::string config_;
  const std::string key_;
  std::atomic<int> published_{0};
  std::unique_ptr<CourantServer> one_;
};

// Two servers deliver all the time; subscribers see no document whose signature is wrong, and miss none.
TEST_F(SecretsKeyTest, IsRotatedWhileServersServe) {
  CourantServer two(source());
  ASSERT_TRUE(
      wait_until([&] { return number_of("select count(distinct owner) from hub_shards where owner <> ''") == 2; }));
  publish();
  std::vector<std::unique_ptr<Checking>> all;
  for (const char* const secret : {"first", "second", "third", "fourth"}) {
    all.push_back(std::make_unique<Checking>(secret));
    subscribe(*all.back(), *one_);
  }
  // One has a secret from before that signs, and one waits to be verified.
  ASSERT_EQ(HttpClient(port_).post(page_of(*all[0]), "action=secret&secret=next&overlap_seconds=3600", kForm).status,
            200);
  Gate gate;
  Checking waiting("waits", [&] { gate.wait(); });
  const GateOpener opener{gate};
  ASSERT_EQ(waiting.subscriber.ask(*one_, "subscribe", topic(), "&hub.secret=waits"), 202);
  const std::string old_key = key_file();
  ASSERT_EQ(old_key.size(), 65U);

  Background publisher([&] {
    publish();
    EXPECT_TRUE(wait_until([&] { return all[3]->last >= published_; }));
  });
  ASSERT_TRUE(all[3]->subscriber.wait_until([&] { return all[3]->subscriber.deliveries().size() >= 3; }));
  const Ran rotated = rotate();
  EXPECT_EQ(rotated.status, 0) << rotated.output;
  EXPECT_THAT(rotated.output, HasSubstr("6 were sealed again"));
  EXPECT_THAT(rotated.output, HasSubstr("--drop-old"));
  EXPECT_TRUE(key_file().ends_with("\n" + old_key)) << "the new one stands first";

  gate.open();
  ASSERT_TRUE(waiting.subscriber.wait_until([&] { return is_subscribed(waiting); }));
  Checking late("late");
  subscribe(late, two);
  const Ran dropped = rotate("--drop-old");
  EXPECT_EQ(dropped.status, 0) << dropped.output;
  EXPECT_THAT(dropped.output, HasSubstr("Taken out: without an id"));
  EXPECT_THAT(key_file(), testing::Not(HasSubstr(old_key.substr(0, 64))));
  Checking last("last");
  subscribe(last, two);
  publisher.stop();
  EXPECT_EQ(number_of("select count(*) from subscriptions where get_byte(secret, 0) <> 2"), 0);

  two.kill_and_restart();
  one_->kill_and_restart();
  publish();
  for (const Checking* const one : {all[0].get(), all[1].get(), all[2].get(), all[3].get(), &waiting, &late, &last}) {
    EXPECT_TRUE(wait_until([&] { return one->last == published_; })) << one->secret;
    EXPECT_TRUE(one->has_all(published_)) << one->secret;
    EXPECT_EQ(one->wrong, 0) << one->secret;
  }
}

// POST /-/manage/keys/rotation, of whoever manages all: nobody is asked here.
TEST_F(SecretsKeyTest, IsRotatedThroughTheApi) {
  publish();
  Checking one("shh");
  subscribe(one, *one_);
  const auto ask = [&](const json& body) {
    return HttpClient(port_).post("/-/manage/keys/rotation", body.dump(), "Content-Type: application/json\r\n");
  };
  const std::string old_key = key_file();
  EXPECT_EQ(ask({{"new_key", true}, {"drop_old", true}}).status, 400);
  EXPECT_EQ(ask({{"drop", true}}).status, 400);
  EXPECT_EQ(ask({{"drop_old", "yes"}}).status, 400);
  const Reply rotated = ask(json::object());
  ASSERT_EQ(rotated.status, 200) << rotated.body;
  EXPECT_EQ(key_file(), json::parse(rotated.body)["key"].get<std::string>() + key_file().substr(8, 66) + old_key);
  EXPECT_EQ(json::parse(rotated.body)["sealed_again"], 1);
  EXPECT_EQ(json::parse(rotated.body)["lost"], 0);
  EXPECT_EQ(json::parse(rotated.body)["older"], json({"without an id"}));
  publish();
  EXPECT_TRUE(one.subscriber.wait_until([&] { return one.has_all(2); }));
  const Reply dropped = ask({{"drop_old", true}});
  ASSERT_EQ(dropped.status, 200) << dropped.body;
  EXPECT_EQ(json::parse(dropped.body)["older"], json::array());
  EXPECT_THAT(key_file(), testing::Not(HasSubstr(old_key.substr(0, 64))));
  publish();
  EXPECT_TRUE(one.subscriber.wait_until([&] { return one.has_all(3); }));
  EXPECT_EQ(one.wrong, 0);
  EXPECT_TRUE(wait_until([&] {
    const std::string audit = HttpClient(port_).get("/_courant/audit?format=cloudevents").body;
    return audit.find("secrets-key-rotated") != std::string::npos && audit.find("anybody at ") != std::string::npos;
  }));

  std::ofstream(key_) << std::string(64, 'b') << "\n";
  const Reply refused = ask(json::object());
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("sealed with another key"));
  EXPECT_EQ(key_file(), std::string(64, 'b') + "\n");
}

// Nothing is sent unsigned, its owner is told why, and all of it comes once the key is there again.
TEST_F(SecretsKeyTest, WhatNeedsAMissingKeyIsHeld) {
  publish();
  Checking one("shh");
  subscribe(one, *one_);
  const std::string old_key = key_file();
  session_.execute_script("create table backup as select subscription, secret from subscriptions");
  ASSERT_EQ(rotate().status, 0);
  ASSERT_EQ(rotate("--drop-old").status, 0);
  session_.execute_script(
      "update subscriptions s set secret = b.secret from backup b where b.subscription = s.subscription");
  one_->kill_and_restart();
  publish();
  publish();
  const auto state = [&] { return json::parse(HttpClient(port_).get(page_of(one)).body); };
  EXPECT_EQ(state()["state"], "no secret");
  EXPECT_THAT(state()["explanation"].get<std::string>(), HasSubstr("set a new one"));
  const Ran without = rotate("--no-new-key");
  EXPECT_EQ(without.status, 1);
  EXPECT_THAT(without.output, HasSubstr("1 secrets stay as they are: their key (without an id)"));
  EXPECT_TRUE(one.subscriber.deliveries().empty());

  std::ofstream(key_, std::ios::app) << old_key;
  EXPECT_TRUE(one.subscriber.wait_until([&] { return one.has_all(3); }));
  EXPECT_EQ(one.wrong, 0);
  EXPECT_TRUE(wait_until([&] { return state()["state"] == "current"; })) << state();
  const Ran again = rotate("--no-new-key");
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("1 were sealed again"));
}

TEST_F(SecretsKeyTest, TheOwnerMaySetAnotherSecretInstead) {
  publish();
  Checking one("new");
  ASSERT_EQ(one.subscriber.ask(*one_, "subscribe", topic(), "&hub.secret=lost"), 202);
  ASSERT_TRUE(one.subscriber.wait_until([&] { return is_subscribed(one); }));
  session_.execute_script("update subscriptions set secret = '\\x0212345678'::bytea || secret");
  one_->kill_and_restart();
  publish();
  const std::string form = "action=secret&secret=new&overlap_seconds=0";
  ASSERT_EQ(HttpClient(port_).post(page_of(one), form, kForm).status, 200);
  EXPECT_TRUE(one.subscriber.wait_until([&] { return one.has_all(2); }));
  EXPECT_EQ(one.wrong, 0);
}

// It would help nobody, and the next backup would keep it in the place of the right one.
TEST_F(SecretsKeyTest, AServerThatCannotStartWithoutTheKeyMakesNone) {
  const std::string missing = scratch("secrets_key_missing.key");
  std::filesystem::remove(missing);
  make_certificate(scratch(""));
  std::string config = read_file(config_);
  config.replace(config.find(key_), key_.size(), missing);
  config.insert(config.find("operations"), "listen_tls = '127.0.0.1:" + std::to_string(free_port()) + "'\n");
  std::ofstream(config_) << config << "[server.tls]\ncertificate = '" << scratch("tls.crt") << "'\nkey = '"
                         << scratch("tls.key") << "'\n";
  for (const std::string processes : {"1", "2"}) {
    const Ran ran =
        run_courant({"serve", "--database", database_.url(), "--config", config_, "--processes", processes, "--data",
                     scratch("secrets_key_missing"), "--listen", "127.0.0.1:" + std::to_string(free_port())});
    EXPECT_EQ(ran.status, 1);
    EXPECT_THAT(ran.output, HasSubstr("sealed with another key"));
    EXPECT_FALSE(std::filesystem::exists(missing)) << processes;
  }
}

TEST_F(SecretsKeyTest, TheFileOfAnotherDatabaseIsNotTouched) {
  const std::string before = key_file();
  const std::string other = scratch("secrets_key_other.key");
  std::ofstream(other) << std::string(64, 'b') << "\n";
  std::string config = read_file(config_);
  config.replace(config.find(key_), key_.size(), other);
  std::ofstream(config_) << config;
  const Ran ran = rotate();
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("sealed with another key"));
  EXPECT_EQ(read_file(other), std::string(64, 'b') + "\n");

  config.replace(config.find(other), other.size(), scratch("secrets_key_none.key"));
  std::ofstream(config_) << config;
  const Ran none = rotate();
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.output, HasSubstr("cannot be read"));
  EXPECT_FALSE(std::filesystem::exists(scratch("secrets_key_none.key"))) << "it makes none";
  EXPECT_EQ(key_file(), before);
}

}  // namespace
}  // namespace courant::test::secrets_key_test
