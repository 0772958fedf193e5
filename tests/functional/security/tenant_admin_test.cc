// A tenant's own admin, who may do as he likes with his workspace, as an attacker of all others: whatever he sends, the
// server goes on, does its work for others, and tells truly what was done.
#include <set>

#include <nlohmann/json.hpp>

#include "sql/database.h"
#include "tests/functional/security/fixture.h"

namespace courant::test::tenant_admin_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kJson = "Content-Type: application/json\r\n";

class TenantAdminTest : public Security {
 protected:
  TenantAdminTest() {
    tenant_ = tokens_.make("tenant", "admin", "other/*");
    EXPECT_TRUE(wait_until([&] { return client_.get("/-/manage/workspaces/other", bearer(tenant_)).status == 200; }));
  }
  Reply put(const std::string& path, const std::string& body) {
    return client_.put("/-/manage" + path, body, bearer(tenant_) + kJson);
  }
  Reply post(const std::string& path, const std::string& body, const std::string& token) {
    return client_.post("/-/manage" + path, body, bearer(token) + kJson);
  }
  // The server has not been away.
  void expect_alive() {
    EXPECT_EQ(client_.get("/-/health/live").status, 200);
    EXPECT_FALSE(server_.process().ended());
  }
  void restart() {
    server_.kill_and_restart();
    client_ = HttpClient(server_.port());
  }
  void execute(const std::string& script) const { sql::Session(database_.url()).execute_script(script); }

  std::string tenant_;
};

// As text, since no library would write it so deep.
std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += "1";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST_F(TenantAdminTest, NoTimeIsTooFarAway) {
  for (const std::string duration : {"9000000d", "4000000d", "36501d", "1000000000h"}) {
    EXPECT_EQ(post("/tokens", json{{"name", "far"}, {"on", "*"}, {"expires_in", duration}}.dump(), all_).status, 400)
        << duration;
    const Reply feed = put("/feeds/other/far", json{{"retain", duration}}.dump());
    EXPECT_EQ(feed.status, 400) << duration << feed.body;
    EXPECT_EQ(put("/workspaces/other", json{{"read", "private"}, {"expire_idle", duration}}.dump()).status, 400);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"token", "create", "far", "--on", "other/*", "--expires", duration},
          {"sign-url", "http://127.0.0.1/other/far", "--expires", duration}}) {
      const Ran ran = tokens_.run(words);
      EXPECT_NE(ran.status, 0) << duration;
      EXPECT_THAT(ran.output, HasSubstr("36500d"));
    }
  }
  EXPECT_EQ(put("/feeds/other/far", R"({"retain": "99999999999999999999 entries"})").status, 400);
  EXPECT_EQ(put("/feeds/other/far", R"({"retain": "9223372036854775807 entries"})").status, 400);
  EXPECT_EQ(post("/tokens", R"({"name": "far", "on": "other/*", "expires_in": "36500d"})", all_).status, 201);
  EXPECT_EQ(put("/feeds/other/far", R"({"retain": "36500d"})").status, 201);
  expect_alive();
}

// The folder, and which files are in it, is the operator's.
TEST_F(TenantAdminTest, FilesOfTheServerAreNotToldOf) {
  const std::string folder = COURANT_SOURCE_DIR "/tests/data";
  std::set<std::string> answers;
  for (const std::string name : {"nothing.rng", "access.toml", "../data", "/etc/passwd", "events"}) {
    for (const json& body : {json{{"schema", {name}}}, json{{"stylesheet", name}}}) {
      const Reply refused = put("/feeds/other/x", body.dump());
      EXPECT_EQ(refused.status, 409) << body << refused.body;
      EXPECT_THAT(refused.body, testing::Not(HasSubstr(folder)));
      answers.insert(json::parse(refused.body)["detail"].get<std::string>());
    }
  }
  EXPECT_THAT(answers, testing::SizeIs(1)) << json(answers);
  EXPECT_THAT(put("/feeds/other/x", R"({"assert": [["((", "no"]]})").body, HasSubstr("(("))
      << "what is his own he is told of";
  const Reply to_operator =
      client_.put("/-/manage/feeds/other/x", R"({"schema": ["nothing.rng"]})", bearer(all_) + kJson);
  EXPECT_THAT(to_operator.body, HasSubstr(folder));
}

// However they have come there: by a program of before, or by hand.
TEST_F(TenantAdminTest, WhatNoTimeIsStandsInTheDatabaseAndEndsNoServer) {
  const std::string odd = tokens_.make("odd", "read", "closed/*");
  ASSERT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(odd)).status == 200; }));
  for (const std::string when : {"infinity", "26667-01-01 00:00:00+00", "9999-12-31 23:00:00+00"}) {
    execute("update access_tokens set expires = '" + when + "' where name = 'odd'");
    EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(odd)).status == 401; })) << when;
    EXPECT_EQ(client_.get("/closed/events", bearer(all_)).status, 200);
    const Reply list = client_.get("/-/manage/tokens", bearer(all_));
    EXPECT_EQ(list.status, 200);
    EXPECT_THAT(list.body, HasSubstr("\"odd\""));
    const Ran listed = tokens_.run({"token", "list"});
    EXPECT_EQ(listed.status, 0) << listed.output;
    EXPECT_THAT(listed.output, testing::ContainsRegex("odd  read  on closed/\\*  .*not understood"));
    execute("update access_tokens set expires = null where name = 'odd'");
    EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(odd)).status == 200; }));
  }
  execute("update access_tokens set expires = 'infinity', created = '-infinity' where name = 'odd'");
  restart();
  EXPECT_EQ(client_.get("/closed/events", bearer(all_)).status, 200);
  EXPECT_THAT(log(), HasSubstr("a token is not understood, and not taken"));
  EXPECT_EQ(tokens_.run({"token", "revoke", "odd"}).status, 0);
}

// An entry, too: whoever reads it is told that something is wrong, and nobody else notices.
TEST_F(TenantAdminTest, AnEntryOfNoTimeHurtsNobodyElse) {
  execute("update entries set updated = 'infinity'");
  restart();
  EXPECT_EQ(client_.get("/closed/events", bearer(all_)).status, 500);
  EXPECT_EQ(client_.post("/news/others", entry("urn:x:2", "open"), bearer(all_) + kAtom).status, 201);
  EXPECT_EQ(client_.get("/news/others").status, 200);
  expect_alive();
}

TEST_F(TenantAdminTest, DeepBodiesAreRefused) {
  const Reply known = put("/feeds/other/deep", R"({"assert": [["1 = 1", "is so"]]})");
  EXPECT_EQ(known.status, 201) << known.body;
  for (const std::size_t depth : {20U, 1'000U, 32'000U, 32'700U}) {
    for (const std::string& value : {nested(depth, "[", "]"), nested(depth / 6, "{\"a\":", "}")}) {
      const std::string body = "{\"title\":" + value + "}";
      const Reply refused = put("/feeds/other/deep", body);
      EXPECT_EQ(refused.status, 400) << depth;
      EXPECT_EQ(put("/workspaces/other", body).status, 400) << depth;
      EXPECT_EQ(post("/tokens", body, all_).status, 400) << depth;
      EXPECT_EQ(post("/feeds/other/deep/redactions", body, tenant_).status, 400) << depth;
      EXPECT_EQ(post("/generation", body, all_).status, 400) << depth;
    }
    EXPECT_EQ(put("/feeds/other/deep", nested(depth, "[", "]")).status, 400) << depth;
    EXPECT_EQ(put("/feeds/other/deep", std::string(depth, '[')).status, 400) << depth;
  }
  expect_alive();
}

// What is read by recursion in libraries, too: expressions of XPath, HTML of entries.
TEST_F(TenantAdminTest, DeepExpressionsAndMarkupAreRefused) {
  const auto assertion = [this](const std::string& xpath) {
    return put("/feeds/other/deep", json{{"assert", json::array({json::array({xpath, "is so"})})}}.dump()).status;
  };
  EXPECT_EQ(assertion("1 = 1"), 201);
  for (const std::size_t depth : {400U, 4'900U, 30'000U}) {
    assertion(nested(depth, "(", ")"));
    assertion(std::string(2 * depth, '-') + "1");
    assertion(nested(std::min<std::size_t>(depth, 15'000), "a[", "]"));
    assertion(nested(std::min<std::size_t>(depth, 7'000), "not(", ")"));
    expect_alive();
  }
  for (const std::size_t depth : {250U, 10'000U, 30'000U}) {
    const std::string html = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(depth) +
                             "</id><title>t</title><content type='html'>" + nested(depth, "&lt;b>", "") +
                             "</content></entry>";
    EXPECT_EQ(client_.post("/other/markup", html, bearer(tenant_) + kAtom).status, 201);
    client_.get("/other/markup", bearer(tenant_) + "Accept: text/html\r\n");
    expect_alive();
  }
}

// Its own feeds are not kept as they should be; all others are. The ten stand in lanes before and behind the two.
TEST_F(TenantAdminTest, FeedsThatTheJanitorCannotLookAfterKeepItFromNoOther) {
  const auto make = [&](const std::string& feed, const std::string& retain) {
    const std::string settings = R"({"page_size": 1, "retain": ")" + retain + R"("})";
    return client_.put("/-/manage/feeds" + feed, settings, bearer(all_) + kJson).status;
  };
  std::vector<std::string> broken;
  for (int i = 0; i < 10; ++i) broken.push_back("/other/broken" + std::to_string(i));
  for (const std::string& feed : broken) ASSERT_EQ(make(feed, "36500d"), 201);
  for (const std::string feed : {"/closed/aaa", "/closed/zzz"}) ASSERT_EQ(make(feed, "2 entries"), 201);
  const auto publish = [&](const std::string& feed, int number) {
    return client_.post(feed, entry("urn:x:" + std::to_string(number), "c"), bearer(all_) + kAtom).status;
  };
  for (const std::string& feed : broken) ASSERT_EQ(publish(feed, 1), 201);
  execute(
      "update entries set recorded = 'infinity' where (lane, feed) in (select lane, feed from feeds where name like "
      "'broken%')");
  execute(
      "update feeds set settings = jsonb_set(settings, '{retain_seconds}', '777600000000') where name = 'broken1'; "
      "update workspaces set settings = jsonb_set(settings, '{expire_idle_seconds}', '777600000000') "
      "where name = 'other'");
  restart();
  for (int i = 1; i <= 9; ++i) {
    for (const std::string feed : {"/closed/aaa", "/closed/zzz"}) ASSERT_EQ(publish(feed, i), 201);
  }
  for (const std::string feed : {"/closed/aaa", "/closed/zzz"}) {
    EXPECT_TRUE(wait_until([&] { return client_.get(feed + "/archive/1", bearer(all_)).status == 410; })) << feed;
  }
  EXPECT_THAT(log(), HasSubstr("the janitor cannot look after something"));
  expect_alive();
}

}  // namespace
}  // namespace courant::test::tenant_admin_test
