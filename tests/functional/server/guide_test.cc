// The programs that the guides show do what the guides say.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel/uri.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::guide_test {
namespace {

class GuideTest : public testing::TestWithParam<std::string> {
 protected:
  GuideTest() { std::filesystem::remove(output_); }

  void publish(int number) {
    const std::string id = std::to_string(number);
    ASSERT_EQ(HttpClient(server_.port())
                  .post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id +
                                            "</id><title>t</title><content>c</content></entry>")
                  .status,
              201);
  }
  std::string seen() const { return contents_of(output_); }
  bool sees(const std::string& text) const {
    return wait_until([&] { return seen().find(text) != std::string::npos; });
  }
  void subscribe(const std::string& secret) {
    const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(server_.url() + "/demo/events") +
                             "&hub.callback=http://127.0.0.1:" + std::to_string(callback_port_) +
                             "/cb&hub.secret=" + secret;
    ASSERT_EQ(
        HttpClient(server_.port()).post("/hub", form, "Content-Type: application/x-www-form-urlencoded\r\n").status,
        202);
  }
  std::int64_t delivered() {
    return session_.run(sql::Query{"delivered", "select coalesce(max(cursor), 0) from subscriptions"})[0].integer(0);
  }
  std::int64_t failures() {
    return session_.run(sql::Query{"failures", "select coalesce(max(failures), 0) from subscriptions"})[0].integer(0);
  }

  const std::string output_ = scratch("guide-subscriber.txt");
  const int callback_port_ = free_port();
  TestDatabase database_;
  sql::Session session_{database_.url()};
  CourantServer server_{{"--database", database_.url()}};
};

TEST_P(GuideTest, TheSubscriberConfirmsChecksHealsAndTakes) {
  publish(1);
  publish(2);
  Process subscriber({"/usr/bin/python3", "-u", COURANT_SOURCE_DIR "/tests/support/guide_subscriber.py",
                      COURANT_SOURCE_DIR "/docs/SUBSCRIBERS.md", GetParam(), std::to_string(server_.port()),
                      std::to_string(callback_port_)},
                     output_);
  subscribe("correct-horse");
  ASSERT_TRUE(sees("page of the subscription: " + server_.url() + "/hub/s/")) << seen();
  ASSERT_TRUE(wait_until([&] { return delivered() == 2; })) << "verified";
  publish(3);
  ASSERT_TRUE(sees("<id>urn:x:3</id>")) << seen();
  EXPECT_TRUE(sees("<id>urn:x:1</id>")) << "healed: " << seen();
  ASSERT_TRUE(wait_until([&] { return delivered() == 3; }));

  subscribe("another");
  ASSERT_TRUE(wait_until([&] {
    return session_.run(sql::Query{"waiting", "select count(*) from hub_requests"})[0].integer(0) == 0;
  }));
  publish(4);
  ASSERT_TRUE(wait_until([&] { return failures() > 0; })) << "what is not signed with its secret is not taken";
  EXPECT_EQ(seen().find("<id>urn:x:4</id>"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Signatures, GuideTest, testing::Values("X-Hub-Signature", "webhook-signature"),
                         [](const auto& signature) { return signature.param.substr(0, 1); });

}  // namespace
}  // namespace courant::test::guide_test
