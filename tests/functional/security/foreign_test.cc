// Web pages of other origins, and names that are not the server's.
#include "tests/functional/security/fixture.h"

namespace courant::test::foreign_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class ForeignTest : public Security {
 protected:
  static std::string with_length(const std::string& body) {
    return "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
};

struct Unsafe {
  std::string method;
  std::string path;
  std::string type;
  std::string body;
};

// Everything that changes something.
std::vector<Unsafe> unsafe_requests() {
  const std::string atom = "application/atom+xml";
  const std::string text = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>";
  const std::string json = "application/json";
  return {{"POST", "/news/events", atom, text},
          {"POST", "/news/events", "text/plain", text},
          {"POST", "/news/events", "image/png", "x"},
          {"PUT", "/news/events/entries/urn:x:1", atom, text},
          {"DELETE", "/news/events/entries/urn:x:1", "", ""},
          {"PUT", "/news/events/media/urn:x:1", "image/png", "x"},
          {"DELETE", "/news/events/media/urn:x:1", "", ""},
          {"POST", "/hub", "application/x-www-form-urlencoded", "hub.mode=publish&hub.url=http://x.example/"},
          {"POST", "/hub/s/abc", "application/x-www-form-urlencoded", "action=pause"},
          {"PUT", "/-/manage/workspaces/news", json, "{}"},
          {"PUT", "/-/manage/feeds/news/events", json, "{}"},
          {"DELETE", "/-/manage/feeds/news/events?confirm=news/events", "", ""},
          {"POST", "/-/manage/feeds/news/events/redactions", json, "{\"id\":\"urn:x:1\"}"},
          {"POST", "/-/manage/tokens", json, "{\"name\":\"x\",\"scopes\":\"admin\",\"on\":\"*\"}"},
          {"DELETE", "/-/manage/tokens/all", "", ""},
          {"POST", "/-/manage/subscriptions/1/pause", "", ""},
          {"DELETE", "/-/manage/subscriptions/1", "", ""},
          {"POST", "/-/manage/generation", json, "{\"generation\": 1}"}};
}

// As if the visitor's browser had a token to send along, which it has not: there are no cookies.
TEST_F(ForeignTest, NoWebPageOfAnotherOriginChangesAnything) {
  for (const Unsafe& unsafe : unsafe_requests()) {
    for (const std::string origin :
         {"http://evil.example", "null", "http://localhost.evil.example", "http://localhost:1", "https://localhost",
          "file://", "http://127.0.0.1.evil.example", "http://evil.example http://localhost"}) {
      const std::string reply =
          raw(unsafe.method + " " + unsafe.path + " HTTP/1.1\r\nHost: localhost:" + std::to_string(port()) + "\r\n" +
              bearer(all_) + (unsafe.type.empty() ? "" : "Content-Type: " + unsafe.type + "\r\n") +
              "Origin: " + origin + "\r\n" + with_length(unsafe.body) + "Connection: close\r\n\r\n" + unsafe.body);
      EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 403")) << unsafe.method << " " << unsafe.path << " " << origin;
      EXPECT_THAT(reply, Not(HasSubstr("Access-Control-Allow"))) << unsafe.path;
    }
  }
  EXPECT_EQ(client_.get("/news/events").header("Feed-Position"), "1");
  EXPECT_EQ(client_.get("/closed/events", bearer(all_)).status, 200) << "the token is there still";
}

TEST_F(ForeignTest, NoWebPageOfAnotherOriginReadsAnything) {
  for (const std::string path : {"/", "/news", "/news/events", "/news/events?format=json", "/hub", "/-/health/ready"}) {
    const Reply reply = client_.get(path, "Origin: http://evil.example\r\n");
    EXPECT_THAT(reply.head, Not(HasSubstr("Access-Control-Allow-Origin"))) << path;
    EXPECT_THAT(reply.head, Not(HasSubstr("Access-Control-Allow-Credentials"))) << path;
    EXPECT_THAT(reply.head, Not(HasSubstr("Set-Cookie"))) << path;
  }
  const std::string preflight =
      raw("OPTIONS /news/events HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
          "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\nConnection: "
          "close\r\n\r\n");
  EXPECT_THAT(preflight, Not(HasSubstr("Access-Control-Allow"))) << "so a browser sends nothing";
}

// A name that leads to this machine (DNS rebinding) gets a web page nothing; and no link is made of one.
TEST_F(ForeignTest, AnswersToNoNameButItsOwn) {
  for (const std::string host : {"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
                                 "[::ffff:10.0.0.1]", "169.254.169.254", "closed"}) {
    for (const std::string request : {"GET /news/events", "GET /", "POST /hub", "GET /-/manage/openapi.json"}) {
      const std::string reply =
          raw(request + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 421")) << request << " " << host;
      EXPECT_THAT(reply, Not(HasSubstr("Location"))) << request;
    }
  }
  const Reply page = client_.get(
      "/news/events", "X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nX-Forwarded-Proto: https\r\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.head + page.body, Not(HasSubstr("evil.example")));
  const std::string by_line =
      raw("GET http://evil.example/news/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(by_line, testing::StartsWith("HTTP/1.1 421")) << "nor by the request line";
}

}  // namespace
}  // namespace courant::test::foreign_test
