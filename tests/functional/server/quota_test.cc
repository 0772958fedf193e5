// What a workspace may hold: bytes and subscriptions.
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/any_query.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::quota_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kPicture = "Content-Type: image/png\r\n";

std::string entry(int number, std::size_t bytes = 100) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>" + std::string(bytes, 'c') + "</content></entry>";
}

class QuotaTest : public testing::Test {
 protected:
  void write_config(const std::string& settings) const {
    std::ofstream(config_)
        << "[hub]\ncallback_allow = ['127.0.0.0/8']\n[[workspaces]]\nname = 'demo'\nauto_create = true\n"
        << "page_size = 2\naccept = ['application/atom+xml;type=entry', 'image/*']\nredactable = true\n"
        << settings << "\n[[workspaces]]\nname = 'other'\nauto_create = true\n";
  }
  void serve(const std::string& settings) {
    write_config(settings);
    server_ = start();
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  std::unique_ptr<CourantServer> start() const {
    return std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", config_});
  }
  int post(int number, std::size_t bytes = 100) const {
    return client_->post("/demo/events", entry(number, bytes)).status;
  }
  std::int64_t stored() {
    return number_of(session_,
                     "select sum(e.size) from entries e join feeds f using (lane, feed) where f.workspace = 'demo'");
  }
  // As it was counted last.
  std::int64_t counted() {
    return number_of(session_, "select coalesce((select bytes from workspace_bytes where workspace = 'demo'), 0)");
  }
  bool is_counted(std::int64_t bytes) {
    return wait_until([&] { return counted() == bytes; });
  }
  // From now on there is room for nothing more.
  void fill(const std::string& settings = {}) {
    write_config("max_bytes = 1\n" + settings);
    server_->process().signal(SIGHUP);
    int number = 1'000;
    ASSERT_TRUE(wait_until([&] { return post(++number) == 507; }));
  }
  Ran run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--database", database_.url()});
    return run_courant(arguments);
  }

  const std::string config_ = scratch("quota.toml");
  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(QuotaTest, BeyondItNothingMoreIsStoredButInOtherWorkspaces) {
  serve("max_bytes = '4KiB'");
  ASSERT_EQ(post(1, 3000), 201);
  // What the server learns late, it lets in: so the entries may be more than one when it is full.
  Reply refused;
  int number = 1;
  ASSERT_TRUE(wait_until([&] {
    refused = client_->post("/demo/events", entry(++number, 3000));
    return refused.status == 507 &&
           refused.body.find("The workspace demo holds " + std::to_string(stored()) + " bytes") != std::string::npos;
  })) << refused.body;
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_THAT(refused.body, AllOf(HasSubstr("may hold 4096 (max_bytes)"), HasSubstr("retain")));
  EXPECT_EQ(client_->put("/demo/events/entries/urn:x:1", entry(1, 2999)).status, 507);
  EXPECT_EQ(client_->post("/demo/fresh", entry(1, 3000)).status, 507);
  EXPECT_EQ(client_->get("/demo/fresh").status, 404) << "what is refused makes no feed";
  EXPECT_EQ(client_->post("/other/events", entry(1, 3000)).status, 201);
  EXPECT_EQ(client_->get("/demo/events").status, 200);
  EXPECT_EQ(client_->remove("/demo/events/entries/urn:x:1").status, 204) << "deleting is always possible";
}

// Whoever lost the answer to what was stored asks again, also when the workspace is full by then.
TEST_F(QuotaTest, WhatIsStoredAlreadyIsAnsweredAsEverWhenItIsFull) {
  serve("");
  const std::string keyed = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>k</content></entry>";
  const std::string key = "Idempotency-Key: k1\r\n";
  const std::string picture(1000, 'p');
  ASSERT_EQ(post(1), 201);
  ASSERT_EQ(post(2), 201);
  const Reply with_key = client_->post("/demo/events", keyed, key);
  ASSERT_EQ(with_key.status, 201);
  const std::string media_key = "Idempotency-Key: k2\r\n";
  ASSERT_EQ(client_->post("/demo/events", picture, kPicture + media_key).status, 201);
  fill();
  const std::int64_t full = stored();
  const auto uploads = [&] { return number_of(session_, "select count(*) from media_pieces"); };
  const std::int64_t pictures = uploads();

  const Reply again = client_->post("/demo/events", entry(1));
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.header("Feed-Position"), "1");
  EXPECT_EQ(again.header("Location"), server_->url() + "/demo/events/entries/urn:x:1");
  EXPECT_EQ(post(1, 99), 507) << "other content";
  const Reply key_again = client_->post("/demo/events", keyed, key);
  EXPECT_EQ(key_again.status, 200) << key_again.body;
  EXPECT_EQ(key_again.header("Location"), with_key.header("Location"));
  EXPECT_EQ(client_->post("/demo/events", keyed, "Idempotency-Key: k3\r\n").status, 507);
  EXPECT_EQ(client_->post("/demo/events", keyed).status, 507) << "without a key it is new each time";
  EXPECT_EQ(client_->post("/demo/events", entry(1), "If-Match: 0\r\n").status, 200);
  EXPECT_EQ(client_->put("/demo/events/entries/urn:x:1", entry(1)).status, 200);
  EXPECT_EQ(client_->put("/demo/events/entries/urn:x:1", entry(1, 99)).status, 507);

  const Reply media_again = client_->post("/demo/events", picture, kPicture + media_key);
  EXPECT_EQ(media_again.status, 200) << media_again.body;
  EXPECT_EQ(client_->post("/demo/events", picture, kPicture).status, 507);
  const std::string location = media_again.header("Location");
  const std::string media = "/demo/events/media" + location.substr(location.rfind('/'));
  EXPECT_EQ(client_->put(media, picture, kPicture).status, 204);
  EXPECT_EQ(client_->put(media, std::string(1000, 'q'), kPicture).status, 507);

  EXPECT_EQ(stored(), full);
  EXPECT_EQ(uploads(), pictures);
  EXPECT_EQ(client_->post("/demo/fresh", entry(1)).status, 507);
  EXPECT_EQ(client_->get("/demo/fresh").status, 404);
}

TEST_F(QuotaTest, ABatchIsAnsweredWhenItIsFullWhereAllOfItIsStored) {
  serve("");
  const auto batch = [](const std::string& entries) {
    return "<feed xmlns='http://www.w3.org/2005/Atom'>" + entries + "</feed>";
  };
  ASSERT_EQ(client_->post("/demo/events", batch(entry(1) + entry(2))).status, 200);
  fill();
  const std::int64_t full = stored();
  const Reply again = client_->post("/demo/events", batch(entry(2) + entry(1)), "Prefer: return=minimal\r\n");
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.header("Feed-Position"), "2");
  EXPECT_EQ(client_->post("/demo/events", batch(entry(1) + entry(7))).status, 507);
  EXPECT_EQ(client_->post("/demo/events", batch(entry(7) + entry(1))).status, 507);
  EXPECT_EQ(client_->post("/demo/events", batch(entry(7) + entry(7))).status, 507) << "no twin of what is not stored";
  EXPECT_EQ(client_->post("/demo/events", batch(entry(1) + entry(2, 99))).status, 507);
  EXPECT_EQ(stored(), full);
}

// Where the same content again is a conflict it stays one, and says where the entry is.
TEST_F(QuotaTest, WhereRetriesAreConflictsTheyStayThatWhenItIsFull) {
  serve("duplicates = 'conflict'");
  ASSERT_EQ(post(1), 201);
  fill("duplicates = 'conflict'");
  const Reply again = client_->post("/demo/events", entry(1));
  EXPECT_EQ(again.status, 409) << again.body;
  EXPECT_EQ(again.header("Feed-Position"), "1");
  EXPECT_EQ(post(2), 507);
}

TEST_F(QuotaTest, WhatIsDroppedOrErasedMakesRoom) {
  serve("max_bytes = '1MiB'\nretain = '4 entries'");
  for (int number = 1; number <= 5; ++number) ASSERT_EQ(post(number, 1000), 201);
  ASSERT_TRUE(is_counted(stored())) << "nothing is dropped before six are there";
  const std::int64_t before = counted();
  const auto is_counted_again = [&] { return counted() == stored(); };
  ASSERT_EQ(run({"redact", "demo/events", "urn:x:4"}).status, 0);
  EXPECT_TRUE(wait_until([&] { return counted() < before && is_counted_again(); }));
  for (int number = 6; number <= 12; ++number) ASSERT_EQ(post(number, 1000), 201);
  EXPECT_TRUE(wait_until([&] {
    return number_of(session_, "select count(*) from entries join feeds using (lane, feed) where workspace = 'demo'") <=
           6;
  }));
  EXPECT_TRUE(wait_until(is_counted_again));
}

TEST_F(QuotaTest, MediaCount) {
  serve("max_bytes = '64KiB'");
  const Reply made = client_->post("/demo/pictures", std::string(50'000, 'p'), kPicture);
  ASSERT_EQ(made.status, 201);
  ASSERT_TRUE(is_counted(50'000 + stored()));
  EXPECT_TRUE(
      wait_until([&] { return client_->post("/demo/pictures", std::string(20'000, 'q'), kPicture).status == 507; }));
  const std::string location = made.header("Location");
  EXPECT_EQ(client_->remove(location.substr(server_->url().size())).status, 204);
  EXPECT_TRUE(
      wait_until([&] { return client_->post("/demo/pictures", std::string(20'000, 'r'), kPicture).status == 201; }));
}

// Of many who publish at once, through two processes, what comes beyond the quota came before it was known.
TEST_F(QuotaTest, ManyAtOnceDoNotGetFarBeyondIt) {
  serve("max_bytes = '200KiB'");
  const std::unique_ptr<CourantServer> second = start();
  std::vector<std::thread> publishers;
  std::atomic<int> refused{0};
  for (int i = 0; i < 8; ++i) {
    publishers.emplace_back([&, i] {
      HttpClient client(i % 2 == 0 ? server_->port() : second->port());
      for (int n = 0; refused < 100; ++n) {
        const int status = client.post("/demo/f" + std::to_string(i % 3), entry(i * 1'000'000 + n, 500)).status;
        if (status == 507) ++refused;
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  ASSERT_TRUE(is_counted(stored()));
  EXPECT_GT(counted(), 200 * 1024 - 1000);
  int late = 100'000'000;
  ASSERT_TRUE(
      wait_until([&] { return HttpClient(second->port()).post("/demo/f0", entry(++late, 500)).status == 507; }));
  const std::int64_t full = stored();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(post(2 + i, 500), 507);
  EXPECT_EQ(stored(), full);
}

// The count goes on where it stood, also of what came meanwhile without a quota.
TEST_F(QuotaTest, AQuotaCanComeLaterAndGo) {
  serve("");
  ASSERT_EQ(post(1, 3000), 201);
  EXPECT_EQ(number_of(session_, "select count(*) from feed_bytes"), 0) << "nothing is counted without one";
  write_config("max_bytes = '4KiB'");
  server_->process().signal(SIGHUP);
  int number = 1;
  ASSERT_TRUE(wait_until([&] { return post(++number, 3000) == 507; }));
  write_config("");
  server_->process().signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] { return post(++number, 3000) == 201; }));
  write_config("max_bytes = '1MiB'");
  server_.reset();
  server_ = start();
  client_ = std::make_unique<HttpClient>(server_->port());
  EXPECT_TRUE(is_counted(stored()));
}

TEST_F(QuotaTest, AWorkspaceHasNoMoreSubscriptionsThanItsQuota) {
  serve("max_subscriptions = 2");
  ASSERT_EQ(post(1), 201);
  ASSERT_EQ(client_->post("/other/events", entry(1)).status, 201);
  Subscriber subscriber;
  const std::string topic = server_->url() + "/demo/events";
  EXPECT_EQ(subscriber.ask(*server_, "subscribe", topic, {}, "a"), 202);
  EXPECT_EQ(subscriber.ask(*server_, "subscribe", topic, {}, "b"), 202);
  const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic) +
                           "&hub.callback=" + percent_encode(subscriber.callback("c"));
  const Reply refused = client_->post("/hub", form, "Content-Type: application/x-www-form-urlencoded\r\n");
  EXPECT_EQ(refused.status, 507);
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_THAT(refused.body,
              AllOf(HasSubstr("The workspace demo has 2 subscriptions"), HasSubstr("may have 2 (max_subscriptions)")))
      << "also before they are verified";
  ASSERT_TRUE(wait_until([&] { return number_of(session_, "select count(*) from subscriptions") == 2; }));
  EXPECT_EQ(subscriber.ask(*server_, "subscribe", topic, {}, "c"), 507);
  EXPECT_EQ(subscriber.ask(*server_, "subscribe", topic, {}, "a"), 202) << "what is there can be renewed";
  EXPECT_EQ(subscriber.ask(*server_, "subscribe", server_->url() + "/other/events", {}, "c"), 202);
  EXPECT_EQ(subscriber.ask(*server_, "unsubscribe", topic, {}, "b"), 202);
  EXPECT_TRUE(wait_until([&] { return subscriber.ask(*server_, "subscribe", topic, {}, "c") == 202; }));
}

}  // namespace
}  // namespace courant::test::quota_test
