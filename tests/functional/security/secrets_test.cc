// Secrets stand in no log and no answer, and answers tell nothing of how the server is made.
#include "kernel/uri.h"
#include "tests/functional/security/fixture.h"
#include "tests/support/database_relay.h"
#include "tests/support/subscriber.h"
#include "tests/support/tokens.h"

namespace courant::test::secrets_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class SecretsTest : public Security {
 protected:
  // Of an answer to whoever is not to learn how the server is made.
  static void expect_discreet(const Reply& reply, const std::string& of) {
    for (const char* const word :
         {"select ", "SELECT", "insert into", "ERROR:", "pqxx", "libpq", "SQLSTATE", "terminate", ".cc", "/work",
          "/tmp", "/var/lib", "what()", "std::", "boost", "backtrace", "PGRES", "postgresql://"}) {
      EXPECT_THAT(reply.head + reply.body, Not(HasSubstr(word))) << of;
    }
  }
};

TEST_F(SecretsTest, NoSecretStandsInTheLogOrInAnAnswer) {
  const std::string almost = all_.substr(0, all_.size() - 1) + (all_.back() == 'x' ? "y" : "x");
  const std::string form = "Content-Type: application/x-www-form-urlencoded\r\n";
  std::string said;
  const auto note = [&](const Reply& reply) { said += reply.head + reply.body; };
  for (const std::string& token : {all_, almost}) {
    for (const std::string& fields :
         {bearer(token), basic(token), "Authorization: Token " + token + "\r\n", "Authorization: " + token + "\r\n",
          "Authorization: Bearer  " + token + " x\r\n", bearer(token) + bearer(token),
          "Cookie: token=" + token + "\r\n", "X-Api-Key: " + token + "\r\n"}) {
      for (const std::string path : {"/closed/events", "/closed/nothing", "/nowhere/x", "/closed/events?limit=x",
                                     "/closed/events/entries/none", "/-/manage/tokens"}) {
        note(client_.get(path, fields));
      }
      note(client_.post("/closed/events", "<broken", fields + kAtom));
      note(client_.post("/hub", "hub.mode=subscribe&hub.topic=x&hub.callback=y&hub.secret=" + token, fields + form));
      note(client_.post("/-/manage/tokens", "{", fields + "Content-Type: application/json\r\n"));
    }
    // Of these the answer may repeat the URL, to whoever has sent it; the log must not.
    client_.get("/closed/events?access_token=" + token);
    client_.get("/closed/events?signature=" + token + "&expires=1");
    client_.get("/hub/s/" + token);
    raw("GET /closed/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\x01\r\n\r\n");
    raw("GET /closed/events HTTP/9.9\r\nAuthorization: Bearer " + token + "\r\n\r\n");
  }
  server_.process().signal(SIGTERM);
  EXPECT_EQ(server_.process().wait(), 0);
  for (const std::string& secret : {all_, almost, to_base64("anyone:" + all_), to_base64("anyone:" + almost)}) {
    EXPECT_THAT(said, Not(HasSubstr(secret)));
    EXPECT_THAT(log(), Not(HasSubstr(secret)));
  }
  EXPECT_THAT(log(), HasSubstr("credentials were refused"));
}

TEST_F(SecretsTest, AnswersToWhatIsWrongTellNothingOfTheServersInside) {
  const std::string too_deep = [] {
    std::string text = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content type='application/xml'>";
    for (int i = 0; i < 2000; ++i) text += "<a>";
    return text;
  }();
  for (const std::string& body : {std::string("<"), std::string(), too_deep, std::string("\0\1\2", 3),
                                  entry(std::string(3000, 'x'), "x"), entry("no iri", "x"), std::string("{}")}) {
    for (const std::string type : {"application/atom+xml", "application/cloudevents+json", "image/png", "x/y", ""}) {
      const Reply reply =
          client_.post("/news/events", body, bearer(all_) + (type.empty() ? "" : "Content-Type: " + type + "\r\n"));
      expect_discreet(reply, type + " " + body.substr(0, 40));
    }
  }
  for (const std::string path :
       {"/nowhere/x", "/news/none", "/news/events?marker=99999999999999999999", "/news/events?limit=-1",
        "/news/events?search=(", "/news/events/entries/none", "/news/events/archive/x", "/hub/s/x"}) {
    for (const std::string accept : {"", "Accept: application/xml\r\n", "Accept: text/html\r\n"}) {
      expect_discreet(client_.get(path, accept), path);
    }
  }
  EXPECT_EQ(client_.get("/news/events").header("Server"), "") << "nor of its version";
}

// What a broken database says stays with the operator.
TEST_F(SecretsTest, ALostDatabaseIsNotToldOf) {
  auto relay = std::make_unique<DatabaseRelay>(database_.url());
  const CourantServer server(with_tokens(relay->url()));
  HttpClient client(server.port());
  ASSERT_EQ(client.get("/news/events").status, 200);
  relay.reset();
  Reply failed;
  ASSERT_TRUE(wait_until([&] {
    failed = client.get("/news/unknown");
    return failed.status == 503;
  }));
  expect_discreet(failed, "a read");
  const Reply post = client.post("/news/events", entry("urn:z:1", "x"), bearer(all_) + kAtom);
  EXPECT_EQ(post.status, 503);
  expect_discreet(post, "a publish");
}

}  // namespace
}  // namespace courant::test::secrets_test
