// What the server tells of itself, in feeds of its own.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sql/database.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class OwnFeedsTest : public testing::Test {
 protected:
  Ran command(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--database", database_.url()});
    return run_courant(arguments);
  }
  std::string audit(const std::string& query = {}) {
    return HttpClient(server_.port()).get("/_courant/audit?format=cloudevents" + query).body;
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

std::string erasable_entry(const std::string& id) {
  return "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id +
         "</id><title>t</title><content>secret text</content></entry>";
}

TEST_F(OwnFeedsTest, AdministrativeActsAreToldOnceAndInOrder) {
  ASSERT_EQ(client_.post("/demo/events", erasable_entry("urn:x:1")).status, 201);
  ASSERT_EQ(command({"redact", "demo/events", "urn:x:1"}).status, 0);
  ASSERT_EQ(command({"redact", "demo/events", "urn:x:1"}).status, 0) << "nothing was left to erase";
  ASSERT_EQ(command({"delete-feed", "demo/events", "--yes"}).status, 0);
  ASSERT_EQ(command({"new-generation"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return audit().find("generation-begun") != std::string::npos; }));
  const nlohmann::json events = nlohmann::json::parse(audit("&marker=0&direction=forward"));
  ASSERT_EQ(events.size(), 3U) << events.dump(1);
  EXPECT_EQ(events[2]["type"], "courant.audit.redacted");
  EXPECT_EQ(events[2]["subject"], "demo/events");
  EXPECT_EQ(events[2]["data"]["positions"], nlohmann::json({1}));
  EXPECT_THAT(events[2]["data"]["actor"].get<std::string>(), testing::StartsWith("command line: "));
  EXPECT_EQ(events[1]["type"], "courant.audit.feed-deleted");
  EXPECT_EQ(events[0]["type"], "courant.audit.generation-begun");
  EXPECT_THAT(events.dump(), Not(HasSubstr("secret text")));
}

TEST_F(OwnFeedsTest, WhatIsDoneWhileNoServerRunsIsToldByTheNext) {
  server_.process().signal(SIGTERM);
  ASSERT_EQ(server_.process().wait(), 0);
  ASSERT_EQ(command({"new-generation"}).status, 0);
  server_.start();
  EXPECT_TRUE(wait_until([&] { return audit().find("generation-begun") != std::string::npos; }));
}

TEST_F(OwnFeedsTest, NobodyElsePublishesThere) {
  EXPECT_EQ(client_.post("/_courant/audit", erasable_entry("urn:x:1"), "Content-Type: application/atom+xml\r\n").status,
            415);
  EXPECT_EQ(client_.post("/_courant/other", erasable_entry("urn:x:1"), "Content-Type: application/atom+xml\r\n").status,
            415);
  ASSERT_EQ(command({"new-generation"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return audit().find("generation-begun") != std::string::npos; }));
  const std::string id = "/_courant/audit/entries/urn:courant:cloudevent:urn%253Acourant:1";
  EXPECT_EQ(client_.get(id).status, 200);
  EXPECT_EQ(client_.remove(id).status, 405);
  EXPECT_THAT(client_.get("/").body, Not(HasSubstr("_courant")));
  EXPECT_THAT(client_.get("/_courant").body, HasSubstr("_courant/audit"));
}

constexpr const char* kEntry = "Content-Type: application/atom+xml\r\n";
constexpr const char* kJson = "Content-Type: application/json\r\n";

// Whatever is set, by whom and by which way: what is told there stands.
class AuditStandsTest : public OwnFeedsTest {
 protected:
  AuditStandsTest() {
    EXPECT_EQ(command({"new-generation"}).status, 0);
    EXPECT_TRUE(wait_until([&] { return audit().find("generation-begun") != std::string::npos; }));
  }
  Reply put(const std::string& path, const std::string& body) { return client_.put("/-/manage" + path, body, kJson); }
  std::string event() const {
    return R"({"specversion":"1.0","id":"9","source":"urn:courant","type":"courant.audit.token-revoked"})";
  }
  // Nothing is published, changed, erased or set; what was told before is told still.
  void expect_closed() {
    for (const std::string feed : {"/_courant/audit", "/_courant/usage", "/_courant/other"}) {
      EXPECT_EQ(client_.post(feed, erasable_entry("urn:x:1"), kEntry).status, 415);
      EXPECT_EQ(client_.post(feed, event(), "Content-Type: application/cloudevents+json\r\n").status, 415);
      EXPECT_EQ(client_.post(feed, "x", "Content-Type: image/png\r\n").status, 415);
      EXPECT_EQ(client_.put(feed + "/entries/urn:x:1", erasable_entry("urn:x:1"), kEntry).status, 405);
    }
    const std::string id = "/_courant/audit/entries/urn:courant:cloudevent:urn%253Acourant:1";
    EXPECT_EQ(client_.put(id, erasable_entry("urn:x:1"), kEntry).status, 405);
    EXPECT_EQ(client_.remove(id).status, 405);
    EXPECT_EQ(client_.get(id).status, 200);
    EXPECT_EQ(client_.get("/_courant/other").status, 404);
  }
};

TEST_F(AuditStandsTest, NoSettingOpensIt) {
  for (const std::string body :
       {R"({"accept": ["application/atom+xml;type=entry"], "edits": true})", R"({"edits": true})",
        R"({"accept": ["*/*"]})", R"({"retain": "1 entries"})", R"({"retain": "29d"})", R"({"retain": "1s"})",
        R"({"entry_ids": "server"})", R"({"reserved": ["x"]})", R"({"redactable": true})", R"({"author": "somebody"})",
        R"({"page_size": 1})"}) {
    EXPECT_EQ(put("/feeds/_courant/audit", body).status, 400) << body;
    EXPECT_EQ(put("/workspaces/_courant", body).status, 400) << body;
  }
  for (const std::string body : {R"({"read": "public"})", R"({"cors": ["*"]})", R"({"expire_idle": "1s"})",
                                 R"({"max_bytes": 1})", R"({"max_feeds": 1})", R"({"title": "Mine"})"}) {
    EXPECT_EQ(put("/workspaces/_courant", body).status, 400) << body;
  }
  EXPECT_EQ(put("/feeds/_courant/other", "{}").status, 400);
  expect_closed();
  for (const std::string line : {"edits = true", "read = \"public\"", "retain = \"5 entries\"", "cors = [\"*\"]"}) {
    const std::string file = scratch("own.toml");
    std::ofstream(file) << "[[workspaces]]\nname = \"_courant\"\n" << line << "\n";
    EXPECT_EQ(command({"apply", file, "--yes"}).status, 1) << line;
    EXPECT_THAT(run_courant({"check-config", file}).output, HasSubstr("retain alone can be set")) << line;
  }
  expect_closed();
}

TEST_F(AuditStandsTest, HowLongItIsKeptCanBeSaid) {
  EXPECT_EQ(put("/feeds/_courant/audit", R"({"retain": "365d"})").status, 200);
  EXPECT_EQ(put("/workspaces/_courant", R"({"retain": "90d"})").status, 200);
  EXPECT_THAT(client_.get("/-/manage/feeds/_courant/audit").body, HasSubstr("365d"));
  expect_closed();
  const Ran exported = command({"export"});
  std::ofstream(scratch("exported.toml")) << exported.output;
  EXPECT_EQ(command({"apply", scratch("exported.toml"), "--yes"}).output, "There is nothing to change.\n");
}

TEST_F(AuditStandsTest, NothingOfItIsErased) {
  EXPECT_EQ(client_.remove("/-/manage/feeds/_courant/audit?confirm=_courant/audit").status, 403);
  EXPECT_EQ(client_.remove("/-/manage/feeds/_courant/audit", "If-Match: \"1\"\r\n").status, 403);
  const std::string id = R"({"id": "urn:courant:cloudevent:urn%3Acourant:1"})";
  EXPECT_EQ(client_.post("/-/manage/feeds/_courant/audit/redactions", id, kJson).status, 403);
  EXPECT_EQ(command({"delete-feed", "_courant/audit", "--yes"}).status, 1);
  EXPECT_EQ(command({"redact", "_courant/audit", "urn:courant:cloudevent:urn%3Acourant:1"}).status, 1);
  expect_closed();
}

// As a version of before, or whoever has the database, may have left it.
TEST_F(AuditStandsTest, SettingsInTheDatabaseDoNotOpenIt) {
  sql::Session(database_.url())
      .execute_script(
          "update feeds set settings = settings || '{\"edits\": true, \"retain_entries\": 1, \"accept\": "
          "[\"application/atom+xml;type=entry\"]}' where workspace = '_courant'; "
          "update workspaces set settings = settings || '{\"private\": false, \"expire_idle_seconds\": 1}' "
          "where name = '_courant'");
  server_.kill_and_restart();
  client_ = HttpClient(server_.port());
  expect_closed();
  EXPECT_THAT(client_.get("/-/manage/workspaces/_courant").body, HasSubstr("\"private\""));
}

// Each act has its entry, whoever does it by whichever way; OPERATIONS.md has the list. Those of the management API are
// ManageTest's.
TEST(EveryAct, IsTold) {
  const TestDatabase database;
  const std::string file = scratch("every-act.toml");
  const std::string data = scratch("every-act");
  const auto configure = [&file](const std::string& read, const std::string& more = {}) {
    std::ofstream(file) << "[[workspaces]]\nname = \"demo\"\nauto_create = true\nread = \"" << read << "\"\n" << more;
  };
  const auto command = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--database", database.url(), "--data", data});
    return run_courant(arguments);
  };
  configure("public");
  const Ran made = command({"token", "create", "admin", "--scope", "admin", "--on", "*"});
  const std::string token = "Authorization: Bearer " + made.output.substr(made.output.find("crt_"), 36) + "\r\n";
  CourantServer server({"--database", database.url(), "--data", data, "--access", "tokens", "--config", file});
  HttpClient client(server.port());
  const auto read = [&] {
    const std::string query = "/_courant/audit?format=cloudevents&marker=0&direction=forward&limit=100";
    return nlohmann::json::parse(client.get(query, token).body, nullptr, false);
  };
  const auto tells = [&](const std::string& act, const std::string& subject) {
    const bool is_told = wait_until([&] {
      const nlohmann::json events = read();
      return events.is_array() && std::ranges::any_of(events, [&](const nlohmann::json& event) {
               return event["type"] == "courant.audit." + act && event["subject"] == subject &&
                      !event["data"]["actor"].get<std::string>().empty();
             });
    });
    EXPECT_TRUE(is_told) << act << " " << subject << read().dump(1);
  };
  tells("token-created", "token admin");
  ASSERT_TRUE(wait_until([&] { return client.post("/demo/a", erasable_entry("urn:x:1"), token).status == 201; }));
  EXPECT_EQ(command({"redact", "demo/a", "urn:x:1"}).status, 0);
  tells("redacted", "demo/a");
  EXPECT_EQ(command({"delete-feed", "demo/a", "--yes"}).status, 0);
  tells("feed-deleted", "demo/a");
  EXPECT_EQ(command({"new-generation"}).status, 0);
  tells("generation-begun", "generation 2");
  EXPECT_EQ(command({"token", "create", "ci", "--on", "*"}).status, 0);
  EXPECT_EQ(command({"token", "revoke", "ci"}).status, 0);
  tells("token-revoked", "token ci");
  EXPECT_EQ(command({"rotate-secrets-key"}).status, 0);
  tells("secrets-key-rotation-begun", "key file");
  EXPECT_TRUE(wait_until([&] { return read().dump().find("secrets-key-rotated\"") != std::string::npos; }));

  // What the file says, when it is read again and at the next start.
  configure("private");
  server.process().signal(SIGHUP);
  tells("workspace-changed", "demo");
  EXPECT_THAT(read().dump(), HasSubstr("read \\\"public\\\" -> \\\"private\\\""));
  configure("private", "[[workspaces.feeds]]\nname = \"b\"\n[[workspaces]]\nname = \"more\"\n");
  server.kill_and_restart();
  client = HttpClient(server.port());
  tells("feed-created", "demo/b");
  tells("workspace-created", "more");
  const std::size_t count = read().size();
  server.kill_and_restart();
  client = HttpClient(server.port());
  EXPECT_EQ(read().size(), count) << "nothing has changed";

  // By hand, while it runs.
  const std::string applied = scratch("every-act-applied.toml");
  std::ofstream(applied) << "[[workspaces]]\nname = \"more\"\ntitle = \"More\"\n[[workspaces.feeds]]\nname = \"c\"\n";
  EXPECT_EQ(command({"apply", applied, "--yes"}).status, 0);
  tells("workspace-changed", "more");
  tells("feed-created", "more/c");
}

}  // namespace
}  // namespace courant::test
