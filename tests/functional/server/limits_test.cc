// What may be used in a minute, who has used how much, and more than the machine can do.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <latch>
#include <map>
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
#include "tests/support/tokens.h"
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
    configure(settings);
    start(mode);
  }
  void configure(const std::string& settings) {
    std::ofstream(config_) << settings << "\n[[workspaces]]\nname = 'demo'\nauto_create = true\n";
  }
  void start(const std::string& mode) {
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", config_, "--access", mode});
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  // The fields that show a token. What is made before the server starts is known to it from its start.
  std::string make_token(const std::string& name, const std::string& scopes = "read,publish") {
    return bearer(Tokens(database_.url()).make(name, scopes, "*"));
  }
  // The path and query of a signed URL.
  std::string sign(const std::string& target) {
    const Ran ran = run_courant({"sign-url", server_->url() + target, "--expires", "1h", "--public-url", server_->url(),
                                 "--database", database_.url(), "--data", scratch("courant-under-test")});
    EXPECT_EQ(ran.status, 0) << ran.output;
    return std::string(trim(ran.output.substr(server_->url().size())));
  }
  Reply wait_for_news(const std::string& as = {}) {
    const std::string etag = client_->get("/demo/events", as).header("ETag");
    return client_->get("/demo/events", as + "Prefer: wait=1\r\nIf-None-Match: " + etag + "\r\n");
  }
  // How the answer begins; the stream ends with it.
  std::string begin_stream(const std::string& as = {}) {
    RawClient reader(static_cast<std::uint16_t>(server_->port()));
    reader.send("GET /demo/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n" + as + "\r\n");
    return reader.read_bytes(12);
  }
  Reply ask_hub(const std::string& mode, const std::string& callback, const std::string& as = {}) {
    return client_->post("/hub",
                         "hub.mode=" + mode + "&hub.topic=" + percent_encode(server_->url() + "/demo/events") +
                             "&hub.callback=" + percent_encode(callback),
                         as + "Content-Type: application/x-www-form-urlencoded\r\n");
  }
  nlohmann::json usage() {
    const Reply reply = client_->get("/_courant/usage?format=cloudevents&marker=0&direction=forward", as_admin_);
    return reply.status == 200 ? nlohmann::json::parse(reply.body) : nlohmann::json::array();
  }
  std::int64_t used(const std::string& identity, const std::string& what, const std::string& workspace = "demo") {
    std::int64_t sum = 0;
    for (const auto& event : usage()) {
      for (const auto& row : event["data"]["used"]) {
        if (row["identity"] == identity && row["workspace"] == workspace) sum += row[what].get<std::int64_t>();
      }
    }
    return sum;
  }

  // Exactly so many entries, at positions without gaps.
  void expect_stored(int count) const {
    sql::Session session(database_.url());
    constexpr sql::Query kCount{"test.count",
                                "select count(*), count(distinct id), max(position) from entries join feeds using "
                                "(lane, feed) where workspace = 'demo'"};
    const sql::Rows rows = session.run(kCount);
    for (int column = 0; column < 3; ++column) EXPECT_EQ(rows[0].integer(column), count) << column;
  }

  static constexpr std::size_t kMayWait = 256U << 20;  // bytes of what is to be stored (feeds/writer.h)

  TestDatabase database_;
  const std::string config_ = scratch("limits.toml");
  std::string as_admin_;  // the fields by which usage is read, where somebody is asked
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
  EXPECT_EQ(wait_for_news().status, 304);
  EXPECT_EQ(wait_for_news().status, 429);
  EXPECT_EQ(client_->get("/demo/events/delivered?position=1&wait=1").status, 429);
  EXPECT_EQ(client_->get("/demo/events/delivered?position=1").status, 200);
  EXPECT_EQ(client_->get("/demo/events").status, 200) << "who does not wait is answered";
  EXPECT_EQ(begin_stream(), "HTTP/1.1 200");
  EXPECT_EQ(begin_stream(), "HTTP/1.1 429");
}

TEST_F(LimitsTest, SubscriptionsAreLimited) {
  serve("[limits.per_address]\nsubscriptions = 2\n[hub]\ncallback_allow = ['127.0.0.0/8']");
  ASSERT_EQ(client_->post("/demo/events", counted_entry("urn:x:1")).status, 201);
  const Subscriber subscriber;
  const auto ask = [&](const std::string& mode, const std::string& name) {
    return ask_hub(mode, subscriber.callback(name));
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

// Others who come from its address, as all do who stand behind one proxy, use up nothing of a token's, nor it of
// theirs.
TEST_F(LimitsTest, WhoShowsAGoodTokenIsNotCountedByHisAddress) {
  configure("[limits.per_address]\nrequests = 4\n[limits.per_token]\nrequests = 5");
  const std::string one = make_token("one");
  const std::string two = make_token("two");
  start("tokens");
  for (int left = 3; left >= 0; --left) {
    const Reply reply = client_->get("/demo");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("RateLimit-Policy"), "\"requests\";q=4;w=60");
    EXPECT_THAT(reply.header("RateLimit"), StartsWith("\"requests\";r=" + std::to_string(left) + ";t="));
  }
  EXPECT_THAT(client_->get("/demo").body, HasSubstr("came from this address: 4 are taken"));
  for (int left = 4; left >= 0; --left) {
    const Reply reply = client_->get("/demo", one);
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.header("RateLimit-Policy"), "\"requests\";q=5;w=60") << "what it is taken from";
    EXPECT_THAT(reply.header("RateLimit"), StartsWith("\"requests\";r=" + std::to_string(left) + ";t="));
  }
  const Reply refused = client_->get("/demo", one);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("came from this token: 5 are taken"));
  EXPECT_THAT(client_->get("/demo", two).header("RateLimit"), StartsWith("\"requests\";r=4;t="));
}

TEST_F(LimitsTest, WrongTokensAreCountedByTheirAddress) {
  configure("[limits.per_address]\nrequests = 3\n[limits.per_token]\nrequests = 5");
  const std::string good = make_token("one", "read");
  start("tokens");
  for (int left = 2; left >= 0; --left) {
    const Reply reply = client_->get("/demo", bearer("crt_" + std::string(32, 'x')));
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.header("RateLimit-Policy"), "\"requests\";q=3;w=60");
    EXPECT_THAT(reply.header("RateLimit"), StartsWith("\"requests\";r=" + std::to_string(left) + ";t="));
  }
  const Reply refused = client_->get("/demo", bearer("crt_" + std::string(32, 'x')));
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("Too many requests came from this address"));
  EXPECT_EQ(client_->get("/demo/events?expires=1&signature=x").status, 429) << "nor is a wrong signature looked at";
  EXPECT_EQ(client_->get("/demo").status, 429);
  EXPECT_THAT(client_->get("/demo", good).header("RateLimit"), StartsWith("\"requests\";r=4;t="));
  const Reply forbidden = client_->post("/demo/events", counted_entry("urn:x:1"), good);
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_THAT(forbidden.header("RateLimit"), StartsWith("\"requests\";r=3;t=")) << "what it may not do counts, too";
}

TEST_F(LimitsTest, ProblemsSayWhatIsLeftToo) {
  serve("[limits.per_address]\nrequests = 5");
  const auto left_after = [](const Reply& reply, int status, int left) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_EQ(reply.header("RateLimit-Policy"), "\"requests\";q=5;w=60");
    EXPECT_THAT(reply.header("RateLimit"), StartsWith("\"requests\";r=" + std::to_string(left) + ";t="));
  };
  left_after(client_->get("/demo/nothing"), 404, 4);
  left_after(client_->remove("/demo"), 405, 3);
  left_after(client_->post("/demo/events", "<entry", "Content-Type: application/atom+xml\r\n"), 422, 2);
  left_after(client_->post("/demo/events", "x", "Content-Type: text/plain\r\n"), 415, 1);
  EXPECT_EQ(client_->get("/-/health/nothing").header("RateLimit"), "") << "probes are not counted";
}

TEST_F(LimitsTest, ATokenHasItsOwnLimits) {
  configure(
      "[limits.per_address]\nentries = 1\nwaits = 1\nstreams = 1\nsubscriptions = 1\n"
      "[limits.per_token]\nentries = 3\nbytes = '4KiB'\nwaits = 1\nstreams = 1\nsubscriptions = 2\n"
      "[hub]\ncallback_allow = ['127.0.0.0/8']");
  const std::string tokens[] = {make_token("one", "read,publish,subscribe"),
                                make_token("two", "read,publish,subscribe")};
  start("tokens");
  const Subscriber subscriber;
  const auto expect_refused = [](const Reply& reply, const std::string& words) {
    EXPECT_EQ(reply.status, 429);
    EXPECT_THAT(reply.body, HasSubstr(words));
  };
  for (const std::string& token : tokens) {
    const std::string id = &token == std::begin(tokens) ? "urn:a:" : "urn:b:";
    EXPECT_EQ(client_->post("/demo/events", counted_batch(3, id), token).status, 200);
    expect_refused(client_->post("/demo/events", counted_entry(id + "more"), token), "entries came from this token: 3");
    EXPECT_EQ(wait_for_news(token).status, 304);
    expect_refused(wait_for_news(token), "waits came from this token: 1");
    EXPECT_EQ(begin_stream(token), "HTTP/1.1 200");
    EXPECT_EQ(begin_stream(token), "HTTP/1.1 429");
    for (const char* const name : {"a", "b"}) {
      EXPECT_EQ(ask_hub("subscribe", subscriber.callback(name), token).status, 202);
    }
    expect_refused(ask_hub("subscribe", subscriber.callback("c"), token), "subscriptions came from this token: 2");
  }
  EXPECT_EQ(wait_for_news().status, 304) << "his address has used up nothing";
  expect_refused(wait_for_news(), "waits came from this address: 1");
  EXPECT_EQ(begin_stream(), "HTTP/1.1 200");
  EXPECT_EQ(ask_hub("subscribe", subscriber.callback("d")).status, 202);
  expect_refused(ask_hub("subscribe", subscriber.callback("e")), "subscriptions came from this address: 1");
}

TEST_F(LimitsTest, BytesOfATokenAreLimited) {
  configure("[limits.per_address]\nbytes = '1KiB'\n[limits.per_token]\nbytes = '3KiB'");
  const std::string one = make_token("one");
  const std::string two = make_token("two");
  start("tokens");
  EXPECT_EQ(client_->post("/demo/events", counted_batch(15, "urn:a:"), one).status, 200);
  EXPECT_EQ(client_->post("/demo/events", counted_batch(15, "urn:b:"), one).status, 429);
  EXPECT_EQ(client_->post("/demo/events", counted_batch(15, "urn:b:"), two).status, 200);
}

TEST_F(LimitsTest, EachSignedUrlIsCountedByItself) {
  configure("[limits.per_address]\nrequests = 20\n[limits.per_token]\nrequests = 3");
  start("tokens");
  const std::string one = sign("/demo?of=one");
  const std::string two = sign("/demo?of=two");
  for (int left = 2; left >= 0; --left) {
    EXPECT_THAT(client_->get(one).header("RateLimit"), StartsWith("\"requests\";r=" + std::to_string(left) + ";t="));
  }
  const Reply refused = client_->get(one);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("came from this signed URL: 3 are taken"));
  EXPECT_THAT(client_->get(two).header("RateLimit"), StartsWith("\"requests\";r=2;t="));
  EXPECT_EQ(client_->get("/demo").header("RateLimit-Policy"), "\"requests\";q=20;w=60");
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

TEST_F(LimitsTest, UsageIsToldOfEachTokenAndEachSignedUrl) {
  configure("[usage]\nevery = '1s'\n[hub]\ncallback_allow = ['127.0.0.0/8']");
  const std::string one = make_token("one", "read,publish,subscribe");
  const std::string two = make_token("two");
  as_admin_ = make_token("admin", "admin");
  start("tokens");
  const Subscriber subscriber;
  const std::string batch = counted_batch(3, "urn:a:");
  ASSERT_EQ(client_->post("/demo/events", batch, one).status, 200);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(client_->get("/demo/events", one).status, 200);
  ASSERT_EQ(client_->post("/demo/none/at/all", "", one).status, 404);
  ASSERT_EQ(wait_for_news(one).status, 304);
  ASSERT_EQ(begin_stream(one), "HTTP/1.1 200");
  ASSERT_EQ(ask_hub("subscribe", subscriber.callback(), one).status, 202);
  ASSERT_EQ(client_->get("/demo/events", two).status, 200);
  const std::string urls[] = {sign("/demo/events?of=one"), sign("/demo/events?of=two")};
  for (int i = 0; i < 5; ++i) ASSERT_EQ(client_->get(urls[i % 2]).status, 200);

  ASSERT_TRUE(wait_until([&] { return used("token:1", "requests") == 15; })) << usage().dump(1);
  ASSERT_TRUE(wait_until([&] { return used("token:1", "subscriptions", "") == 1; })) << usage().dump(1);
  ASSERT_TRUE(wait_until([&] { return used("token:2", "requests") == 1; })) << usage().dump(1);
  EXPECT_EQ(used("token:1", "entries"), 3);
  EXPECT_EQ(used("token:1", "bytes"), static_cast<std::int64_t>(batch.size()));
  EXPECT_EQ(used("token:1", "waits"), 1);
  EXPECT_EQ(used("token:1", "streams"), 1);
  EXPECT_EQ(used("token:1", "refused"), 0);
  EXPECT_GT(used("token:1", "bytes_sent"), 10'000);
  EXPECT_EQ(used("token:2", "entries"), 0);
  EXPECT_EQ(used("anonymous", "entries"), 0);
  std::map<std::string, std::int64_t> of_urls;
  const auto told = [&] {
    of_urls.clear();
    for (const auto& event : usage()) {
      for (const auto& row : event["data"]["used"]) {
        const auto identity = row["identity"].get<std::string>();
        if (identity.starts_with("signed:")) of_urls[identity] += row["requests"].get<std::int64_t>();
      }
    }
    std::multiset<std::int64_t> counts;
    for (const auto& [identity, count] : of_urls) counts.insert(count);
    return counts;
  };
  EXPECT_TRUE(wait_until([&] { return told() == std::multiset<std::int64_t>{2, 3}; })) << usage().dump(1);
  for (const auto& [identity, count] : of_urls) {
    EXPECT_LE(identity.size(), 30U);
    for (const std::string& url : urls) {
      EXPECT_THAT(url, testing::Not(HasSubstr(identity.substr(7)))) << "who reads it could not read the page";
    }
  }
}

TEST_F(LimitsTest, WhatWasUsedBeforeAStopIsTold) {
  serve("");
  ASSERT_EQ(client_->post("/demo/events", counted_batch(3, "urn:a:")).status, 200);
  server_->process().signal(SIGTERM);
  ASSERT_EQ(server_->process().wait(), 0);
  server_->start();
  EXPECT_TRUE(wait_until([&] { return used("anonymous", "entries") == 3; })) << usage().dump(1);
}

std::string request_of(const std::string& body) {
  return "POST /demo/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/atom+xml\r\nPrefer: "
         "return=minimal\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// What many publishers get who do not wait for answers before they send more.
class Crowd {
 public:
  static constexpr int kOfABatch = 100;

  struct Counts {
    std::atomic<int> batches{0};  // stored, each with kOfABatch entries
    std::atomic<int> singles{0};  // stored
    std::atomic<int> refused{0};
    std::atomic<int> others{0};
    std::atomic<int> late{0};  // answers that came after `patience`

    int stored() const { return batches * kOfABatch + singles; }
  };
  using Clock = std::chrono::steady_clock;

  // Each of the connections sends all its rounds at once, where is_open, and else one after the other. A round is a
  // batch and an entry. Returns when all is answered.
  Crowd(int port, const std::string& name, int connections, int rounds, bool is_open, Clock::duration patience) {
    std::latch all_there(connections);
    std::latch may_begin(1);
    Clock::time_point begin;
    std::atomic<Clock::duration::rep> sent{0};
    std::vector<std::thread> publishers;
    for (int number = 0; number < connections; ++number) {
      publishers.emplace_back([&, number] {
        RawClient client(static_cast<std::uint16_t>(port));
        std::vector<std::string> requests;
        for (int round = 0; round < rounds; ++round) {
          const std::string id = "urn:" + name + ":" + std::to_string(number) + ":" + std::to_string(round);
          requests.push_back(request_of(counted_batch(kOfABatch, id + ":")));
          requests.push_back(request_of(counted_entry(id)));
        }
        all_there.count_down();
        may_begin.wait();
        if (is_open) {
          for (const std::string& request : requests) client.send(request);
          const auto taken = (Clock::now() - begin).count();
          for (auto known = sent.load(); known < taken && !sent.compare_exchange_weak(known, taken);) {
          }
        }
        for (const std::string& request : requests) {
          if (!is_open) client.send(request);
          count(client.read_response());
          if (Clock::now() - begin > patience) ++counts_.late;
        }
      });
    }
    all_there.wait();
    begin = Clock::now();
    may_begin.count_down();
    for (std::thread& publisher : publishers) publisher.join();
    answered_in_ = Clock::now() - begin;
    sent_in_ = Clock::duration(sent);
    requests_ = 2 * connections * rounds;
  }

  const Counts& counts() const { return counts_; }
  int requests() const { return requests_; }
  Clock::duration sent_in() const { return sent_in_; }
  Clock::duration answered_in() const { return answered_in_; }

 private:
  void count(const std::string& answer) {
    const std::string status = answer.substr(0, 12);
    if (status == "HTTP/1.1 200") {
      ++counts_.batches;
    } else if (status == "HTTP/1.1 201" || status == "HTTP/1.1 204") {
      ++counts_.singles;
    } else if (status == "HTTP/1.1 503" || status == "HTTP/1.1 429") {
      EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: "));
      ++counts_.refused;
    } else {
      ++counts_.others;
    }
  }

  Counts counts_;
  int requests_ = 0;
  Clock::duration sent_in_{};
  Clock::duration answered_in_{};
};

// First it is measured what can be done; then more than five times of that is sent, whether it is answered or not.
// What it is compared with are the same machine's times of a moment before.
TEST_F(LimitsTest, FarMoreThanCanBeDoneLosesNothingAndIsOverWithTheFlood) {
  serve("");
  constexpr int kFew = 20;
  const Crowd usual(server_->port(), "usual", kFew, 5, false, std::chrono::hours(1));
  EXPECT_EQ(usual.counts().refused + usual.counts().others, 0);
  const auto usual_wait = usual.answered_in() * kFew / usual.requests();

  const std::size_t before = peak_memory(server_->process().id());
  const Crowd flood(server_->port(), "flood", 250, 2, true, 5 * usual_wait);
  const Crowd::Counts& counts = flood.counts();
  EXPECT_EQ(counts.others, 0);
  EXPECT_EQ(counts.batches + counts.singles + counts.refused, flood.requests());
  // So many as can be answered in the time in which they were sent, five times over.
  EXPECT_GT(flood.requests() * usual.answered_in(), 5 * usual.requests() * flood.sent_in())
      << "this was no flood: " << flood.requests() << " in " << flood.sent_in().count() << " ns, and before "
      << usual.requests() << " in " << usual.answered_in().count() << " ns";
  EXPECT_GT(counts.refused + counts.late, 0) << "all of it could be done: this was no flood";
  EXPECT_GT(counts.stored(), 0);

  for (int i = 0; i < 20; ++i) {
    HttpClient client(server_->port());
    EXPECT_EQ(client.post("/demo/events", counted_entry("urn:after:" + std::to_string(i))).status, 201) << i;
    EXPECT_EQ(client.get("/demo/events").status, 200) << i;
  }
  expect_stored(usual.counts().stored() + counts.stored() + 20);
  if (!is_sanitized()) {
    EXPECT_LT(peak_memory(server_->process().id()), before + kMayWait);
  }
}

// While nothing can be stored, so much waits and no more: whoever comes then is told at once, and readers notice
// nothing.
TEST_F(LimitsTest, WhatWaitsToBeStoredIsBounded) {
  serve("");
  ASSERT_EQ(client_->post("/demo/events", counted_entry("urn:before")).status, 201);
  const std::size_t before = peak_memory(server_->process().id());
  constexpr int kBatches = 300;  // of 100 entries, of which 20,000 may wait
  std::vector<std::unique_ptr<RawClient>> publishers;
  sql::Session session(database_.url());
  session.transaction([&] {
    session.execute_script("lock table entries in share mode");
    for (int i = 0; i < kBatches; ++i) {
      publishers.push_back(std::make_unique<RawClient>(static_cast<std::uint16_t>(server_->port())));
      publishers.back()->send(request_of(counted_batch(100, "urn:" + std::to_string(i) + ":")));
    }
    EXPECT_TRUE(wait_until([&] {
      return std::count_if(publishers.begin(), publishers.end(), [](const auto& publisher) {
               return publisher->has_answer_within(std::chrono::milliseconds(0));
             }) >= 50;
    }));
    EXPECT_EQ(client_->get("/demo/events").status, 200);
  });
  int stored = 0;
  int refused = 0;
  for (const auto& publisher : publishers) {
    const std::string answer = publisher->read_response();
    if (answer.starts_with("HTTP/1.1 200")) ++stored;
    if (answer.starts_with("HTTP/1.1 503") && answer.find("\r\nRetry-After: ") != std::string::npos) ++refused;
  }
  EXPECT_EQ(stored + refused, kBatches);
  EXPECT_GE(refused, 50);
  EXPECT_GT(stored, 0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client_->post("/demo/events", counted_entry("urn:after:" + std::to_string(i))).status, 201) << i;
  }
  expect_stored(1 + 100 * stored + 5);
  if (!is_sanitized()) {
    EXPECT_LT(peak_memory(server_->process().id()), before + kMayWait);
  }
}

}  // namespace
}  // namespace courant::test
