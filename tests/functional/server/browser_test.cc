// A browser, Chromium, shows a feed over TLS and HTTP/2 and follows its events, also over a restart of the server.
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/contents.h"
#include "tests/support/test_database.h"
#include "tests/support/wire_server.h"

namespace courant::test::browser_test {
namespace {

using testing::HasSubstr;

class BrowserTest : public testing::Test {
 protected:
  BrowserTest() {
    std::filesystem::remove(output_);
    std::filesystem::remove_all(profile_);
  }

  void publish(int number) {
    const std::string id = std::to_string(number);
    ASSERT_EQ(HttpClient(server_.port())
                  .post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id +
                                            "</id><title>Title of " + id + "</title><content>c</content></entry>")
                  .status,
              201);
  }
  std::string seen() const { return contents_of(output_); }
  bool sees(const std::string& line) const {
    return wait_until([&] { return ("\n" + seen()).find("\n" + line + "\n") != std::string::npos; });
  }

  const std::string output_ = scratch("browser.txt");
  const std::string profile_ = scratch("browser-profile");
  TestDatabase database_;
  WireServer server_{database_.url()};
};

TEST_F(BrowserTest, ShowsAFeedAndFollowsItOverARestart) {
  publish(1);
  Process browser({"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/browser.py",
                   "https://127.0.0.1:" + std::to_string(server_.tls_port()) + "/demo/events", profile_},
                  output_);
  ASSERT_TRUE(sees("following")) << seen();
  EXPECT_TRUE(sees("title events: Title of 1")) << seen();
  EXPECT_TRUE(sees("protocol h2")) << seen();
  EXPECT_TRUE(sees("policy refused")) << "our own pages run one script: " << seen();
  for (int number = 2; number <= 20; ++number) publish(number);
  ASSERT_TRUE(sees("event 20")) << seen();
  server_.program().kill_and_restart();
  for (int number = 21; number <= 40; ++number) publish(number);
  ASSERT_TRUE(sees("event 40")) << seen();
  std::string all;
  for (int number = 2; number <= 40; ++number) all += "event " + std::to_string(number) + "\n";
  const std::string text = seen();
  EXPECT_EQ(text.substr(text.find("event ")), all) << "each once, in order, none lost";
}

}  // namespace
}  // namespace courant::test::browser_test
