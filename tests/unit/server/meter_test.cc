// The meter by a clock of the test's own: whose bucket is taken from.
#include "server/admission/meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/identity.h"
#include "kernel/problem.h"
#include "tests/support/moved_clock.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

// Finds out who asks by the token "good", and lets everybody in but who shows another one.
class Doorman final : public http::Handler {
 public:
  std::uint64_t admit(http::Request& request) override {
    const auto token = request.header("authorization");
    if (token && *token != "good") throw Problem(401, "no such token");
    if (token)
      request.identity = std::make_shared<const access::Identity>(access::Identity::of_token({7, "a", {}, {}, {}, {}}));
    ++let_in;
    return 0;
  }
  std::optional<http::Response> answer_at_once(const http::Request&) override {
    return http::text_response(200, "text/plain", "x");
  }
  http::Task<http::Response> answer(const http::Request&) override { co_return http::Response{}; }
  int let_in = 0;
};

class MeterTest : public testing::Test {
 protected:
  static MeterOptions options() {
    MeterOptions options;
    options.per_address[0] = 3;
    options.per_token[0] = 2;
    options.is_workspace = [](std::string_view) { return true; };
    return options;
  }

  // The status of the answer; `left_` is then what its RateLimit field says.
  int ask(const std::string& address, const std::string& token = {}) {
    http::Request request;
    request.method = http::Method::kGet;
    request.path = "/demo/events";
    request.segments = {"demo", "events"};
    request.client_address = address;
    if (!token.empty()) request.headers = {{"Authorization", token}};
    http::Response response;
    try {
      meter_.admit(request);
      response = meter_.finished(*meter_.answer_at_once(request), request);
    } catch (const Problem& problem) {
      response.status = problem.status();
      for (const auto& [name, value] : problem.headers()) response.with(name, value);
    }
    meter_.stamp(response, request);
    left_.clear();
    for (const auto& [name, value] : response.headers) {
      if (name == "RateLimit") left_ += value;
    }
    return response.status;
  }

  test::MovedClock clock_;
  Metrics metrics_;
  Usage usage_{"test", 0s, clock_};
  Doorman doorman_;
  Meter meter_{doorman_, options(), usage_, clock_, metrics_};
  std::string left_;
};

TEST_F(MeterTest, AddressesOfOneIpv6NetworkShareABucket) {
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(ask("2001:db8:1:2::" + std::to_string(i)), 200) << i;
  EXPECT_EQ(left_, "\"requests\";r=0;t=60");
  EXPECT_EQ(ask("2001:db8:1:2:ffff:1:2:3"), 429) << "another address of the same /64";
  EXPECT_EQ(ask("2001:db8:1:2:ffff:1:2:3", "bad"), 429) << "a wrong token is its address";
  EXPECT_EQ(ask("2001:db8:1:3::1"), 200) << "the next /64";
  EXPECT_EQ(ask("192.0.2.1"), 200);
  EXPECT_EQ(ask("192.0.2.2"), 200);
  EXPECT_THAT(left_, StartsWith("\"requests\";r=2;")) << "each IPv4 address by itself";
  EXPECT_EQ(ask("2001:db8:1:2::1", "good"), 200) << "a good token is not its address";
  EXPECT_THAT(left_, StartsWith("\"requests\";r=1;"));
  clock_.passed = 20s;
  EXPECT_EQ(ask("2001:db8:1:2::9"), 200) << "a third of a minute later";
  EXPECT_EQ(ask("2001:db8:1:2::9"), 429);
}

TEST_F(MeterTest, ATokenIsTheSameFromAllItsAddresses) {
  EXPECT_EQ(ask("192.0.2.1", "good"), 200);
  EXPECT_EQ(ask("2001:db8::1", "good"), 200);
  EXPECT_EQ(ask("192.0.2.3", "good"), 429);
  EXPECT_EQ(ask("192.0.2.3"), 200);
  EXPECT_THAT(left_, StartsWith("\"requests\";r=2;")) << "nothing was taken from its address";
}

// Whatever is behind the meter is not asked for those who show nothing and have nothing left.
TEST_F(MeterTest, AFloodWithoutCredentialsEndsAtTheMeter) {
  for (int i = 0; i < 100; ++i) ask("192.0.2.1");
  EXPECT_EQ(doorman_.let_in, 3);
}

}  // namespace
}  // namespace courant::server
