// The operator's dashboard in Chromium, and what its pages say to programs.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/contents.h"
#include "tests/support/raw_client.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::dashboard_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class DashboardTest : public testing::Test {
 protected:
  DashboardTest() {
    std::filesystem::remove(output_);
    std::filesystem::remove_all(profile_);
    EXPECT_TRUE(wait_until([&] { return HttpClient(operations_).get("/health").status == 200; }));
  }

  void publish(const std::string& feed) {
    const Reply reply =
        HttpClient(server_.port())
            .post("/demo/" + feed,
                  "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>");
    ASSERT_EQ(reply.status, 201) << reply.body;
  }
  // What the browser has shown last.
  json seen() const {
    std::ifstream file(output_);
    json last = json::object();
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("{") && line.ends_with("}")) last = json::parse(line);
    }
    return last;
  }
  bool shows(const std::string& text) const {
    return wait_until([&] { return seen().value("text", "").find(text) != std::string::npos; });
  }

  const std::string output_ = scratch("dashboard.txt");
  const std::string profile_ = scratch("dashboard-profile");
  TestDatabase database_;
  const std::uint16_t operations_ = static_cast<std::uint16_t>(free_port());
  CourantServer server_{{"--database", database_.url(), "--operations", "127.0.0.1:" + std::to_string(operations_)}};
  const std::string topic_ = server_.url() + "/demo/events";
};

TEST_F(DashboardTest, MovesWithWhatIsPublished) {
  publish("events");
  publish("others");
  Process browser({"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/browser_dashboard.py",
                   "http://127.0.0.1:" + std::to_string(operations_) + "/", profile_},
                  output_);
  ASSERT_TRUE(shows("2 since the start")) << seen();
  ASSERT_TRUE(wait_until([&] { return seen().value("chart", "").find('L') != std::string::npos; })) << seen();
  const std::string before = seen().at("chart");
  for (int i = 0; i < 40; ++i) publish("events");
  EXPECT_TRUE(shows("42 since the start")) << seen();
  EXPECT_TRUE(wait_until([&] { return seen().at("chart") != before; }));
  EXPECT_TRUE(shows("demo/events\t41")) << seen();
  EXPECT_THAT(seen().at("text"), HasSubstr("ready"));

  EXPECT_EQ(seen().at("errors"), json::array()) << "its own policy lets it do all that it does";

  // On a phone nothing has to be moved to the side; light and dark are different.
  EXPECT_EQ(seen().at("window"), 390);
  EXPECT_LE(seen().at("width"), 390);
  EXPECT_NE(seen().at("grounds")[0], seen().at("grounds")[1]);

  server_.process().signal(SIGKILL);
  EXPECT_TRUE(shows("the server does not answer")) << seen();
}

TEST_F(DashboardTest, ShowsWhoLags) {
  Subscriber subscriber([](const SinkRequest&) { return SinkReply{.status = 500}; });
  publish("events");
  ASSERT_EQ(subscriber.ask(server_, "subscribe", topic_), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.verifications().empty(); }));
  publish("events");
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  HttpClient operations(operations_);
  json status;
  ASSERT_TRUE(wait_until([&] {
    status = json::parse(operations.get("/status.json").body);
    return !status.at("hub").at("worst").empty();
  }));
  const json& worst = status.at("hub").at("worst")[0];
  EXPECT_EQ(worst.at("topic"), "/demo/events");
  EXPECT_EQ(worst.at("positions_behind"), 1);
  EXPECT_EQ(status.at("feeds")[0], (json{{"name", "demo/events"}, {"head", 2}}));
  EXPECT_EQ(status.at("metrics").at("courant_entries_published_total")[0].at("value"), 2);
  Process browser({"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/browser_dashboard.py",
                   "http://127.0.0.1:" + std::to_string(operations_) + "/", profile_},
                  output_);
  EXPECT_TRUE(shows("127.0.0.1: ")) << seen();
  EXPECT_THAT(seen().at("text"), HasSubstr("the longest first"));
}

// The page's own files with a status in which everything that comes from others is markup.
TEST_F(DashboardTest, NamesOfOthersAreText) {
  const std::string markup = "<b>bold</b><img src=x>";
  json status = json::parse(HttpClient(operations_).get("/status.json").body);
  status["feeds"] = {{{"name", markup + "feed"}, {"head", 1}}};
  status["version"] = markup + "version";
  status["hub"]["worst"] = {{{"topic", markup + "topic"},
                             {"host", markup + "host"},
                             {"state", markup + "state"},
                             {"last_error", markup + "error"},
                             {"positions_behind", 1},
                             {"seconds_behind", 1}}};
  status["metrics"]["courant_http_requests_total"] = {{{"route", markup + "route"}, {"status", "2xx"}, {"value", 1}}};
  status["metrics"]["courant_http_limits_total"] = {{{"limit", markup + "limit"}, {"value", 1}}};
  const auto file = [](const std::string& name, const std::string& type) {
    return SinkReply{.status = 200,
                     .headers = {{"Content-Type", type}},
                     .body = contents_of(COURANT_SOURCE_DIR "/server/operations/dashboard/" + name)};
  };
  Sink sink([&](const SinkRequest& request) {
    if (request.target == "/") return file("page.html", "text/html");
    if (request.target == "/dashboard.js") return file("script.js", "text/javascript");
    if (request.target == "/dashboard.css") return file("style.css", "text/css");
    return SinkReply{.status = 200, .headers = {{"Content-Type", "application/json"}}, .body = status.dump()};
  });
  Process browser(
      {"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/browser_dashboard.py", sink.url("/"), profile_}, output_);
  ASSERT_TRUE(shows(markup + "feed")) << seen();
  for (const char* const what : {"version", "topic", "host", "state", "error", "route", "limit"}) {
    EXPECT_THAT(seen().at("text"), HasSubstr(markup + what));
  }
  EXPECT_EQ(seen().at("foreign"), 0);
}

TEST_F(DashboardTest, IsForNobodyElse) {
  HttpClient client(operations_);
  for (const char* const path :
       {"/", "/dashboard.js", "/dashboard.css", "/status.json", "/metrics", "/hub", "/health"}) {
    const Reply reply = client.get(path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_THAT(reply.header("Content-Security-Policy"), HasSubstr("default-src 'none'")) << path;
    EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(reply.header("Cache-Control"), "no-store") << path;
  }
  const auto status_for = [&](const std::string& host) {
    RawClient raw(operations_);
    raw.send("GET /status.json HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return raw.read_response().substr(9, 3);
  };
  EXPECT_EQ(status_for("127.0.0.1:" + std::to_string(operations_)), "200");
  EXPECT_EQ(status_for("localhost"), "200");
  EXPECT_EQ(status_for("rebound.example"), "421") << "a web page that has this address under a name of its own";
  EXPECT_EQ(client.post("/status.json", "x").status, 405);
  EXPECT_THAT(client.get("/").body, Not(HasSubstr("http")));
}

}  // namespace
}  // namespace courant::test::dashboard_test
