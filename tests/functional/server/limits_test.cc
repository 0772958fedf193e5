// What may be used in a minute, who has used how much, and more than the machine can do.
#include <atomic>
#include <fstream>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sql/database.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/memory.h"
#include "tests/support/sanitized.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

std::string counted_entry(const std::string& id) {
  return "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id><title>t</title><content>c</content></entry>";
}
std::string counted_batch(int count, const std::string& prefix) {
  std::string document = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>b</title>";
  for (int i = 0; i < count; ++i) document += counted_entry(prefix + std::to_string(i));
  return document + "</feed>";
}

class LimitsTest : public testing::Test {
 protected:
  // mode: "open" or "tokens".
  void serve(const std::string& settings, const std::string& mode = "open") {
    config_ = scratch("limits.toml");
    std::ofstream(config_) << settings << "\n[[workspaces]]\nname = 'demo'\nauto_create = true\n";
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", config_, "--access", mode});
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  std::string make_token(const std::string& name) {
    const Ran made = run_courant({"token", "create", name, "--scope", "read,publish", "--on", "*", "--config", config_,
                                  "--database", database_.url()});
    const std::size_t begin = made.output.find("crt_");
    EXPECT_EQ(made.status, 0) << made.output;
    return begin == std::string::npos ? "" : made.output.substr(begin, 36);
  }
  nlohmann::json usage() {
    const Reply reply = client_->get("/_courant/usage?format=cloudevents&marker=0&direction=forward");
    return reply.status == 200 ? nlohmann::json::parse(reply.body) : nlohmann::json::array();
  }
  std::int64_t used(const std::string& identity, const std::string& what) {
    std::int64_t sum = 0;
    for (const auto& event : usage()) {
      for (const auto& row : event["data"]["used"]) {
        if (row["identity"] == identity && row["workspace"] == "demo") sum += row[what].get<std::int64_t>();
      }
    }
    return sum;
  }

  TestDatabase database_;
  std::string config_;
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(LimitsTest, RequestsOfAnAddressAreLimitedAndSayWhatIsLeft) {
  serve("[limits.per_address]\nrequests = 5");
  for (int left = 4; left >= 0; --left) {
    const Reply reply = client_->get("/demo");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("RateLimit-Policy"), "\"requests\";q=5;w=60");
    EXPECT_THAT(reply.header("RateLimit"), StartsWith("\"requests\";r=" + std::to_string(left) + ";t="));
  }
  const Reply refused = client_->get("/demo");
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("Too many requests came from this address: 5 are taken in a minute"));
  EXPECT_THAT(refused.header("Retry-After"), MatchesRegex("[0-9]+"));
  EXPECT_THAT(refused.header("RateLimit"), StartsWith("\"requests\";r=0;t="));
  EXPECT_EQ(client_->get("/-/health/live").status, 200) << "whoever watches over it still sees it";
}

// Answers that are given again byte for byte are counted as well.
TEST_F(LimitsTest, PollingIsLimitedToo) {
  serve("[limits.per_address]\nrequests = 20");
  ASSERT_EQ(client_->post("/demo/events", counted_entry("urn:x:1")).status, 201);
  int answered = 0;
  for (int i = 0; i < 40; ++i) answered += client_->get("/demo/events").status == 200 ? 1 : 0;
  EXPECT_EQ(answered, 19);
}

TEST_F(LimitsTest, WhatIsPublishedIsLimitedAndNothingOfItStored) {
  serve("[limits.per_address]\nentries = 10");
  EXPECT_EQ(client_->post("/demo/events", counted_batch(8, "urn:a:")).status, 200);
  const Reply refused = client_->post("/demo/events", counted_batch(3, "urn:b:"));
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("Too many entries"));
  EXPECT_EQ(client_->post("/demo/events", counted_entry("urn:c:1")).status, 201);
  EXPECT_EQ(client_->get("/demo/events").header("Feed-Position"), "9");
}

TEST_F(LimitsTest, BytesWaitsAndStreamsAreLimited) {
  serve("[limits.per_address]\nbytes = '1KiB'\nwaits = 1\nstreams = 1");
  EXPECT_EQ(client_->post("/demo/events", counted_entry("urn:a:1")).status, 201);
  EXPECT_EQ(client_->post("/demo/events", counted_batch(9, "urn:b:")).status, 429);
  const std::string etag = client_->get("/demo/events").header("ETag");
  const std::string wait = "Prefer: wait=1\r\nIf-None-Match: " + etag + "\r\n";
  EXPECT_EQ(client_->get("/demo/events", wait).status, 304);
  EXPECT_EQ(client_->get("/demo/events", wait).status, 429);
  EXPECT_EQ(client_->get("/demo/events").status, 200) << "who does not wait is answered";
  const auto stream = [&](RawClient& reader) {
    reader.send("GET /demo/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    return reader.read_bytes(12);
  };
  RawClient first(static_cast<std::uint16_t>(server_->port()));
  EXPECT_EQ(stream(first), "HTTP/1.1 200");
  RawClient second(static_cast<std::uint16_t>(server_->port()));
  EXPECT_EQ(stream(second), "HTTP/1.1 429");
}

TEST_F(LimitsTest, SubscriptionsAreLimited) {
  serve("[limits.per_address]\nsubscriptions = 2\n[hub]\ncallback_allow = ['127.0.0.0/8']");
  ASSERT_EQ(client_->post("/demo/events", counted_entry("urn:x:1")).status, 201);
  const Subscriber subscriber;
  const auto ask = [&](const std::string& mode, const std::string& name) {
    return client_->post("/hub",
                         "hub.mode=" + mode + "&hub.topic=" + percent_encode(server_->url() + "/demo/events") +
                             "&hub.callback=" + percent_encode(subscriber.callback(name)),
                         "Content-Type: application/x-www-form-urlencoded\r\n");
  };
  EXPECT_EQ(ask("subscribe", "a").status, 202);
  EXPECT_EQ(ask("subscribe", "b").status, 202);
  const Reply refused = ask("subscribe", "c");
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("Too many subscriptions came from this address: 2 are taken in a minute"));
  EXPECT_THAT(refused.header("Retry-After"), MatchesRegex("[0-9]+"));
  EXPECT_EQ(refused.header("RateLimit-Policy"), "\"subscriptions\";q=2;w=60");
  EXPECT_THAT(refused.header("RateLimit"), StartsWith("\"subscriptions\";r=0;t="));
  EXPECT_EQ(ask("unsubscribe", "a").status, 202) << "who goes is not counted";
}

TEST_F(LimitsTest, ATokenHasItsOwnLimits) {
  serve("[limits.per_address]\nentries = 1\n[limits.per_token]\nentries = 3\nrequests = 100", "tokens");
  const auto as = [](const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; };
  const std::string one = make_token("one");
  const std::string two = make_token("two");
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo", as(two)).status == 200; }));
  EXPECT_EQ(client_->post("/demo/events", counted_batch(3, "urn:a:"), as(one)).status, 200);
  const Reply refused = client_->post("/demo/events", counted_entry("urn:b:1"), as(one));
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("came from this token"));
  EXPECT_EQ(client_->post("/demo/events", counted_entry("urn:b:1"), as(two)).status, 201);
}

TEST_F(LimitsTest, UsageIsToldInAFeedOfItsOwn) {
  serve("[usage]\nevery = '1s'\n[limits.per_address]\nentries = 4");
  ASSERT_EQ(client_->post("/demo/events", counted_batch(3, "urn:a:")).status, 200);
  ASSERT_EQ(client_->post("/demo/events", counted_batch(3, "urn:b:")).status, 429);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(client_->get("/demo/events").status, 200);
  ASSERT_TRUE(wait_until([&] { return used("anonymous", "requests") == 12; })) << usage().dump(1);
  EXPECT_EQ(used("anonymous", "entries"), 3);
  EXPECT_EQ(used("anonymous", "refused"), 1);
  EXPECT_GT(used("anonymous", "bytes_sent"), 3000);
}

TEST_F(LimitsTest, WhatWasUsedBeforeAStopIsTold) {
  serve("");
  ASSERT_EQ(client_->post("/demo/events", counted_batch(3, "urn:a:")).status, 200);
  server_->process().signal(SIGTERM);
  ASSERT_EQ(server_->process().wait(), 0);
  server_->start();
  EXPECT_TRUE(wait_until([&] { return used("anonymous", "entries") == 3; })) << usage().dump(1);
}

// Forty connections keep a small machine busy; here are five times as many, each with four requests under way.
TEST_F(LimitsTest, FarMoreThanCanBeDoneLosesNothingAndIsOverAtOnce) {
  serve("");
  constexpr int kPublishers = 200;
  constexpr int kUnderWay = 4;
  constexpr int kRounds = 10;
  std::atomic<int> stored{0};
  std::atomic<int> refused{0};
  std::atomic<int> others{0};
  std::vector<std::thread> publishers;
  for (int publisher = 0; publisher < kPublishers; ++publisher) {
    publishers.emplace_back([&, publisher] {
      RawClient client(static_cast<std::uint16_t>(server_->port()));
      for (int round = 0; round < kRounds; ++round) {
        std::string requests;
        for (int i = 0; i < kUnderWay; ++i) {
          const std::string id =
              "urn:x:" + std::to_string(publisher) + "-" + std::to_string(round) + "-" + std::to_string(i);
          const std::string body = counted_entry(id);
          requests +=
              "POST /demo/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/atom+xml\r\n"
              "Content-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body;
        }
        client.send(requests);
        for (int i = 0; i < kUnderWay; ++i) {
          const std::string status = client.read_response().substr(0, 12);
          if (status == "HTTP/1.1 201") {
            ++stored;
          } else if (status == "HTTP/1.1 503" || status == "HTTP/1.1 429") {
            ++refused;
          } else {
            ++others;
          }
        }
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  EXPECT_EQ(others, 0);
  EXPECT_EQ(stored + refused, kPublishers * kUnderWay * kRounds);
  EXPECT_EQ(client_->post("/demo/events", counted_entry("urn:after:1")).status, 201) << "it is over at once";
  sql::Session session(database_.url());
  constexpr sql::Query kCount{"test.count",
                              "select count(*), count(distinct id), max(position) from entries join feeds using (lane, "
                              "feed) where workspace = 'demo'"};
  const sql::Rows rows = session.run(kCount);
  EXPECT_EQ(rows[0].integer(0), stored + 1);
  EXPECT_EQ(rows[0].integer(1), stored + 1);
  EXPECT_EQ(rows[0].integer(2), stored + 1);
  if (!is_sanitized()) {
    EXPECT_LT(peak_memory(server_->process().id()), 512U << 20);
  }
}

}  // namespace
}  // namespace courant::test
