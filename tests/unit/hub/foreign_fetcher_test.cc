#include "hub/foreign_fetcher.h"

#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "http/gzip.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;
using End = Fetched::End;

class StandingClock final : public Clock {
 public:
  Ticks time{};
  Instant now() const override { return Instant{} + 1'000'000s; }
  Ticks ticks() const override { return time; }
};

// Answers each request at once with what the test says of its URL; each takes some time.
class TellingTransport final : public Transport {
 public:
  explicit TellingTransport(StandingClock& clock) : clock_(clock) {}
  std::vector<http::ClientRequest> requests;
  std::chrono::seconds takes{0};
  std::map<std::string, http::ClientReply> replies;

  void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    clock_.time += takes;
    requests.push_back(request);
    done(replies[request.url]);
  }
  void stop() override {}

 private:
  StandingClock& clock_;
};

http::ClientReply answer(int status, std::vector<std::pair<std::string, std::string>> headers = {},
                         std::string body = {}) {
  http::ClientReply reply;
  reply.outcome = http::ClientReply::Outcome::kAnswered;
  reply.status = status;
  reply.headers = std::move(headers);
  reply.body = std::move(body);
  return reply;
}

http::ClientReply redirect(const std::string& url) {
  http::ClientReply reply = answer(307);
  reply.redirect_url = url;
  return reply;
}

class ForeignFetcherTest : public testing::Test {
 protected:
  Fetched fetch(const std::string& url, const Validators& known = {}) {
    boost::asio::io_context io;
    Fetched fetched;
    const auto run = [&]() -> http::Task<void> { fetched = co_await fetcher_.fetch(url, known); };
    boost::asio::co_spawn(io, run, boost::asio::detached);
    io.run();
    return fetched;
  }
  std::string field(std::size_t request, const std::string& name) const {
    for (const auto& [key, value] : transport_.requests.at(request).headers) {
      if (key == name) return value;
    }
    return {};
  }

  StandingClock clock_;
  TellingTransport transport_{clock_};
  ForeignLimits limits_{20s, 1000, 3, 2};
  ForeignFetcher fetcher_{limits_, transport_, std::make_shared<const http::AddressGuard>(std::vector<http::Network>{}),
                          clock_};
};

TEST_F(ForeignFetcherTest, GivesTheBodyAndWhatToAskWithNextTime) {
  transport_.replies["http://a.example/"] = answer(
      200, {{"ETag", "\"1\""}, {"Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"}, {"Content-Type", "text/plain"}},
      "b");
  const Fetched fetched = fetch("http://a.example/");
  EXPECT_EQ(fetched.end, End::kBody);
  EXPECT_EQ(fetched.body, "b");
  EXPECT_EQ(fetched.content_type, "text/plain");
  EXPECT_EQ(fetched.validators.place, "http://a.example/");
  EXPECT_EQ(fetched.validators.etag, "\"1\"");
  EXPECT_EQ(field(0, "If-None-Match"), "");
  transport_.replies["http://a.example/"] = answer(304);
  const Fetched again = fetch("http://a.example/", fetched.validators);
  EXPECT_EQ(again.end, End::kUnchanged);
  EXPECT_EQ(again.validators.etag, "\"1\"");
  EXPECT_EQ(field(1, "If-None-Match"), "\"1\"");
  EXPECT_EQ(field(1, "If-Modified-Since"), "Thu, 01 Jan 1970 00:00:00 GMT");
}

// Three requests a second of all processes: one that has half of the subscriptions sends half of them.
TEST_F(ForeignFetcherTest, AProcessTakesItsPartOfTheTurns) {
  const auto turns_in = [&](int seconds) {
    int turns = 0;
    for (int tick = 0; tick < 100 * seconds; ++tick) {
      clock_.time += 10ms;
      if (fetcher_.take_turn("a.example")) ++turns;
    }
    return turns;
  };
  turns_in(10);
  EXPECT_NEAR(turns_in(100), 300, 3);
  fetcher_.set_share(0.5);
  EXPECT_NEAR(turns_in(100), 150, 3);
  fetcher_.set_share(0.1);
  EXPECT_NEAR(turns_in(100), 30, 3);
  fetcher_.set_share(1);
  EXPECT_NEAR(turns_in(100), 300, 6);
}

TEST_F(ForeignFetcherTest, ValidatorsAreTheirUrlsOwn) {
  transport_.replies["http://a.example/"] = redirect("http://b.example/x#y");
  transport_.replies["http://b.example/x"] = answer(304);
  EXPECT_EQ(fetch("http://a.example/", {"http://b.example/x", "\"1\"", ""}).end, End::kUnchanged);
  EXPECT_EQ(field(0, "If-None-Match"), "");
  EXPECT_EQ(field(1, "If-None-Match"), "\"1\"");
  EXPECT_EQ(fetch("http://a.example/", {"http://a.example/", "\"1\"", ""}).end, End::kRefused)
      << "304 to a question that was not conditional";
}

TEST_F(ForeignFetcherTest, AFieldThatCannotBeSentOnIsNotKept) {
  transport_.replies["http://a.example/"] =
      answer(200, {{"ETag", "\"\x01\""}, {"Content-Type", std::string("text/plain;x=\xE9")}}, "b");
  const Fetched fetched = fetch("http://a.example/");
  EXPECT_EQ(fetched.validators.etag, "");
  EXPECT_EQ(fetched.content_type, "application/octet-stream");
}

TEST_F(ForeignFetcherTest, RedirectsDoNotLeaveTls) {
  transport_.replies["https://a.example/"] = redirect("http://b.example/");
  EXPECT_EQ(fetch("https://a.example/").why, "it redirects from https to http");
  EXPECT_EQ(transport_.requests.size(), 1U);
}

TEST_F(ForeignFetcherTest, WhatRedirectsLeadToIsJudged) {
  transport_.replies["http://a.example/"] = redirect("http://127.0.0.1/");
  EXPECT_EQ(fetch("http://a.example/").end, End::kRefused);
  transport_.replies["http://a.example/"] = redirect("");
  EXPECT_EQ(fetch("http://a.example/").why, "it redirects nowhere");
  EXPECT_EQ(transport_.requests.size(), 2U);
}

TEST_F(ForeignFetcherTest, OneDeadlineIsForAllRedirects) {
  transport_.takes = 8s;
  transport_.replies["http://a.example/"] = redirect("http://b.example/");
  transport_.replies["http://b.example/"] = redirect("http://c.example/");
  transport_.replies["http://c.example/"] = redirect("http://d.example/");
  const Fetched fetched = fetch("http://a.example/");
  EXPECT_EQ(fetched.end, End::kFailed);
  EXPECT_EQ(fetched.why, "it took longer than 20s");
  ASSERT_EQ(transport_.requests.size(), 3U);
  EXPECT_EQ(transport_.requests[2].deadline, 4s);
}

TEST_F(ForeignFetcherTest, HostsAndNetworksAreAskedSoOften) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fetcher_.take_turn("a.example"));
  EXPECT_FALSE(fetcher_.take_turn("a.example"));
  EXPECT_TRUE(fetcher_.take_turn("b.example"));
  transport_.replies["http://c.example/"] = redirect("http://a.example/");
  EXPECT_EQ(fetch("http://c.example/").end, End::kHeldBack) << "redirects count, too";
  transport_.replies["http://c.example/"] = answer(200);
  fetch("http://c.example/");
  const auto& admits = transport_.requests.back().admits;
  EXPECT_TRUE(admits(*http::Address::parse("192.0.2.1")));
  EXPECT_TRUE(admits(*http::Address::parse("192.0.2.2")));
  EXPECT_FALSE(admits(*http::Address::parse("192.0.2.3")));
  EXPECT_TRUE(admits(*http::Address::parse("198.51.100.1")));
  clock_.time += 10s;
  EXPECT_TRUE(fetcher_.take_turn("a.example"));
  EXPECT_TRUE(admits(*http::Address::parse("192.0.2.3")));
}

TEST_F(ForeignFetcherTest, BodiesAreBoundedAlsoInside) {
  transport_.replies["http://a.example/"] =
      answer(200, {{"Content-Encoding", "x-gzip"}}, http::gzip(std::string(1000, 'x')));
  EXPECT_EQ(fetch("http://a.example/").body.size(), 1000U);
  EXPECT_EQ(transport_.requests.at(0).max_body, 1000U);
  transport_.replies["http://a.example/"].body = http::gzip(std::string(1001, 'x'));
  EXPECT_EQ(fetch("http://a.example/").end, End::kRefused);
  http::ClientReply cut = answer(200, {}, std::string(1000, 'x'));
  cut.is_cut = true;
  transport_.replies["http://a.example/"] = cut;
  EXPECT_EQ(fetch("http://a.example/").why, "it is longer than 1000 bytes");
}

TEST_F(ForeignFetcherTest, SaysWhetherItHelpsToAskAgain) {
  struct Case {
    int status;
    End end;
  };
  for (const Case& one : {Case{404, End::kRefused}, Case{410, End::kRefused}, Case{206, End::kRefused},
                          Case{300, End::kRefused}, Case{429, End::kFailed}, Case{500, End::kFailed}}) {
    transport_.replies["http://a.example/"] = answer(one.status);
    EXPECT_EQ(fetch("http://a.example/").end, one.end) << one.status;
  }
  transport_.replies["http://a.example/"] = answer(503, {{"Retry-After", "120"}});
  EXPECT_EQ(fetch("http://a.example/").pause, 120s);
}

}  // namespace
}  // namespace courant::hub
