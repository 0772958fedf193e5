// The management API: what each route does, to whom it does it, and that it is told of.
#include <algorithm>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test::manage_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJson = "Content-Type: application/json\r\n";

std::string entry(const std::string& id, const std::string& content = "x") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>t</title><content>" + content +
         "</content></entry>";
}

class ManageTest : public testing::Test {
 protected:
  TestDatabase database_;
  Tokens tokens_{database_.url()};
  const std::string admin_ = tokens_.make("admin", "admin", "*");  // known to the server from its start
  const std::string as_admin_ = bearer(admin_);
  CourantServer server_{with_tokens(database_.url())};
  HttpClient client_{server_.port(), false};

  // Once the server knows it; wrong credentials are 429 where there were many.
  std::string heard(const std::string& token) {
    EXPECT_TRUE(wait_until([&] {
      const int status = client_.get("/-/manage/generation", bearer(token)).status;
      return status != 401 && status != 429;
    }));
    return token;
  }
  Reply get(const std::string& path) { return client_.get("/-/manage" + path, as_admin_); }
  Reply put(const std::string& path, const json& body) {
    return client_.put("/-/manage" + path, body.dump(), as_admin_ + kJson);
  }
  Reply post(const std::string& path, const json& body) {
    return client_.post("/-/manage" + path, body.dump(), as_admin_ + kJson);
  }
  Reply post(const std::string& path) { return client_.post("/-/manage" + path, "", as_admin_); }
  Reply remove(const std::string& path, const std::string& more = {}) {
    return client_.remove("/-/manage" + path, as_admin_ + more);
  }
  int publish(const std::string& feed, const std::string& id) {
    return client_.post(feed, entry(id, "secret text"), as_admin_).status;
  }

  // What the audit feed tells, oldest first, once it tells so much.
  std::vector<std::string> acts(std::size_t count) {
    json events;
    wait_until([&] {
      const Reply reply =
          client_.get("/_courant/audit?format=cloudevents&marker=0&direction=forward&limit=100", as_admin_);
      events = json::parse(reply.body, nullptr, false);
      return events.is_array() && events.size() >= count;
    });
    std::vector<std::string> told;
    for (const json& event : events) {
      told.insert(told.begin(),
                  event["type"].get<std::string>().substr(14) + " " + event["subject"].get<std::string>());
    }
    return told;
  }

  std::string document() {
    const std::string path = scratch("openapi.json");
    std::ofstream(path) << client_.get("/-/manage/openapi.json").body;
    return path;
  }
  // What speaks against an answer being what the document says; empty: nothing.
  std::string faults(const std::string& schema, const std::string& answer) {
    const std::string path = scratch("answer.json");
    std::ofstream(path) << answer;
    const Ran ran =
        run_command({"/bin/sh", "-c",
                     COURANT_SOURCE_DIR "/tests/support/check_openapi.py " + document() + " " + schema + " < " + path});
    return ran.status == 0 ? "" : ran.output + answer;
  }
};

TEST_F(ManageTest, WorkspacesAndFeedsAreMadeAndChanged) {
  const json settings = {{"title", "Plant"}, {"auto_create", true}, {"read", "private"}, {"retain", "30d"}};
  const Reply made = put("/workspaces/plant", settings);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.header("Cache-Control"), HasSubstr("no-store"));
  EXPECT_EQ(put("/workspaces/plant", settings).status, 200) << "twice";
  EXPECT_EQ(faults("Workspace", made.body), "");
  EXPECT_EQ(json::parse(get("/workspaces/plant").body)["settings"]["retain"], "30d");
  EXPECT_EQ(faults("Workspaces", get("/workspaces").body), "");
  EXPECT_TRUE(wait_until([&] { return publish("/plant/line", "urn:x:1") == 201; })) << "running servers know it";
  EXPECT_EQ(client_.get("/plant/line").status, 401) << "and that it is private";

  const Reply feed = put("/feeds/plant/other", {{"title", "Other"}, {"page_size", 7}});
  ASSERT_EQ(feed.status, 201) << feed.body;
  EXPECT_EQ(faults("Feed", feed.body), "");
  const json shown = json::parse(get("/feeds/plant/other").body);
  EXPECT_EQ(shown["settings"]["retain"], "30d") << "as the workspace says";
  EXPECT_EQ(shown["settings"]["page_size"], 7);
  EXPECT_EQ(shown["head"], 0);
  EXPECT_EQ(put("/feeds/plant/other", {{"title", "Other"}, {"retain", "60d"}}).status, 200) << "its page_size stays";
  EXPECT_EQ(json::parse(get("/feeds/plant/other").body)["settings"]["retain"], "60d");
  const Reply refused = put("/feeds/plant/other", {{"page_size", 8}});
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("has page_size 7, which cannot become 8"));
  EXPECT_THAT(acts(4), testing::ElementsAre("token-created token admin", "workspace-created plant",
                                            "feed-created plant/other", "feed-changed plant/other"));
}

// What nobody asks for is given to nobody.
TEST_F(ManageTest, WhatIsPrivateStaysSoWhereNothingIsSaidOfIt) {
  ASSERT_EQ(client_.get("/closed").status, 401);
  const Reply changed = put("/workspaces/closed", {{"auto_create", true}, {"retain", "30d"}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(json::parse(changed.body)["settings"]["read"], "private");
  EXPECT_EQ(json::parse(get("/workspaces/closed").body)["settings"]["read"], "private");
  EXPECT_TRUE(wait_until([&] { return publish("/closed/events", "urn:x:1") == 201; })) << "running servers know it";
  EXPECT_EQ(client_.get("/closed/events").status, 401);
  ASSERT_EQ(put("/workspaces/closed", {{"auto_create", true}, {"read", "public"}}).status, 200);
  EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events").status == 200; })) << "where it is said";
  EXPECT_EQ(put("/workspaces/closed", json::object()).status, 200);
  EXPECT_EQ(json::parse(get("/workspaces/closed").body)["settings"]["read"], "public");
}

TEST_F(ManageTest, QuotasAreSetByWhoMayManageAllThereIs) {
  const json quotas = {{"max_bytes", 1}, {"max_feeds", 5}, {"max_subscriptions", 7}};
  const auto held = [&](const std::string& workspace) {
    const json settings = json::parse(get("/workspaces/" + workspace).body)["settings"];
    return json({{"max_bytes", settings["max_bytes"]},
                 {"max_feeds", settings["max_feeds"]},
                 {"max_subscriptions", settings["max_subscriptions"]}});
  };
  ASSERT_EQ(
      put("/workspaces/plant", {{"auto_create", true}, {"max_bytes", 1}, {"max_feeds", 5}, {"max_subscriptions", 7}})
          .status,
      201);
  const json as_set = held("plant");
  ASSERT_TRUE(wait_until([&] { return publish("/plant/line", "urn:x:1") == 507; }));
  const std::string tenant = heard(tokens_.make("tenant", "admin", "plant/*,yard/*"));
  const auto as_tenant = [&](const std::string& path, const json& body) {
    return client_.put("/-/manage" + path, body.dump(), bearer(tenant) + kJson);
  };

  const Reply changed = as_tenant("/workspaces/plant", {{"auto_create", true}, {"title", "Plant"}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(held("plant"), as_set) << "what is left out stays";
  const Reply shown = client_.get("/-/manage/workspaces/plant", bearer(tenant));
  EXPECT_EQ(as_tenant("/workspaces/plant", json::parse(shown.body)["settings"]).status, 200) << "as it was shown";
  for (const auto& [name, value] : quotas.items()) {
    for (const json& other : {json(0), json(value.get<int>() + 1), json(4096)}) {
      const Reply refused = as_tenant("/workspaces/plant", {{"auto_create", true}, {name, other}});
      EXPECT_EQ(refused.status, 403) << name << " " << other;
      EXPECT_THAT(refused.body, HasSubstr(name + " is set with a token with the scope admin on *"));
    }
    EXPECT_EQ(as_tenant("/workspaces/yard", {{name, 4096}}).status, 403) << "of one that is not there yet";
    EXPECT_EQ(as_tenant("/feeds/plant/line", {{name, 4096}}).status, 400) << "a feed has none";
  }
  EXPECT_EQ(get("/workspaces/yard").status, 404);
  EXPECT_EQ(as_tenant("/feeds/plant/line", {{"title", "Line"}}).status, 201);
  EXPECT_EQ(held("plant"), as_set);
  EXPECT_EQ(publish("/plant/line", "urn:x:2"), 507);
  EXPECT_EQ(as_tenant("/workspaces/yard", {{"auto_create", true}}).status, 201);

  ASSERT_EQ(put("/workspaces/plant", {{"auto_create", true}}).status, 200);
  EXPECT_EQ(held("plant"), as_set) << "no oversight of an operator lifts one";
  ASSERT_EQ(put("/workspaces/plant", {{"auto_create", true}, {"max_bytes", 0}}).status, 200);
  EXPECT_TRUE(wait_until([&] { return publish("/plant/line", "urn:x:3") == 201; }));
}

TEST_F(ManageTest, WhoManagesAWorkspaceAloneMakesNoMoreFeedsThanItMayHave) {
  ASSERT_EQ(put("/workspaces/plant", {{"auto_create", true}, {"max_feeds", 2}}).status, 201);
  const std::string tenant = heard(tokens_.make("tenant", "admin", "plant/*"));
  const auto make = [&](const std::string& feed) {
    return client_.put("/-/manage/feeds/plant/" + feed, R"({"title": "x"})", bearer(tenant) + kJson);
  };
  EXPECT_EQ(make("one").status, 201);
  EXPECT_EQ(make("two").status, 201);
  const Reply refused = make("three");
  EXPECT_EQ(refused.status, 507) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("has the 2 feeds already that it may have (max_feeds)"));
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_EQ(get("/feeds/plant/three").status, 404);
  EXPECT_EQ(make("two").status, 200) << "what is there can be set";
  EXPECT_TRUE(wait_until([&] { return publish("/plant/line", "urn:x:1") == 507; })) << "publishing makes none either";
  EXPECT_EQ(put("/feeds/plant/three", {{"title", "x"}}).status, 201) << "the operator's are as many as he likes";
  EXPECT_EQ(remove("/feeds/plant/one?confirm=plant/one").status, 204);
  EXPECT_EQ(remove("/feeds/plant/three?confirm=plant/three").status, 204);
  EXPECT_EQ(make("four").status, 201) << "there is room again";
}

// Two who change the same at once: the second is told (RFC 9110 section 13.1.1), and publishing in between is no
// change.
TEST_F(ManageTest, WhoHasNotSeenWhatIsSetChangesNothing) {
  ASSERT_EQ(put("/workspaces/plant", {{"auto_create", true}}).status, 201);
  ASSERT_TRUE(wait_until([&] { return publish("/plant/line", "urn:x:0") == 201; })) << "running servers know it";
  const auto put_if = [&](const std::string& path, const std::string& field, const std::string& title) {
    const std::string body = json{{"title", title}}.dump();
    return client_.put("/-/manage" + path, body, as_admin_ + kJson + field + "\r\n").status;
  };
  for (const std::string path : {"/workspaces/plant", "/feeds/plant/line"}) {
    EXPECT_EQ(put_if(path, "If-None-Match: *", "made twice"), 412) << path;
    const std::string seen = get(path).header("ETag");
    ASSERT_NE(seen, "");
    ASSERT_EQ(publish("/plant/line", "urn:x:" + path), 201);
    EXPECT_EQ(put_if(path, "If-Match: " + seen, "second"), 200) << path;
    EXPECT_EQ(put_if(path, "If-Match: " + seen, "third"), 412) << path;
    EXPECT_EQ(put_if(path, "If-Match: \"99\"", "third"), 412) << path;
    EXPECT_THAT(get(path).body, HasSubstr("\"second\""));
    EXPECT_EQ(put_if(path, "If-Match: *", "third"), 200) << path;
    EXPECT_EQ(put_if(path + "-none", "If-Match: *", "none"), 412) << path;
    EXPECT_EQ(put_if(path + "-none", "If-None-Match: *", "none"), 201) << path;
  }
  const Reply redaction = client_.post("/-/manage/feeds/plant/line/redactions", R"({"id": "urn:x:0"})",
                                       as_admin_ + kJson + "If-Match: \"x\"\r\n");
  EXPECT_EQ(redaction.status, 412) << "what cannot be held against it is not done";
}

TEST_F(ManageTest, WhatIsNotUnderstoodIsNamed) {
  const auto expect = [](const Reply& reply, int status, const std::string& words) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(words));
    EXPECT_THAT(reply.header("Content-Type"), HasSubstr("application/problem+json"));
  };
  expect(put("/workspaces/plant", {{"retian", "30d"}}), 400, "there is no setting retian: did you mean retain?");
  expect(put("/workspaces/plant", {{"retain", "30x"}}), 400, "retain must be");
  expect(put("/workspaces/plant", {{"page_size", 0}}), 400, "page_size must lie between 1 and 1000");
  expect(put("/workspaces/plant", {{"title", nullptr}}), 400, "title must be a text");
  expect(put("/workspaces/plant", {{"name", "other"}}), 400, "There is no member name");
  expect(put("/workspaces/-plant", json::object()), 400, "name must have");
  expect(put("/workspaces/hub", json::object()), 400, "cannot be called hub");
  expect(put("/feeds/nowhere/events", json::object()), 404, "There is no workspace nowhere");
  expect(put("/feeds/news/a%22b", json::object()), 400, "name must have");
  expect(get("/workspaces/nowhere"), 404, "There is no workspace nowhere");
  expect(get("/feeds/news/nothing"), 404, "There is no feed news/nothing");
  expect(remove("/feeds/news/nothing", "If-Match: \"0\"\r\n"), 404, "There is no feed news/nothing");
  expect(post("/tokens", {{"name", "ci"}, {"on", "demo/*"}, {"scope", "read"}}), 400, "There is no member scope");
  expect(post("/tokens", {{"name", "ci"}}), 400, "on must be a text");
  expect(post("/tokens", {{"name", "ci"}, {"on", "*"}, {"scopes", "write"}}), 400, "write");
  expect(post("/tokens", {{"name", "ci"}, {"on", "*"}, {"expires_in", "soon"}}), 400, "expires_in must be a duration");
  for (const std::string body : {R"({"title": "a", "title": "b"})", R"({"read": "private", "r\u0065ad": "public"})"}) {
    expect(client_.put("/-/manage/workspaces/plant", body, as_admin_ + kJson), 400, "is there twice");
  }
  for (const std::string part : {"1ms", "999ms", "1500ms"}) {
    expect(put("/workspaces/plant", {{"expire_idle", part}}), 400, "expire_idle must be of whole seconds");
  }
  for (const std::string name : {".", ".."})
    expect(post("/tokens", {{"name", name}, {"on", "*"}}), 400, "neither . nor ..");
  expect(post("/tokens", {{"name", "ci"}, {"on", "*"}, {"filter", ""}}), 400, "filter must be a text");
  expect(post("/tokens", {{"name", "ci"}, {"on", "*"}, {"filter", " "}}), 400, "the filter is empty");
  expect(post("/generation", {{"generation", "1"}}), 400, "generation must be a whole number");
  expect(get("/subscriptions?limit=x"), 400, "limit must be a whole number");
  expect(get("/subscriptions?state=odd"), 400, "state must be");
  expect(get("/subscriptions?colour=red"), 400, "There is no parameter colour");
  expect(post("/subscriptions/7/pause"), 404, "no subscription 7");
  expect(remove("/subscriptions/x"), 404, "no subscription");
  expect(remove("/tokens/nobody"), 404, "There is no good token called nobody");
  for (const std::string path : {"/workspaces/plant", "/feeds/news/plant"}) {
    expect(put(path, {{"title", std::string("x\0y", 3)}}), 400, "No text here holds U+0000");
    expect(put(path, {{"accept", {std::string("x\0y", 3)}}}), 400, "No text here holds U+0000");
    // Else the service document, which everybody reads, would be no XML any more, nor would what is published.
    expect(put(path, {{"title", "\u0001"}}), 400, "No text here holds U+0001, which XML cannot");
    expect(put(path, {{"author", "\u001f"}}), 400, "No text here holds U+001F");
    expect(put(path, {{"accept", {"a/\uffff"}}}), 400, "No text here holds U+FFFF");
    expect(put(path, {{std::string("ti\0tle", 6), "x"}}), 400, "No text here holds U+0000");
    expect(put(path, {{"feeds", json::array()}}), 400, "There is no member feeds");
    expect(put(path, {{"retain", "9000000d"}}), 400, "at most 36500d");
  }
  expect(post("/tokens", {{"name", std::string("x\0y", 3)}, {"on", "*"}}), 400, "No text here holds U+0000");
  expect(post("/feeds/news/events/redactions", {{"id", std::string("x\0y", 3)}}), 400, "No text here holds U+0000");
  expect(get("/subscriptions?topic=a%00b"), 400, "U+0000");
  expect(client_.put("/-/manage/workspaces/plant", "{", as_admin_ + kJson), 400, "not JSON");
  expect(client_.put("/-/manage/workspaces/plant", "[]", as_admin_ + kJson), 400, "must be a JSON object");
  expect(client_.put("/-/manage/workspaces/plant", "{}", as_admin_), 415, "application/json");
  expect(client_.put("/-/manage/workspaces/plant", std::string(70'000, ' '), as_admin_ + kJson), 413, "");
  expect(client_.put("/-/manage/workspaces/plant", "{}", as_admin_ + kJson + "Origin: http://evil.example\r\n"), 403,
         "");
  EXPECT_EQ(client_.post("/-/manage/workspaces", "{}", as_admin_ + kJson).status, 405);
  EXPECT_EQ(get("/nothing").status, 404);
  EXPECT_THAT(acts(1), testing::ElementsAre("token-created token admin")) << "nothing was done";
}

TEST_F(ManageTest, AFeedIsDeletedWhereItIsMeant) {
  ASSERT_EQ(publish("/news/events", "urn:x:1"), 201);
  const std::string head = get("/feeds/news/events").header("ETag");
  EXPECT_THAT(head, testing::StartsWith("\"1-"));
  EXPECT_EQ(remove("/feeds/news/events").status, 428);
  ASSERT_EQ(publish("/news/events", "urn:x:2"), 201);
  EXPECT_EQ(remove("/feeds/news/events", "If-Match: " + head + "\r\n").status, 412);
  EXPECT_EQ(remove("/feeds/news/events?confirm=news/other").status, 428);
  EXPECT_EQ(remove("/feeds/news/events", "If-Match: \"2\"\r\n").status, 204);
  EXPECT_EQ(remove("/feeds/news/events", "If-Match: \"2\"\r\n").status, 404) << "twice";
  EXPECT_TRUE(wait_until([&] { return client_.get("/news/events").status == 404; }));
  ASSERT_EQ(publish("/news/events", "urn:x:3"), 201);
  EXPECT_EQ(remove("/feeds/news/events?confirm=news/events").status, 204);
  EXPECT_THAT(acts(3), testing::Contains("feed-deleted news/events").Times(2));
}

TEST_F(ManageTest, AnEntryIsRedacted) {
  ASSERT_EQ(publish("/news/events", "urn:x:1"), 201);
  const Reply done = post("/feeds/news/events/redactions", {{"id", "urn:x:1"}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(faults("Redacted", done.body), "");
  EXPECT_EQ(json::parse(done.body)["erased"], json({1}));
  EXPECT_EQ(json::parse(post("/feeds/news/events/redactions", {{"id", "urn:x:1"}}).body)["erased"], json::array());
  EXPECT_EQ(post("/feeds/news/events/redactions", {{"id", "urn:x:2"}}).status, 404);
  EXPECT_TRUE(wait_until([&] { return client_.get("/news/events").body.find("secret text") == std::string::npos; }));
  EXPECT_THAT(acts(2), testing::ElementsAre("token-created token admin", "redacted news/events"));
}

TEST_F(ManageTest, TokensAreMadeShownOnceAndRevoked) {
  const Reply made = post("/tokens", {{"name", "ci"}, {"on", "news/*"}, {"scopes", "publish"}, {"expires_in", "1d"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(faults("CreatedToken", made.body), "");
  EXPECT_FALSE(json::parse(made.body).contains("note"));
  const std::string token = json::parse(made.body)["token"];
  EXPECT_EQ(post("/tokens", {{"name", "ci"}, {"on", "news/*"}}).status, 409) << "twice";
  EXPECT_TRUE(wait_until([&] { return client_.post("/news/events", entry("urn:x:1"), bearer(token)).status == 201; }));
  const std::string list = get("/tokens").body;
  EXPECT_EQ(faults("Tokens", list), "");
  EXPECT_THAT(list, Not(HasSubstr(token)));
  EXPECT_EQ(remove("/tokens/ci").status, 204);
  EXPECT_EQ(remove("/tokens/ci").status, 404) << "twice";
  EXPECT_TRUE(wait_until([&] { return client_.post("/news/events", entry("urn:x:2"), bearer(token)).status == 401; }));
  EXPECT_THAT(acts(3),
              testing::ElementsAre("token-created token admin", "token-created token ci", "token-revoked token ci"));
}

TEST_F(ManageTest, WhatIsMadeWithTheKeyIsAsTheDocumentSays) {
  ASSERT_EQ(publish("/closed/events", "urn:x:1"), 201);
  const Reply made = post("/feeds/closed/events/signed-urls", {{"expires_in", "1h"}});
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(faults("SignedUrl", made.body), "");
  const Reply rotated = post("/keys/rotation", json::object());
  EXPECT_EQ(rotated.status, 200);
  EXPECT_EQ(faults("KeyRotated", rotated.body), "");
  EXPECT_THAT(acts(4),
              testing::ElementsAre("token-created token admin", "url-signed closed/events",
                                   "secrets-key-rotation-begun key file",
                                   "secrets-key-rotated key " + json::parse(rotated.body)["key"].get<std::string>()));
}

TEST_F(ManageTest, WhatAFilterDoesNotKeepApartIsSaidInTheAnswer) {
  const Reply made = post("/tokens", {{"name", "ci"}, {"on", "news/*"}, {"filter", "cat=alpha"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(faults("CreatedToken", made.body), "");
  EXPECT_THAT(json::parse(made.body)["note"].get<std::string>(), HasSubstr("the category alpha"));
}

TEST_F(ManageTest, WhenATokenEndsIsTold) {
  ASSERT_EQ(post("/tokens", {{"name", "brief"}, {"on", "news/*"}, {"expires_in", "1d"}}).status, 201);
  acts(2);
  const std::string list = get("/tokens").body;
  const json tokens = json::parse(list)["tokens"];
  const auto brief = std::ranges::find_if(tokens, [](const json& one) { return one["name"] == "brief"; });
  ASSERT_NE(brief, tokens.end()) << list;
  const json told = json::parse(client_.get("/_courant/audit?format=cloudevents&limit=1", as_admin_).body);
  EXPECT_EQ(told[0]["subject"], "token brief");
  EXPECT_EQ(told[0]["data"]["expires"], (*brief)["expires"]);
}

TEST_F(ManageTest, AGenerationBeginsOnce) {
  EXPECT_EQ(json::parse(get("/generation").body), json({{"generation", 1}}));
  const Reply begun = post("/generation", {{"generation", 1}});
  EXPECT_EQ(json::parse(begun.body), json({{"generation", 2}}));
  EXPECT_EQ(faults("Generation", begun.body), "");
  EXPECT_EQ(post("/generation", {{"generation", 1}}).status, 409) << "twice";
  EXPECT_THAT(acts(2), testing::Contains("generation-begun generation 2"));
}

TEST_F(ManageTest, SubscriptionsAreSeenAndHandled) {
  const Subscriber subscriber;
  ASSERT_EQ(publish("/news/events", "urn:x:1"), 201);
  ASSERT_EQ(
      subscriber.ask(server_, "subscribe", server_.url() + "/news/events", "&hub.secret=quite-a-secret", "cb?k=v"),
      202);
  ASSERT_TRUE(wait_until([&] { return !json::parse(get("/subscriptions").body)["subscriptions"].empty(); }));
  const std::string list = get("/subscriptions?topic=news/events&state=delivering&limit=1").body;
  EXPECT_EQ(faults("Subscriptions", list), "");
  EXPECT_THAT(list, Not(HasSubstr("quite-a-secret")));
  EXPECT_THAT(list, Not(HasSubstr("k=v")));
  const json one = json::parse(list)["subscriptions"][0];
  const std::string path = "/subscriptions/" + std::to_string(one["number"].get<int>());
  EXPECT_EQ(json::parse(list)["after"], one["number"]);
  EXPECT_EQ(json::parse(get("/subscriptions?after=" + std::to_string(one["number"].get<int>())).body)["subscriptions"],
            json::array());
  EXPECT_EQ(json::parse(get("/subscriptions?topic=news/other").body)["subscriptions"], json::array());

  ASSERT_EQ(publish("/news/events", "urn:x:2"), 201);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{2}; }));
  EXPECT_TRUE(wait_until([&] { return json::parse(get(path).body)["position"] == 2; }));
  const Reply replay = post(path + "/replay", {{"position", 0}});
  EXPECT_EQ(replay.status, 200) << replay.body;
  EXPECT_EQ(faults("Subscription", replay.body), "");
  EXPECT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>({2, 1, 2}); }));
  EXPECT_EQ(post(path + "/replay", {{"position", 100}}).status, 409);
  const std::size_t before = subscriber.deliveries().size();
  EXPECT_EQ(post(path + "/test").status, 200);
  EXPECT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == before + 1; }));
  EXPECT_EQ(json::parse(post(path + "/pause").body)["state"], "paused");
  EXPECT_EQ(json::parse(post(path + "/pause").body)["state"], "paused") << "twice";
  EXPECT_EQ(json::parse(post(path + "/resume").body)["state"], "delivering");
  EXPECT_EQ(remove(path).status, 204);
  EXPECT_EQ(remove(path).status, 404) << "twice";
  EXPECT_TRUE(wait_until([&] { return tokens_.run({"subscriptions", "list"}).output.empty(); }));
  const std::string subject = "subscription " + std::to_string(one["number"].get<int>());
  EXPECT_THAT(acts(7), testing::ElementsAre("token-created token admin", "subscription-replayed " + subject,
                                            "subscription-tested " + subject, "subscription-paused " + subject,
                                            "subscription-paused " + subject, "subscription-resumed " + subject,
                                            "subscription-removed " + subject));
}

TEST_F(ManageTest, SubscriptionsAreHandledByCommandToo) {
  const Subscriber subscriber;
  ASSERT_EQ(publish("/news/events", "urn:x:1"), 201);
  ASSERT_EQ(subscriber.ask(server_, "subscribe", server_.url() + "/news/events"), 202);
  ASSERT_TRUE(wait_until([&] { return !tokens_.run({"subscriptions", "list"}).output.empty(); }));
  const std::string listed = tokens_.run({"subscriptions", "list", "--topic", "news/events"}).output;
  EXPECT_THAT(listed, HasSubstr("delivering  " + server_.url() + "/news/events  at 1 of 1  to "));
  const std::string number = listed.substr(0, listed.find(' '));
  EXPECT_EQ(tokens_.run({"subscriptions", "pause", number}).status, 0);
  EXPECT_THAT(tokens_.run({"subscriptions", "list", "--state", "paused"}).output, HasSubstr("paused"));
  EXPECT_EQ(tokens_.run({"subscriptions", "resume", number}).status, 0);
  EXPECT_EQ(tokens_.run({"subscriptions", "replay", number, "--from", "0"}).status, 0);
  EXPECT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{1}; }));
  EXPECT_EQ(tokens_.run({"subscriptions", "replay", number, "--from", "9"}).status, 1);
  EXPECT_EQ(tokens_.run({"subscriptions", "remove", number}).status, 0);
  EXPECT_EQ(tokens_.run({"subscriptions", "remove", number}).status, 1);
  ASSERT_EQ(publish("/news/events", "urn:x:2"), 201);
  EXPECT_THAT(acts(5), testing::Contains("subscription-removed subscription " + number));
}

TEST_F(ManageTest, EveryRouteIsForAdminsAlone) {
  ASSERT_EQ(publish("/news/events", "urn:x:1"), 201);
  const std::string writer = heard(tokens_.make("writer", "read,publish,edit,subscribe", "*"));
  const std::string filtered = heard(tokens_.make("filtered", "admin", "*", {"--filter", "cat=a"}));
  const std::string elsewhere = heard(tokens_.make("elsewhere", "admin", "other/*,closed/events"));
  const json paths = json::parse(client_.get("/-/manage/openapi.json").body)["paths"];
  std::size_t routes = 0;
  for (const auto& [pattern, operations] : paths.items()) {
    std::string path = pattern;
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"{workspace}", "news"}, {"{feed}", "events"}, {"{name}", "writer"}, {"{number}", "1"}}) {
      if (const std::size_t at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    }
    for (const auto& [method, operation] : operations.items()) {
      ++routes;
      const auto ask = [&, &verb = method](const std::string& fields) {
        return verb == "get"    ? client_.get(path, fields).status
               : verb == "put"  ? client_.put(path, "{}", fields + kJson).status
               : verb == "post" ? client_.post(path, "{}", fields + kJson).status
                                : client_.remove(path + "?confirm=news/events", fields).status;
      };
      EXPECT_EQ(ask(""), 401) << method << " " << path;
      EXPECT_THAT(ask(bearer("crt_00000000000000000000000000000000")), testing::AnyOf(401, 429))
          << method << " " << path;
      EXPECT_EQ(ask(bearer(writer)), 403) << method << " " << path;
      EXPECT_EQ(ask(bearer(filtered)), 403) << method << " " << path;
      EXPECT_EQ(ask(bearer(elsewhere)), 403) << method << " " << path;
    }
  }
  EXPECT_EQ(routes, 22U);
  EXPECT_EQ(client_.get("/-/manage/feeds/news/events", as_admin_).status, 200) << "nothing was done";
  EXPECT_EQ(client_.put("/-/manage/feeds/closed/events", "{}", bearer(elsewhere) + kJson).status, 201) << "its own";
  EXPECT_EQ(client_.put("/-/manage/workspaces/other", "{\"auto_create\": true}", bearer(elsewhere) + kJson).status,
            200);
  EXPECT_EQ(client_.put("/-/manage/workspaces/closed", "{}", bearer(elsewhere) + kJson).status, 403);
}

TEST_F(ManageTest, TheDocumentIsWhatItSays) {
  const Reply reply = client_.get("/-/manage/openapi.json");
  ASSERT_EQ(reply.status, 200) << "without credentials";
  const Ran checked = run_command({COURANT_SOURCE_DIR "/tests/support/check_openapi.py", document()});
  EXPECT_EQ(checked.status, 0) << checked.output;
  const json document = json::parse(reply.body);
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::set<std::string> names;
  for (const auto& [pattern, operations] : document["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) names.insert(operation["operationId"]);
  }
  EXPECT_EQ(names.size(), 22U) << "each has a name of its own";
}

// On loopback, where alone there may be open access.
TEST(ManageOpen, NobodyIsAskedAndNothingCanBePrivate) {
  const TestDatabase database;
  const CourantServer server({"--database", database.url()});
  HttpClient client(server.port(), false);
  EXPECT_EQ(client.get("/-/manage/workspaces").status, 200);
  EXPECT_EQ(client.put("/-/manage/workspaces/plant", R"({"auto_create": true})", kJson).status, 201);
  EXPECT_TRUE(wait_until([&] { return client.post("/plant/line", entry("urn:x:1")).status == 201; }));
  EXPECT_EQ(client.put("/-/manage/workspaces/plant", R"({"read": "private"})", kJson).status, 409);
  EXPECT_EQ(
      client.put("/-/manage/workspaces/plant", "{}", std::string(kJson) + "Origin: http://evil.example\r\n").status,
      403);
}

}  // namespace
}  // namespace courant::test::manage_test
