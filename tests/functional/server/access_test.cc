// Who gets in: tokens, workspaces that are private, revocation on every process, and what caches are told.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test::access_test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string entry(const std::string& id, const std::string& content = "x") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>t</title><content>" + content +
         "</content></entry>";
}

std::vector<std::string> with_tokens(const std::string& database) {
  return {"--database", database, "--access", "tokens", "--config", COURANT_SOURCE_DIR "/tests/data/access.toml"};
}

class AccessTest : public testing::Test {
 protected:
  TestDatabase database_;
  Tokens tokens_{database_.url()};
  CourantServer server_{with_tokens(database_.url())};
  HttpClient client_{server_.port()};

  // Tokens are heard of by every server in a moment.
  std::string heard(const std::string& token, const std::string& target = "/closed/events") {
    EXPECT_TRUE(wait_until([&] {
      const int status = client_.get(target, bearer(token)).status;
      return status != 401 && status != 429;
    }));
    return token;
  }
};

TEST_F(AccessTest, PublishingTakesATokenThatMay) {
  const std::string writer = tokens_.make("writer", "read,publish", "closed/*,news/events");
  const std::string reader = tokens_.make("reader", "read", "closed/*");
  EXPECT_EQ(client_.post("/news/events", entry("urn:x:1")).status, 401);
  EXPECT_EQ(client_.post("/closed/events", entry("urn:x:1")).status, 401);
  EXPECT_EQ(client_.post("/closed/events", entry("urn:x:1"), bearer(heard(writer))).status, 201);
  EXPECT_EQ(client_.post("/news/events", entry("urn:x:1"), basic(writer)).status, 201);
  EXPECT_EQ(client_.post("/news/elsewhere", entry("urn:x:1"), bearer(writer)).status, 403);
  EXPECT_EQ(client_.post("/other/events", entry("urn:x:1"), bearer(writer)).status, 404);
  const Reply may_not = client_.post("/closed/events", entry("urn:x:2"), bearer(heard(reader)));
  EXPECT_EQ(may_not.status, 403);
  EXPECT_THAT(may_not.header("WWW-Authenticate"), HasSubstr("error=\"insufficient_scope\", scope=\"publish\""));
  EXPECT_EQ(client_.put("/closed/events/entries/urn:x:1", entry("urn:x:1", "y"), bearer(writer)).status, 403);
  EXPECT_EQ(client_.remove("/closed/events/entries/urn:x:1", bearer(writer)).status, 403);
  const std::string editor = heard(tokens_.make("editor", "edit,read", "closed/events"));
  EXPECT_EQ(client_.put("/closed/events/entries/urn:x:1", entry("urn:x:1", "y"), bearer(editor)).status, 200);
  EXPECT_EQ(client_.remove("/closed/events/entries/urn:x:1", bearer(editor)).status, 204);
}

TEST_F(AccessTest, WhatIsPrivateIsReadWithATokenAlone) {
  const std::string writer = tokens_.make("writer", "read,publish", "*");
  ASSERT_EQ(client_.post("/closed/events", entry("urn:x:1", "hidden"), bearer(heard(writer))).status, 201);
  ASSERT_EQ(client_.post("/news/events", entry("urn:x:1"), bearer(writer)).status, 201);
  EXPECT_EQ(client_.get("/news/events").status, 200);
  const Reply stranger = client_.get("/closed/events");
  EXPECT_EQ(stranger.status, 401);
  EXPECT_THAT(stranger.head, HasSubstr("WWW-Authenticate: Bearer realm=\"courant\"\r\n"));
  EXPECT_THAT(stranger.head, HasSubstr("WWW-Authenticate: Basic realm=\"courant\", charset=\"UTF-8\"\r\n"));
  EXPECT_THAT(client_.get("/closed/events", bearer(writer)).body, HasSubstr("hidden"));
  EXPECT_THAT(client_.get("/closed/events", basic(writer)).body, HasSubstr("hidden"));
}

TEST_F(AccessTest, WhatIsUnknownAndWhatIsForbiddenLookTheSame) {
  const std::string writer = tokens_.make("writer", "read,publish", "*");
  ASSERT_EQ(client_.post("/closed/events", entry("urn:x:1"), bearer(heard(writer))).status, 201);
  const std::string narrow = tokens_.make("narrow", "read", "other/mine");
  heard(narrow, "/other/mine");
  const auto without_name = [](Reply reply, const std::string& name) {
    for (std::size_t at = reply.body.find(name); at != std::string::npos; at = reply.body.find(name))
      reply.body.replace(at, name.size(), "NAME");
    return reply.head.substr(0, 12) + reply.body;
  };
  for (const std::string& fields : {std::string(), bearer(narrow)}) {
    EXPECT_EQ(without_name(client_.get("/closed/events", fields), "/closed/events"),
              without_name(client_.get("/closed/nothing", fields), "/closed/nothing"));
    EXPECT_EQ(without_name(client_.get("/closed/events", fields), "/closed/events"),
              without_name(client_.get("/nowhere/events", fields), "/nowhere/events"));
  }
  EXPECT_EQ(client_.get("/closed/events").status, 401);
  EXPECT_EQ(client_.get("/closed/events", bearer(narrow)).status, 404);
}

TEST_F(AccessTest, ATokenThatIsRevokedIsTakenByNoProcess) {
  CourantServer second(with_tokens(database_.url()));
  HttpClient elsewhere(second.port());
  const std::string writer = tokens_.make("writer", "read,publish", "*");
  ASSERT_EQ(client_.post("/closed/events", entry("urn:x:1"), bearer(heard(writer))).status, 201);
  ASSERT_TRUE(wait_until([&] { return elsewhere.get("/closed/events", bearer(writer)).status == 200; }));
  // Twice, so that the answer is remembered.
  const std::string tag = "If-None-Match: " + elsewhere.get("/closed/events", bearer(writer)).header("ETag") + "\r\n";
  for (int i = 0; i < 3; ++i) ASSERT_EQ(elsewhere.get("/closed/events", bearer(writer) + tag).status, 304);
  tokens_.revoke("writer");
  EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(writer)).status == 401; }));
  EXPECT_TRUE(wait_until([&] { return elsewhere.get("/closed/events", bearer(writer) + tag).status == 401; }));
  EXPECT_THAT(client_.get("/closed/events", bearer(writer)).header("WWW-Authenticate"),
              HasSubstr("error=\"invalid_token\""));
}

TEST_F(AccessTest, ATokenThatHasExpiredIsNotTaken) {
  const std::string writer = tokens_.make("writer", "read,publish", "*");
  ASSERT_EQ(client_.post("/closed/events", entry("urn:x:1"), bearer(heard(writer))).status, 201);
  const std::string brief = tokens_.make("brief", "read", "closed/*", {"--expires", "2s"});
  EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(brief)).status == 200; }));
  EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(brief)).status == 401; }));
  EXPECT_THAT(client_.get("/closed/events", bearer(brief)).body, HasSubstr("expired"));
}

TEST_F(AccessTest, CachesAreToldWhatIsForOneAlone) {
  const std::string writer = tokens_.make("writer", "read,publish", "*");
  heard(writer);
  for (int i = 1; i <= 30; ++i) {
    const std::string id = "urn:x:" + std::to_string(i);
    ASSERT_EQ(client_.post("/closed/events", entry(id), bearer(writer)).status, 201);
    ASSERT_EQ(client_.post("/news/events", entry(id), bearer(writer)).status, 201);
  }
  for (int again = 0; again < 3; ++again) {
    const Reply head = client_.get("/closed/events", bearer(writer));
    EXPECT_EQ(head.header("Cache-Control"), "private, no-cache");
    EXPECT_THAT(head.header("Vary"), HasSubstr("Authorization"));
    const std::string condition = "If-None-Match: " + head.header("ETag") + "\r\n";
    const Reply unchanged = client_.get("/closed/events", bearer(writer) + condition);
    EXPECT_EQ(unchanged.status, 304);
    EXPECT_EQ(unchanged.header("Cache-Control"), "private, no-cache");
    EXPECT_THAT(unchanged.header("Vary"), HasSubstr("Authorization"));
    const Reply page = client_.get("/closed/events/archive/1", bearer(writer));
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.header("Cache-Control"), HasSubstr("private, max-age="));
    EXPECT_THAT(page.header("Cache-Control"), Not(HasSubstr("public")));
    EXPECT_THAT(client_.get("/news/events/archive/1").header("Cache-Control"), HasSubstr("public"));
    EXPECT_EQ(client_.get("/closed/events", condition).status, 401);
    EXPECT_EQ(client_.get("/closed/events/archive/1").status, 401);
  }
}

TEST_F(AccessTest, TooManyWrongCredentialsHaveToWaitAndGoodOnesDoNot) {
  const std::string reader = heard(tokens_.make("reader", "read", "*"));
  const std::string wrong = bearer("crt_" + std::string(32, 'x'));
  Reply last;
  EXPECT_TRUE(wait_until([&] {
    last = client_.get("/news/events", wrong);
    return last.status != 401;
  }));
  EXPECT_EQ(last.status, 429);
  EXPECT_NE(last.header("Retry-After"), "");
  EXPECT_EQ(client_.get("/closed/events", bearer(reader)).status, 404) << "there is no such feed yet";
  EXPECT_EQ(client_.get("/closed/events").status, 401) << "no credentials are not wrong ones";
}

TEST_F(AccessTest, ProbesAskNobody) {
  EXPECT_EQ(client_.get("/-/health/live").status, 200);
  EXPECT_EQ(client_.get("/-/health/live", bearer("nonsense")).status, 200);
  EXPECT_EQ(client_.get("/hub").status, 200);
}

TEST_F(AccessTest, TheDatabaseAndTheLogHoldNoToken) {
  const std::string writer = tokens_.make("writer", "read,publish", "*");
  ASSERT_EQ(client_.post("/closed/events", entry("urn:x:1"), bearer(heard(writer))).status, 201);
  client_.get("/closed/events", bearer(writer + "x"));
  sql::Session session(database_.url());
  constexpr sql::Query kAll{"test.tokens", "select t::text from access_tokens t"};
  EXPECT_THAT(std::string(session.run(kAll)[0].text(0)), Not(HasSubstr(writer.substr(4))));
  EXPECT_THAT(std::string(session.run(kAll)[0].text(0)), HasSubstr(to_hex(bytes_of(sha256(writer)))));
  std::ostringstream log_text;
  log_text << std::ifstream(scratch("courant-under-test.log")).rdbuf();
  const std::string log = log_text.str();
  EXPECT_THAT(log, HasSubstr("credentials were refused"));
  EXPECT_THAT(log, Not(HasSubstr(writer.substr(4))));
}

}  // namespace
}  // namespace courant::test::access_test
