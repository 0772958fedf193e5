// What a handler stamps every answer with, also those that are remembered or that it has not made.
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.h"
#include "kernel/problem.h"
#include "tests/support/http2_client.h"
#include "tests/support/raw_client.h"

namespace courant::http {
namespace {

using testing::HasSubstr;

class Stamping final : public Handler {
 public:
  std::uint64_t admit(Request& request) override {
    if (request.path == "/refused") throw Problem(403, "not admitted");
    return 0;
  }
  std::optional<Response> answer_at_once(const Request& request) override {
    if (request.path == "/late") return std::nullopt;
    if (request.path == "/failing") throw Problem(410, "gone");
    ++made;
    Response response;
    response.body = body_;  // what is remembered of it is kept here
    response.holds = [] { return true; };
    return response;
  }
  Task<Response> answer(const Request&) override {
    throw std::runtime_error("a bug");
    co_return Response{};
  }
  void stamp(Response& response, const Request&) const override {
    response.with("Stamp", std::to_string(number.load()));
  }
  std::uint64_t revision() const override { return number; }

  std::atomic<std::uint64_t> number{1};
  std::atomic<int> made{0};

 private:
  const Bytes body_ = make_bytes("x");
};

class StampTest : public testing::Test {
 protected:
  static ServerOptions options() {
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.threads = 1;
    options.public_url = "http://localhost";
    return options;
  }
  std::string get(const std::string& path) {
    one_.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return one_.read_response();
  }

  Stamping handler_;
  Metrics metrics_;
  Server server_{options(), handler_, metrics_};
  const bool is_started_ = static_cast<bool>(server_.start());
  test::RawClient one_{server_.ports()[0]};
  test::RawClient carrier_{server_.ports()[0]};
  test::Http2Client two_{
      {[this](std::string_view bytes) { carrier_.send(bytes); }, [this] { return carrier_.read_piece(); }}};
};

TEST_F(StampTest, EveryAnswerHasIt) {
  for (const char* const path : {"/a", "/refused", "/failing", "/late"}) {
    EXPECT_THAT(get(path), HasSubstr("\r\nStamp: 1\r\n")) << path;
    EXPECT_EQ(two_.get(path).header("stamp"), "1") << path;
  }
  EXPECT_THAT(get("/a b"), HasSubstr("\r\nStamp: 1\r\n")) << "what is refused before anybody is asked";
}

TEST_F(StampTest, WhatIsRememberedEndsWithItsRevision) {
  for (std::uint64_t number = 1; number <= 3; ++number) {
    handler_.number = number;
    const std::string stamp = std::to_string(number);
    for (int i = 0; i < 4; ++i) {
      EXPECT_THAT(get("/a"), HasSubstr("\r\nStamp: " + stamp + "\r\n"));
      EXPECT_EQ(two_.get("/a").header("stamp"), stamp);
    }
  }
  EXPECT_LT(handler_.made, 3 * 2 * 4) << "some were remembered";
}

}  // namespace
}  // namespace courant::http
