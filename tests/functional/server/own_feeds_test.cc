// What the server tells of itself, in feeds of its own.
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

}  // namespace
}  // namespace courant::test
