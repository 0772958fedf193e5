// Other spellings of a path lead nowhere that the path itself does not lead.
#include "tests/functional/security/fixture.h"

namespace courant::test::paths_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class PathsTest : public Security {};

const char* const kSpellings[] = {
    "/closed/events",
    "/closed/events/",
    "//closed/events",
    "/closed//events",
    "/closed/events//",
    "/./closed/events",
    "/news/../closed/events",
    "/news/events/../../closed/events",
    "/news/%2e%2e/closed/events",
    "/news/%2E%2E/closed/events",
    "/news/..%2fclosed%2fevents",
    "/news/events%2f..%2f..%2fclosed%2fevents",
    "/closed%2fevents",
    "/closed%2Fevents",
    "/%63losed/events",
    "/%63%6c%6f%73%65%64/%65vents",
    "/%2563losed/events",
    "/closed%00/events",
    "/closed/events%00",
    "/closed/events%20",
    "/closed;x/events",
    "/closed/events;x=1",
    "/closed/events.atom",
    "/CLOSED/events",
    "/Closed/Events",
    "/closed\\events",
    "/closed%5cevents",
    "/closed/%c0%aeevents",
    "/news%2f%2e%2e%2fclosed/events",
    "/closed/events/entries/urn:x:1",
    "/closed/events/entries/urn%3Ax%3A1",
    "/closed/events/entries/../entries/urn:x:1",
    "/closed/events/archive/0001",
    "/-/../closed/events",
    "/-/health/live/../../../closed/events",
    "/hub/../closed/events",
    "/hub/s/../../closed/events",
    "/.well-known/../closed/events",
    "/closed/events?format=json",
    "/closed/events?format=json&format=atom",
    "/closed/events#x",
    "/closed/events?%00",
};

TEST_F(PathsTest, NoSpellingShowsAStrangerWhatIsPrivate) {
  for (const std::string spelling : kSpellings) {
    for (const std::string method : {"GET", "HEAD", "POST", "OPTIONS"}) {
      // Remembered answers to who may see it stand between them.
      client_.get("/closed/events", bearer(all_));
      const std::string reply = raw(method + " " + spelling +
                                    " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      if (method != "OPTIONS") {
        EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 4")) << method << " " << spelling;
      }
      EXPECT_THAT(reply, Not(HasSubstr(kHidden))) << method << " " << spelling;
      EXPECT_THAT(reply, Not(HasSubstr("Feed-Position"))) << method << " " << spelling;
      EXPECT_THAT(reply, Not(HasSubstr("ETag"))) << method << " " << spelling;
    }
  }
}

TEST_F(PathsTest, NorWhoseTokenIsForAnotherFeed) {
  const std::string narrow = tokens_.make("narrow", "read,publish,edit", "closed/other");
  ASSERT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(narrow)).status == 404; }));
  for (const std::string spelling : kSpellings) {
    const std::string reply =
        raw("GET " + spelling + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + bearer(narrow) + "\r\n");
    EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 40")) << spelling;
    EXPECT_THAT(reply, Not(HasSubstr(kHidden))) << spelling;
  }
}

// Fields by which proxies speak of another path, method or client than that of the request line.
TEST_F(PathsTest, NoFieldLeadsElsewhere) {
  for (const std::string field :
       {"X-Original-URL: /closed/events", "X-Rewrite-URL: /closed/events", "X-Forwarded-Path: /closed/events",
        "X-HTTP-Method-Override: DELETE", "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1;host=localhost",
        "X-Forwarded-User: all", "Remote-User: all", "X-Forwarded-Prefix: /closed/events"}) {
    const Reply open = client_.get("/news/events", field + "\r\n");
    EXPECT_EQ(open.status, 200) << field;
    EXPECT_THAT(open.body, Not(HasSubstr(kHidden))) << field;
    EXPECT_EQ(client_.get("/closed/events", field + "\r\n").status, 401) << field;
    EXPECT_EQ(client_.post("/news/events", entry("urn:y:1", "x"), field + "\r\n" + kAtom).status, 401) << field;
  }
}

}  // namespace
}  // namespace courant::test::paths_test
