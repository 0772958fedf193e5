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

// WebSub 5.1: "hub.secret ... This parameter MUST be less than 200 bytes in length."
TEST(Form, ASecretIsLessThan200Bytes) {
  EXPECT_EQ(refusal_of(std::string(kSound) + "&hub.secret=" + std::string(199, 's')), "");
  EXPECT_EQ(refusal_of(std::string(kSound) + "&hub.secret=" + std::string(200, 's')),
            "hub.secret must be less than 200 bytes");
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += "%C3%A9";
  EXPECT_EQ(refusal_of(std::string(kSound) + "&hub.secret=" + bytes), "hub.secret must be less than 200 bytes")
      << "of 100 characters";
}

TEST(Form, ACallbackIsAnHttpUrlWithoutFragmentAndCredentials) {
  const std::string to = "hub.mode=subscribe&hub.topic=x&hub.callback=";
  for (const char* const callback :
       {"ftp://y.example/", "javascript:alert(1)", "file:///etc/passwd", "gopher://y.example/", "ws://y.example/",
        "//y.example/", "y.example/cb", "http:/y.example", "http://", "https:///cb", "http://:80/", "http:y.example",
        "http://y.example/a%20b", "http://y.example/%5c%22", "http://y.example:0/", "http://y.example:65536/",
        "http://y.example:8o/", "http://[::1/", "http://y.example/%250"}) {
    EXPECT_EQ(refusal_of(to + callback), "hub.callback must be an absolute http or https URL") << callback;
  }
  for (const char* const callback :
       {"https://y.example/%23", "https://y.example/cb%23part", "https://y.example/?a%23"}) {
    EXPECT_EQ(refusal_of(to + callback), "hub.callback must not have a fragment") << callback;
  }
  for (const char* const callback : {"https://u@y.example/", "https://u:p@y.example/", "https://:p@y.example/",
                                     "https://:@y.example/", "https://a@b@y.example/"}) {
    EXPECT_EQ(refusal_of(to + callback), "hub.callback must not hold a user name or password") << callback;
  }
  for (const char* const callback : {"HTTP://Y.example/", "https://y.example", "https://y.example:8443/a?b=c%26d=e"}) {
    EXPECT_EQ(refusal_of(to + callback), "") << callback;
  }
}

TEST(Form, ASecretMayTravelInTheClearOnLoopbackOnly) {
  const std::string to = "hub.mode=subscribe&hub.topic=x&hub.secret=s&hub.callback=http://";
  for (const char* const host : {"127.0.0.1:9/", "localhost/", "[::1]:80/cb", "127.1/", "LOCALHOST./"})
    EXPECT_EQ(refusal_of(to + host), "");
  for (const char* const host :
       {"10.0.0.1/", "y.example/", "127.0.0.1.example/", "128.0.0.1/", "[::2]/", "localhost.example/"})
    EXPECT_NE(refusal_of(to + host), "");
}

}  // namespace
}  // namespace courant::hub
