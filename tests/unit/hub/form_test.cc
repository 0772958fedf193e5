#include "hub/form.h"

#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::hub {
namespace {

constexpr std::string_view kSound =
    "hub.mode=subscribe&hub.topic=http%3A%2F%2Fx.example%2Fa%2Fb&hub.callback=https%3A%2F%2Fy.example%2Fcb%3Fq%3D1";

std::string refusal_of(const std::string& form, bool allow_http = true) {
  try {
    parse_form(form, allow_http);
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 400);
    return problem.detail();
  }
  return "";
}

TEST(Form, ReadsASubscription) {
  const HubRequest request = parse_form(std::string(kSound) + "&hub.lease_seconds=60&hub.secret=s&unknown=1", true);
  ASSERT_TRUE(request.subscriber);
  EXPECT_TRUE(request.subscriber->is_subscribe);
  EXPECT_EQ(request.subscriber->topic, "http://x.example/a/b");
  EXPECT_EQ(request.subscriber->callback, "https://y.example/cb?q=1");
  EXPECT_EQ(request.subscriber->lease, std::chrono::seconds(60));
  EXPECT_EQ(request.subscriber->secret, "s");
  EXPECT_FALSE(request.subscriber->is_old_style);
}

TEST(Form, EmptyLeaseAndSecretCountAsNotGiven) {
  const HubRequest request = parse_form(std::string(kSound) + "&hub.lease_seconds=&hub.secret=", true);
  EXPECT_FALSE(request.subscriber->lease);
  EXPECT_FALSE(request.subscriber->secret);
}

TEST(Form, APublisherMayNameManyTopicsByEitherName) {
  const HubRequest request = parse_form("hub.mode=publish&hub.url=a&hub.topic=b&hub.url=c", true);
  ASSERT_TRUE(request.publisher);
  EXPECT_EQ(request.publisher->topics, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Form, RefusesWhatIsUnsound) {
  EXPECT_EQ(refusal_of("hub.mode=subscribe&%zz"), "The form holds a '%' that no two hexadecimal digits follow");
  EXPECT_EQ(refusal_of(std::string(kSound) + "&hub.lease_seconds=-1"),
            "hub.lease_seconds must be a whole number of seconds");
  EXPECT_EQ(refusal_of("hub.mode=subscribe&hub.topic=http://x.example/&hub.callback=http://y.example/", false),
            "hub.callback must be an https URL on this hub");
  EXPECT_EQ(refusal_of("hub.mode=subscribe&hub.topic=http://x.example/&hub.callback=http://u:p@y.example/"),
            "hub.callback must not hold a user name or password");
  EXPECT_EQ(refusal_of("hub.mode=subscribe&hub.topic=http://x.example/%0d%0aX:1&hub.callback=https://y.example/"),
            "hub.topic must be UTF-8 text without line breaks and NUL");
  EXPECT_NE(refusal_of("hub.mode=subscribe&hub.topic=x&hub.callback=https://y.example/" + std::string(3000, 'a')), "");
}

TEST(Form, ASecretMayTravelInTheClearOnLoopbackOnly) {
  const std::string to = "hub.mode=subscribe&hub.topic=x&hub.secret=s&hub.callback=http://";
  for (const char* const host : {"127.0.0.1:9/", "localhost/", "[::1]:80/cb"}) EXPECT_EQ(refusal_of(to + host), "");
  for (const char* const host : {"10.0.0.1/", "y.example/", "127.0.0.1.example/"}) EXPECT_NE(refusal_of(to + host), "");
}

}  // namespace
}  // namespace courant::hub
