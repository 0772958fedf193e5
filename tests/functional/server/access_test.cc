// Who gets in: tokens, workspaces that are private, revocation on every process, and what caches are told.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/contents.h"
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
  std::set<int> answers;  // until it was refused
  const auto is_refused = [&](HttpClient& client, const std::string& fields) {
    answers.insert(client.get("/closed/events", fields).status);
    return answers.contains(401);
  };
  EXPECT_TRUE(wait_until([&] { return is_refused(client_, bearer(writer)); }));
  EXPECT_THAT(answers, testing::IsSubsetOf({200, 401})) << "it was heard of: not that no token was trusted any more";
  answers.clear();
  EXPECT_TRUE(wait_until([&] { return is_refused(elsewhere, bearer(writer) + tag); }));
  EXPECT_THAT(answers, testing::IsSubsetOf({304, 401}));
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

// As `--filter "$FILTER"` is where the variable is not set.
TEST_F(AccessTest, AFilterThatIsEmptyIsAMistakeAndNotNone) {
  for (const std::string empty : {"", " "}) {
    const Ran made =
        tokens_.run({"token", "create", "loose", "--scope", "read", "--on", "closed/*", "--filter", empty});
    EXPECT_EQ(made.status, 2) << made.output;
    EXPECT_THAT(made.output, HasSubstr("the filter is empty"));
    EXPECT_THAT(made.output, Not(HasSubstr("crt_")));
    const Ran signed_one =
        tokens_.run({"sign-url", "http://127.0.0.1:8080/closed/events", "--expires", "1d", "--filter", empty});
    EXPECT_EQ(signed_one.status, 2) << signed_one.output;
    EXPECT_THAT(signed_one.output, HasSubstr("the filter is empty"));
  }
  EXPECT_THAT(tokens_.run({"token", "list"}).output, Not(HasSubstr("loose")));
}

// Terms of one kind are kept apart; what has no colon is of none.
TEST_F(AccessTest, WhatAFilterDoesNotKeepApartIsSaidWhenTheTokenIsMade) {
  const auto made = [&](const std::string& name, const std::string& filter) {
    return tokens_.run({"token", "create", name, "--scope", "read,publish", "--on", "closed/*", "--filter", filter})
        .output;
  };
  const std::string open = made("alpha", "cat=alpha");
  EXPECT_THAT(open, HasSubstr("Note: nothing keeps the category alpha to its holder"));
  EXPECT_THAT(made("either", "+tid:1+beta"), HasSubstr("the category beta"));
  EXPECT_THAT(made("kept", "cat=tid:1"), Not(HasSubstr("Note:")));
  EXPECT_THAT(tokens_.run({"token", "create", "whole", "--on", "closed/*"}).output, Not(HasSubstr("Note:")));
  // It is so.
  const std::string token(trim(open.substr(open.find("crt_"))));
  const std::string both =
      "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:both</id><title>t</title><category term='alpha'/>"
      "<category term='beta'/><content>c</content></entry>";
  EXPECT_TRUE(wait_until([&] { return client_.post("/closed/events", both, bearer(token)).status == 201; }));
}

TEST_F(AccessTest, ATokenIsCalledWhatAUrlCanName) {
  for (const std::string name : {".", ".."}) {
    EXPECT_EQ(tokens_.run({"token", "create", name, "--on", "*"}).status, 2) << name;
  }
  EXPECT_EQ(tokens_.run({"token", "create", "...", "--on", "*"}).status, 0);
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
  const std::string log = CourantServer::log();
  EXPECT_THAT(log, HasSubstr("credentials were refused"));
  EXPECT_THAT(log, Not(HasSubstr(writer.substr(4))));
}

// What comes in pieces comes whole, and each piece to its own reader.
TEST_F(AccessTest, MediaInPiecesPassTheGateWhole) {
  const std::string writer = heard(tokens_.make("writer", "read,publish", "*"));
  std::string bytes(3 << 20, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 1000) bytes[i] = static_cast<char>('a' + i / 1000 % 26);
  const Reply posted = client_.post("/closed/events", bytes, bearer(writer) + "Content-Type: image/png\r\n");
  ASSERT_EQ(posted.status, 201);
  const std::string media =
      "/closed/events/media/" + posted.header("Location").substr(posted.header("Location").rfind('/') + 1);
  HttpClient another(server_.port());
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(client_.get(media, bearer(writer)).body, bytes);
    EXPECT_EQ(another.get(media, basic(writer)).body, bytes);
  }
  EXPECT_EQ(client_.get(media).status, 401);
}

// A new installation tells its first token, and that alone.
TEST(FirstToken, IsPrintedOnceAndWorks) {
  const DataFolder folder;
  const std::string log = scratch("first-token.log");
  std::filesystem::remove(log);
  const int port = free_port();
  const std::vector<std::string> arguments = {
      courant_program(), "serve", "--data",   folder.path(),
      "--operations",    "",      "--listen", "127.0.0.1:" + std::to_string(port)};
  const auto printed = [&] { return contents_of(log); };
  std::string token;
  {
    Process server(arguments, log);
    ASSERT_TRUE(wait_until([&] { return printed().find("Stop with Ctrl-C") != std::string::npos; }));
    const std::string greeting = printed();
    token = greeting.substr(greeting.find("crt_"), 36);
    EXPECT_THAT(greeting, HasSubstr("curl -i -H 'Authorization: Bearer " + token + "'"));
    HttpClient client(port);
    EXPECT_EQ(client.post("/demo/events", entry("urn:x:1")).status, 401);
    EXPECT_TRUE(wait_until([&] { return client.post("/demo/events", entry("urn:x:1"), bearer(token)).status == 201; }));
    EXPECT_EQ(client.get("/demo/events").status, 200);
    server.signal(SIGTERM);
    server.wait();
  }
  std::filesystem::remove(log);
  Process server(arguments, log);
  ASSERT_TRUE(wait_until([&] { return printed().find("Stop with Ctrl-C") != std::string::npos; }));
  EXPECT_THAT(printed(), Not(HasSubstr("crt_")));
  EXPECT_THAT(printed(), HasSubstr("courant token create"));
  EXPECT_EQ(HttpClient(port).post("/demo/events", entry("urn:x:2"), bearer(token)).status, 201);
  server.signal(SIGTERM);
  server.wait();
}

}  // namespace
}  // namespace courant::test::access_test
