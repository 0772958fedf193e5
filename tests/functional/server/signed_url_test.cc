// URLs that are read without a token: courant sign-url, and another key for what is kept secret.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test::signed_url_test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string entry(const std::string& id, const std::string& category) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>of " + category +
         "</title><category term='" + category + "'/><content>x</content></entry>";
}

class SignedUrlTest : public testing::Test {
 protected:
  SignedUrlTest() : data_(scratch("signed-urls-" + to_hex(random_bytes(4)))) {
    std::filesystem::create_directories(data_);
    server_ = std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--access",
                                                                       "tokens", "--data", data_, "--config",
                                                                       COURANT_SOURCE_DIR "/tests/data/access.toml"});
    client_ = std::make_unique<HttpClient>(server_->port());
    const std::string all = Tokens(database_.url()).make("all", "read,publish", "*");
    EXPECT_TRUE(wait_until([&] { return client_->get("/closed/events", bearer(all)).status == 404; }));
    EXPECT_EQ(client_->post("/closed/events", entry("urn:x:1", "tid:1"), bearer(all)).status, 201);
    EXPECT_EQ(client_->post("/closed/events", entry("urn:x:2", "tid:2"), bearer(all)).status, 201);
  }

  Ran run(std::vector<std::string> words) const {
    words.insert(words.end(), {"--database", database_.url(), "--data", data_});
    return run_courant(std::move(words));
  }
  // The path and query of a signed URL.
  std::string sign(const std::string& target, const std::string& expires,
                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"sign-url", server_->url() + target, "--expires",
                                      expires,    "--public-url",          server_->url()};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = run(words);
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_EQ(ran.output.find(server_->url() + target), 0U) << ran.output;
    return std::string(trim(ran.output.substr(server_->url().size())));
  }

  TestDatabase database_;
  const std::string data_;
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(SignedUrlTest, ReadThatPageAndNothingElse) {
  for (const std::string target : {"/closed/events", "/closed/events?format=rss", "/closed/events/entries/urn:x:1"}) {
    const std::string url = sign(target, "1h");
    for (int again = 0; again < 3; ++again) {
      const Reply reply = client_->get(url);
      EXPECT_EQ(reply.status, 200) << url;
      EXPECT_THAT(reply.body, HasSubstr("of tid:1"));
      EXPECT_THAT(reply.header("Cache-Control"), HasSubstr("private"));
    }
    EXPECT_EQ(client_->get(target).status, 401);
    EXPECT_EQ(client_->get(url + "&format=atom").status, 401);
    EXPECT_EQ(client_->get("/closed/other" + url.substr(url.find('?'))).status, 401);
    EXPECT_EQ(client_->get("/other/events" + url.substr(url.find('?'))).status, 401);
    EXPECT_EQ(client_->post(url, entry("urn:x:3", "a")).status / 100, 4);
    EXPECT_EQ(client_->remove(url).status / 100, 4);
  }
}

TEST_F(SignedUrlTest, EndAtTheirTime) {
  const std::string url = sign("/closed/events", "6s");
  EXPECT_EQ(client_->get(url).status, 200);
  EXPECT_TRUE(wait_until([&] { return client_->get(url).status != 200; }));
  EXPECT_THAT(client_->get(sign("/closed/events", "1h")).body, HasSubstr("of tid:1"));
}

TEST_F(SignedUrlTest, ShowOnlyWhatTheirFilterTakes) {
  const std::string url = sign("/closed/events", "1h", {"--filter", "cat=tid:2"});
  const Reply reply = client_->get(url);
  EXPECT_THAT(reply.body, HasSubstr("of tid:2"));
  EXPECT_THAT(reply.body, Not(HasSubstr("of tid:1")));
  EXPECT_EQ(client_->get(sign("/closed/events/entries/urn:x:1", "1h", {"--filter", "cat=tid:2"})).status, 404);
  EXPECT_EQ(client_->get(sign("/closed/events/archive", "1h", {"--filter", "cat=tid:2"})).status, 403);
  std::string wider = url;
  wider.replace(wider.find("tid%3A2"), 7, "tid%3A1");
  EXPECT_EQ(client_->get(wider).status, 401);
}

TEST_F(SignedUrlTest, OutliveAnotherKeyUntilTheOldOneIsDropped) {
  const std::string old = sign("/closed/events", "1h");
  ASSERT_EQ(client_->get(old).status, 200);
  ASSERT_EQ(run({"rotate-secrets-key"}).status, 0);
  const std::string made = sign("/closed/events", "1h");
  EXPECT_TRUE(wait_until([&] { return client_->get(made).status == 200; }));
  EXPECT_EQ(client_->get(old).status, 200);
  ASSERT_EQ(run({"rotate-secrets-key", "--drop-old"}).status, 0);
  EXPECT_TRUE(wait_until([&] { return client_->get(old).status != 200; }));
  EXPECT_EQ(client_->get(made).status, 200);
}

// POST /-/manage/feeds/{workspace}/{feed}/signed-urls
TEST_F(SignedUrlTest, AreMadeThroughTheApiToo) {
  const std::string admin = Tokens(database_.url()).make("admin", "admin", "closed/*,_courant/*");
  const std::string base = server_->url();
  const auto ask = [&](const nlohmann::json& body, const std::string& feed = "closed/events") {
    return client_->post("/-/manage/feeds/" + feed + "/signed-urls", body.dump(),
                         bearer(admin) + "Content-Type: application/json\r\n");
  };
  ASSERT_TRUE(wait_until([&] { return ask({{"expires_in", "1h"}}).status == 200; }));
  for (const nlohmann::json& body : {nlohmann::json{{"expires_in", "1h"}},
                                     {{"expires_in", "1h"}, {"url", base + "/closed/events?format=rss"}},
                                     {{"expires_in", "1h"}, {"url", "/closed/events/entries/urn:x:1"}}}) {
    const Reply reply = ask(body);
    ASSERT_EQ(reply.status, 200) << reply.body;
    const std::string url = nlohmann::json::parse(reply.body)["url"];
    EXPECT_EQ(url.find(base + "/closed/events"), 0U) << url;
    EXPECT_THAT(client_->get(url.substr(base.size())).body, HasSubstr("of tid:1")) << url;
  }
  const nlohmann::json filtered = nlohmann::json::parse(ask({{"expires_in", "2d"}, {"filter", "cat=tid:2"}}).body);
  EXPECT_THAT(client_->get(filtered["url"].get<std::string>().substr(base.size())).body, Not(HasSubstr("of tid:1")));
  EXPECT_GT(filtered["expires"].get<std::string>(), "2026");
  EXPECT_FALSE(filtered.contains("note"));
  const nlohmann::json open = nlohmann::json::parse(ask({{"expires_in", "2d"}, {"filter", "cat=alpha"}}).body);
  EXPECT_THAT(open.value("note", ""), HasSubstr("the category alpha"));

  for (const nlohmann::json& body : {nlohmann::json::object(),
                                     nlohmann::json{{"expires_in", "0s"}},
                                     {{"expires_in", "36501d"}},
                                     {{"expires_in", "1h"}, {"filter", "(NOT(cat=a))"}},
                                     {{"expires_in", "1h"}, {"url", "/closed/events#x"}},
                                     {{"expires_in", "1h"}, {"url", "/closed/eventsother"}},
                                     {{"expires_in", "1h"}, {"url", "/closed/other"}},
                                     {{"expires_in", "1h"}, {"url", "closed/events"}},
                                     {{"expires_in", "1h"}, {"url", "http://elsewhere.example/closed/events"}},
                                     {{"expires", "1h"}}}) {
    const Reply reply = ask(body);
    EXPECT_EQ(reply.status, 400) << body << reply.body;
  }
  EXPECT_EQ(ask({{"expires_in", "1h"}}, "closed/nothing").status, 404);
  EXPECT_EQ(ask({{"expires_in", "1h"}}, "other/events").status, 403);
  EXPECT_EQ(ask({{"expires_in", "1h"}}, "_courant/audit").status, 403) << "it is read with a token alone";

  nlohmann::json told;
  ASSERT_TRUE(wait_until([&] {
    const Reply audit = client_->get("/_courant/audit?format=cloudevents&limit=100", bearer(admin));
    told = nlohmann::json::array();
    for (const nlohmann::json& event : nlohmann::json::parse(audit.body, nullptr, false)) {
      if (event.is_object() && event["type"] == "courant.audit.url-signed") told.push_back(event);
    }
    return told.size() == 6;
  })) << told;
  EXPECT_EQ(told[1]["subject"], "closed/events");
  EXPECT_EQ(told[1]["data"]["filter"], "+tid:2");
  EXPECT_EQ(told[1]["data"]["url"], "/closed/events");
  EXPECT_EQ(told[1]["data"]["expires"], filtered["expires"]);
  EXPECT_THAT(told.dump(), Not(HasSubstr("signature")));
}

TEST_F(SignedUrlTest, OnlyWhatIsOursIsSigned) {
  const std::string base = server_->url();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"sign-url", "http://elsewhere.example/demo/events", "--expires", "1h"},
        {"sign-url", base + "/closed/events", "--expires", "0s"},
        {"sign-url", base + "/closed/events#x", "--expires", "1h"},
        {"sign-url", base + "/closed/events", "--expires", "1h", "--filter", "(NOT(cat=a))"}}) {
    std::vector<std::string> all = words;
    all.insert(all.end(), {"--public-url", base});
    EXPECT_EQ(run(all).status, 2);
  }
}

// Commands show a token that is in a file or the environment, and to the server alone that they were told of.
TEST_F(SignedUrlTest, CommandsTakeTheirTokenFromAFileOrTheEnvironment) {
  const std::string token = Tokens(database_.url()).make("command", "read,publish", "closed/*");
  ASSERT_TRUE(wait_until([&] { return client_->get("/closed/events", bearer(token)).status == 200; }));
  const std::string file = scratch("token.txt");
  const std::string text = scratch("entry-for-token.xml");
  std::ofstream(file) << token << "\n";
  std::ofstream(text) << entry("urn:x:9", "tid:9");
  const std::string feed = server_->url() + "/closed/events";
  EXPECT_THAT(run_courant({"publish", feed, text}).output, HasSubstr("401"));
  EXPECT_THAT(run_courant({"publish", "--token-file", file, feed, text}).output, HasSubstr("1 published"));
  EXPECT_THAT(run_courant({"publish", "--token-file", "/nowhere", feed, text}).output, HasSubstr("cannot be read"));
  EXPECT_THAT(run_courant({"tail", feed, "--token-file", file, "--from", "0", "--count", "1"}).output,
              HasSubstr("urn:x:1"));
  EXPECT_EQ(run_courant({"verify", feed, "--token-file", file, "--state", scratch("token-verified.json")}).status, 0);
  ::setenv("COURANT_TOKEN", token.c_str(), 1);
  EXPECT_THAT(run_courant({"tail", feed, "--from", "0", "--count", "1"}).output, HasSubstr("urn:x:1"));
  EXPECT_THAT(run_courant({"publish", "--spool", scratch("token-spool"), feed, text}).output,
              HasSubstr("1 stored before"));
  ::unsetenv("COURANT_TOKEN");
}

}  // namespace
}  // namespace courant::test::signed_url_test
