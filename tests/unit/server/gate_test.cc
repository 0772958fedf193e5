// The gate by a clock of the test's own: addresses that fail, and a database that is not heard.
#include "server/admission/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/token.h"
#include "tests/support/moved_clock.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::shared_ptr<const access::Rules> rules_of(const std::string& token, std::set<std::string, std::less<>> is_public) {
  access::KnownToken known;
  known.hash = sha256(token);
  known.grant.number = 1;
  known.grant.scopes = *access::Scopes::parse("read");
  known.grant.on = *access::Pattern::parse_list("closed/*");
  return std::make_shared<const access::Rules>(access::RulesText{false, std::move(is_public), {known}, {}});
}

class GateTest : public testing::Test {
 protected:
  GateTest() {
    const auto at_once = [](const http::Request&, const http::PathArguments&) {
      return std::optional(http::text_response(200, "text/plain", "hidden"));
    };
    router_.add({"/{workspace}/{feed}", http::Method::kGet, nullptr, at_once, nullptr, http::Need::kRead});
    rules_.heard(clock_.ticks());
  }

  // The status of the answer; `detail` is then what it says.
  int ask(const std::string& address, const std::string& authorization, const std::string& workspace = "closed") {
    http::Request request;
    request.method = http::Method::kGet;
    request.method_text = "GET";
    const std::string path = "/" + workspace + "/events";
    request.path = path;
    request.segments = {workspace, "events"};
    request.client_address = address;
    if (!authorization.empty()) request.headers = {{"Authorization", authorization}};
    try {
      gate_.admit(request);
      return gate_.answer_at_once(request)->status;
    } catch (const Problem& problem) {
      detail_ = problem.detail();
      return problem.status();
    }
  }

  const std::string token_ = access::make_token();
  const std::string good_ = "Bearer " + token_;
  const std::string wrong_ = "Bearer crt_" + std::string(32, 'x');
  test::MovedClock clock_;
  Metrics metrics_;
  http::Router router_;
  access::CurrentRules rules_{rules_of(token_, {"news"})};
  Gate gate_{router_, rules_, clock_, metrics_, 3};
  std::string detail_;
};

TEST_F(GateTest, FailuresOfAnIpv6AddressAreThoseOfItsNetwork) {
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(ask("2001:db8:1:2::" + std::to_string(i), wrong_), 401) << i;
  EXPECT_EQ(ask("2001:db8:1:2:ffff:1:2:3", wrong_), 429) << "another address of the same /64";
  EXPECT_EQ(ask("2001:db8:1:3::1", wrong_), 401) << "the next /64";
  EXPECT_EQ(ask("2001:db8:1:2::9", good_), 200) << "good ones are taken all the same";
  clock_.passed = 61s;
  rules_.heard(clock_.ticks());
  EXPECT_EQ(ask("2001:db8:1:2::1", wrong_), 401) << "a minute later";
}

TEST_F(GateTest, AnIpv4AddressIsCountedAloneHoweverItIsWritten) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("192.0.2.1", wrong_), 401);
  EXPECT_EQ(ask("::ffff:192.0.2.1", wrong_), 429) << "the same address, through a socket of IPv6";
  EXPECT_EQ(ask("192.0.2.2", wrong_), 401);
  EXPECT_EQ(ask("::ffff:192.0.2.3", wrong_), 401) << "not its /64, which all of IPv4 has in common";
}

TEST_F(GateTest, WithoutTheDatabaseTokensAreTrustedForThirtySeconds) {
  clock_.passed = 29s;
  EXPECT_EQ(ask("192.0.2.1", good_), 200);
  clock_.passed = 30s;
  EXPECT_EQ(ask("192.0.2.1", good_), 503);
  EXPECT_THAT(detail_, HasSubstr("does not hear at the moment which tokens are good"));
  EXPECT_EQ(ask("192.0.2.1", wrong_), 503) << "it may have been made since";
  EXPECT_EQ(ask("192.0.2.1", "Bearer nonsense"), 401) << "what is no token is not made one by that";
  EXPECT_EQ(ask("192.0.2.1", ""), 401);
  EXPECT_EQ(ask("192.0.2.1", "", "news"), 200) << "what is public asks for none";
  rules_.heard(clock_.ticks());
  EXPECT_EQ(ask("192.0.2.1", good_), 200);
}

}  // namespace
}  // namespace courant::server
