// Isolation: every path with every wrong identity, and what each right one sees of a feed that several share. What must
// not be seen holds a marker, which stands in no answer to who must not see it.
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test::isolation_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kMarker = "the-foreign-marker";
constexpr const char* kMine = "my-own-words";

std::string entry(const std::string& id, const std::string& category, const std::string& words) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>" + words + "</title>" +
         (category.empty() ? "" : "<category term='" + category + "'/>") + "<content>" + words + "</content></entry>";
}

// Where the Link field and the body lead on this server, as targets: what stands behind href=, or between quotes or
// angle brackets as a URL of it.
std::set<std::string> links_in(const Reply& reply) {
  static const std::regex kLink("href=\"(/[^\"#]*)|[\"<]http://(?:127\\.0\\.0\\.1|localhost):[0-9]+(/[^\"<>#\\\\]*)");
  const std::string text = "<" + reply.header("Link") + "\n" + reply.body;
  std::set<std::string> links;
  for (std::sregex_iterator at(text.begin(), text.end(), kLink), end; at != end; ++at) {
    std::string link = at->str(1) + at->str(2);
    for (std::size_t amp = link.find("&amp;"); amp != std::string::npos; amp = link.find("&amp;"))
      link.erase(amp + 1, 4);
    links.insert(link);
  }
  return links;
}

class IsolationTest : public testing::Test {
 protected:
  IsolationTest() {
    all_ = tokens_.make("all", "read,publish,edit,subscribe", "*");
    mine_ = tokens_.make("mine", "read,publish,edit,subscribe", "closed/*,news/*", {"--filter", "cat=tid:1"});
    EXPECT_TRUE(wait_until([&] { return status("/closed/events", all_) == 404; }));
    for (const std::string workspace : {"closed", "news", "other"}) {
      for (int i = 1; i <= 30; ++i) {
        const bool is_mine = i % 3 == 0;
        const std::string id = "urn:x:" + std::to_string(i);
        const std::string text = entry(id, is_mine ? "TID:1" : "tid:2", is_mine ? kMine : kMarker);
        EXPECT_EQ(client_.post("/" + workspace + "/events", text, bearer(all_)).status, 201);
      }
    }
    const Reply picture = client_.post("/closed/events", kMarker, bearer(all_) + "Content-Type: image/png\r\n");
    EXPECT_EQ(picture.status, 201);
    media_ = picture.header("Location");
    media_ = media_.substr(media_.rfind('/') + 1);
  }

  int status(const std::string& target, const std::string& token) { return client_.get(target, bearer(token)).status; }
  // Everything that can be read of a feed.
  std::vector<std::string> paths(const std::string& feed) const {
    std::vector<std::string> all;
    for (const char* const more : {"",
                                   "/",
                                   "?format=json",
                                   "?format=rss",
                                   "?format=cloudevents",
                                   "?format=html",
                                   "?marker=0",
                                   "?marker=last",
                                   "?marker=30&direction=backward",
                                   "?limit=1000",
                                   "?marker=urn:x:1",
                                   "?startingAt=2020-01-01T00:00:00Z",
                                   "?search=%2Btid:2",
                                   "?search=(NOT(cat=tid:1))",
                                   "?search=(OR(cat=tid:1)(cat=tid:2))",
                                   "?wait=1&marker=0",
                                   "/entries/urn:x:1",
                                   "/entries/urn:x:1?format=cloudevents",
                                   "/entries/urn:x:1?format=html",
                                   "/archive",
                                   "/archive/1",
                                   "/archive/2",
                                   "/categories",
                                   "/delivered?position=1",
                                   "/nothing",
                                   "/entries/nothing"}) {
      all.push_back(feed + more);
    }
    all.push_back(feed + "/entries/" + media_);
    all.push_back(feed + "/media/" + media_);
    return all;
  }

  // A page that can be read without a token, as its path and query.
  std::string sign(const std::string& target) const {
    const std::string url = "http://localhost:" + std::to_string(server_.port());
    const Ran ran = tokens_.run({"sign-url", url + target, "--expires", "1h", "--public-url", url});
    EXPECT_EQ(ran.status, 0) << ran.output;
    return std::string(trim(ran.output)).substr(url.size());
  }
  // HEAD and OPTIONS: no body follows the head of the first.
  Reply ask(const std::string& method, const std::string& target, const std::string& fields) const {
    RawClient client(static_cast<std::uint16_t>(server_.port()));
    client.send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + "\r\n");
    Reply reply;
    reply.head = client.read_all();
    reply.status = std::stoi(reply.head.substr(9, 3));
    return reply;
  }

  TestDatabase database_;
  Tokens tokens_{database_.url()};
  CourantServer server_{with_tokens(database_.url())};
  HttpClient client_{server_.port()};
  std::string all_;    // may everything
  std::string mine_;   // sees a part
  std::string media_;  // the id of a media resource, encoded
};

TEST_F(IsolationTest, NoWrongIdentityGetsAnythingOnAnyPathByAnyMethod) {
  tokens_.make("brief", "read,publish,edit,subscribe,admin", "*", {"--expires", "1s"});
  const std::string revoked = tokens_.make("revoked", "admin", "*");
  const std::string elsewhere = tokens_.make("elsewhere", "admin", "other/*");
  const std::string other_feed = tokens_.make("other_feed", "admin", "closed/another");
  const std::string writer = tokens_.make("writer", "publish", "closed/events");
  tokens_.revoke("revoked");
  ASSERT_TRUE(wait_until([&] { return status("/closed/events", writer) == 403; }));
  ASSERT_TRUE(wait_until([&] { return status("/closed/events", revoked) == 401; }));
  const std::vector<std::pair<std::string, std::vector<int>>> wrong = {
      {"", {401}},
      {bearer(revoked), {401, 429}},
      {basic(revoked), {401, 429}},
      {bearer("crt_" + std::string(32, 'x')), {401, 429}},
      {"Authorization: Basic bm9ib2R5OnNlY3JldA==\r\n", {401, 429}},
      {"Authorization: Negotiate abc\r\n", {401, 429}},
      {bearer(elsewhere), {404}},
      {bearer(other_feed), {404}},
  };
  // Who may read these gets a stream that does not end.
  const std::vector<std::string> streams = {"/closed/events?format=events&lastEventId=0",
                                            "/closed/events?format=events&lastEventId=0&data=json",
                                            "/closed/events?format=events&search=%2Btid:2&lastEventId=0"};
  const std::string text = entry("urn:x:1", "tid:1", "overwritten");
  for (const auto& [fields, expected] : wrong) {
    for (const std::string& path : streams) {
      const Reply reply = client_.get(path, fields + "Accept: text/event-stream\r\n");
      EXPECT_THAT(expected, testing::Contains(reply.status)) << path << "\n" << fields << reply.head;
      EXPECT_THAT(reply.body, Not(HasSubstr(kMarker))) << path;
    }
    for (const char* const path : {"/", "/closed", "/?format=html", "/closed?format=html"}) {
      client_.get(path, bearer(all_));
      for (const Reply& reply : {client_.get(path, fields), ask("HEAD", path, fields), ask("OPTIONS", path, fields)}) {
        EXPECT_NE(reply.status, 0) << path << "\n" << fields;
        EXPECT_THAT(reply.head + reply.body, Not(HasSubstr("closed/events"))) << path << "\n" << fields;
      }
    }
    // Remembered answers to the right one stand between them.
    for (const std::string& path : paths("/closed/events")) {
      client_.get(path, bearer(all_));
      const std::string atom = "Content-Type: application/atom+xml\r\n" + fields;
      for (const Reply& reply : {client_.get(path, fields), client_.post(path, text, atom),
                                 client_.put(path, text, atom), client_.remove(path, fields)}) {
        EXPECT_THAT(expected, testing::Contains(reply.status)) << path << "\n" << fields << reply.head;
        EXPECT_THAT(reply.body, Not(HasSubstr(kMarker))) << path;
        EXPECT_THAT(reply.head, Not(HasSubstr("ETag"))) << path;
        EXPECT_THAT(reply.head, Not(HasSubstr("Feed-Position"))) << path;
      }
      const Reply head = ask("HEAD", path, fields);
      EXPECT_THAT(expected, testing::Contains(head.status)) << path << "\n" << fields << head.head;
      EXPECT_THAT(head.head, Not(HasSubstr("ETag"))) << path;
      EXPECT_THAT(head.head, Not(HasSubstr("Feed-Position"))) << path;
      // What may be asked there is the same of a feed that is not there.
      const auto words = [](const Reply& reply) {
        static const std::regex kOwn("(Date|Request-Id|RateLimit|RateLimit-Policy): [^\r]*\r\n|events|nobody");
        return std::regex_replace(reply.head, kOwn, "");
      };
      std::string nowhere = path;
      nowhere.replace(nowhere.find("events"), 6, "nobody");
      EXPECT_EQ(words(ask("OPTIONS", path, fields)), words(ask("OPTIONS", nowhere, fields))) << path;
    }
  }
  for (const std::string& path : paths("/closed/events")) {
    const Reply reply = client_.get(path, bearer(writer));
    EXPECT_EQ(reply.status, 403) << path;
    EXPECT_THAT(reply.body, Not(HasSubstr(kMarker))) << path;
  }
  EXPECT_THAT(client_.get("/closed/events/entries/urn:x:1", bearer(all_)).body, HasSubstr(kMarker)) << "untouched";
}

// Whoever has a signed page has that page: on every other path its signature is a wrong identity.
TEST_F(IsolationTest, ASignatureOpensItsOwnPageAlone) {
  const std::string page = "/closed/events?limit=2";
  const std::string signed_page = sign(page);
  ASSERT_EQ(client_.get(signed_page).status, 200);
  const std::string signature = signed_page.substr(page.size() + 1);
  std::vector<std::string> all = paths("/closed/events");
  all.insert(all.end(), {"/closed/events?format=events&lastEventId=0", "/closed", "/other/events?limit=2"});
  for (const std::string& path : all) {
    client_.get(signed_page);
    const std::string target = path + (path.find('?') == std::string::npos ? "?" : "&") + signature;
    const std::string atom = "Content-Type: application/atom+xml\r\n";
    const std::string text = entry("urn:x:1", "tid:1", "overwritten");
    for (const Reply& reply : {client_.get(target), client_.post(target, text, atom), client_.put(target, text, atom),
                               client_.remove(target), ask("HEAD", target, "")}) {
      EXPECT_THAT((std::vector<int>{401, 429}), testing::Contains(reply.status)) << target << "\n" << reply.head;
      EXPECT_THAT(reply.body, Not(HasSubstr(kMarker))) << target;
      EXPECT_THAT(reply.head, Not(HasSubstr("Feed-Position"))) << target;
    }
  }
  EXPECT_THAT((std::vector<int>{401, 403, 405}), testing::Contains(client_.remove(signed_page).status));
  EXPECT_THAT(client_.get("/closed/events/entries/urn:x:1", bearer(all_)).body, HasSubstr(kMarker)) << "untouched";
}

TEST_F(IsolationTest, WhoSeesAPartSeesNothingElseAnywhere) {
  for (const std::string workspace : {"closed", "news"}) {
    for (const std::string& path : paths("/" + workspace + "/events")) {
      // Twice each, the other one first: what is in memory is each one's own.
      for (int again = 0; again < 3; ++again) {
        const Reply whole = client_.get(path, bearer(all_));
        const Reply part = client_.get(path, bearer(mine_));
        EXPECT_THAT(part.body, Not(HasSubstr(kMarker))) << path << "\n" << part.head;
        EXPECT_THAT(part.body, Not(HasSubstr("c:chain"))) << path;
        if (whole.status != 200 || part.status != 200) continue;
        EXPECT_THAT(part.header("Cache-Control"), HasSubstr("private")) << path;
        EXPECT_THAT(part.header("Vary"), HasSubstr("Authorization")) << path;
        const std::string tag = whole.header("ETag");
        if (tag.empty()) continue;
        EXPECT_NE(part.header("ETag"), tag) << path;
        EXPECT_EQ(client_.get(path, bearer(mine_) + "If-None-Match: " + tag + "\r\n").status, 200) << path;
        const std::string own = "If-None-Match: " + part.header("ETag") + "\r\n";
        EXPECT_EQ(client_.get(path, bearer(mine_) + own).status, 304) << path;
      }
    }
    const std::string feed = "/" + workspace + "/events";
    EXPECT_THAT(client_.get(feed, bearer(mine_)).body, HasSubstr(kMine));
    EXPECT_THAT(client_.get(feed + "?search=%2Btid:1", bearer(mine_)).body, HasSubstr(kMine));
    EXPECT_THAT(client_.get(feed + "?search=%2Btid:2", bearer(mine_)).body, Not(HasSubstr("<entry")));
    EXPECT_THAT(client_.get(feed + "/entries/urn:x:3", bearer(mine_)).body, HasSubstr(kMine));
    EXPECT_EQ(client_.get(feed + "/entries/urn:x:1", bearer(mine_)).status, 404);
    EXPECT_EQ(client_.get(feed + "?marker=urn:x:1", bearer(mine_)).status, 404);
    EXPECT_EQ(client_.get(feed + "?marker=urn:x:3", bearer(mine_)).status, 200);
    for (const char* const whole : {"/archive", "/archive/1", "/categories", "/delivered?position=1"}) {
      const Reply refused = client_.get(feed + whole, bearer(mine_));
      EXPECT_EQ(refused.status, 403) << whole;
      EXPECT_THAT(refused.body, HasSubstr("+tid:1")) << whole;
    }
  }
  EXPECT_EQ(client_.get("/closed/events/media/" + media_, bearer(mine_)).status, 404);
}

TEST_F(IsolationTest, WhoSeesAPartFollowsLinksToAllOfItAndNothingElse) {
  std::string target = "/closed/events?marker=0&limit=4";
  int seen = 0;
  for (int pages = 0; pages < 20; ++pages) {
    const Reply page = client_.get(target, bearer(mine_));
    ASSERT_EQ(page.status, 200) << target;
    EXPECT_THAT(page.body, Not(HasSubstr(kMarker)));
    for (std::size_t at = page.body.find("<entry"); at != std::string::npos; at = page.body.find("<entry", at + 1))
      ++seen;
    const std::size_t rel = page.body.find("<link rel=\"previous\" href=\"");
    const std::string href = page.body.substr(rel + 27, page.body.find('"', rel + 27) - rel - 27);
    target = href.substr(href.find('/', 8));
    for (std::size_t at = target.find("&amp;"); at != std::string::npos; at = target.find("&amp;"))
      target.erase(at + 1, 4);
  }
  EXPECT_EQ(seen, 10);
}

TEST_F(IsolationTest, WhoSeesAPartIsShownNoLinkThatHeMayNotFollow) {
  std::set<std::string> shown;
  std::vector<std::string> pages = {"/", "/closed", "/closed?format=html",
                                    "/closed/events/entries/urn:x:3?format=html"};
  for (const char* const more : {"?", "?marker=0&limit=4&", "?marker=12&", "?limit=3&", "?marker=last&limit=2&"}) {
    for (const char* const form : {"", "format=json", "format=rss", "format=html", "format=cloudevents"}) {
      pages.push_back("/closed/events" + std::string(more) + form);
    }
  }
  for (const std::string& page : pages) {
    EXPECT_EQ(status(page, all_), 200) << page;  // his is in memory, too
    const Reply part = client_.get(page, bearer(mine_) + (page == "/" ? "Accept: text/html\r\n" : ""));
    ASSERT_EQ(part.status, 200) << page;
    EXPECT_EQ(part.body.find("/archive"), std::string::npos) << page;
    shown.merge(links_in(part));
  }
  EXPECT_GT(shown.size(), 20U);
  for (const std::string& link : shown) {
    EXPECT_NE(status(link, mine_), 403) << link;
    EXPECT_NE(status(link, mine_), 404) << link;
  }
  const Reply whole = client_.get("/closed/events?marker=12&format=html", bearer(all_));
  EXPECT_TRUE(links_in(whole).contains("/closed/events/archive?format=html"));
  EXPECT_THAT(client_.get("/closed", bearer(all_)).body, HasSubstr("/closed/events/categories"));
}

TEST_F(IsolationTest, WhoSeesAPartPublishesAndEditsNothingElse) {
  const auto post = [&](const std::string& text) { return client_.post("/closed/events", text, bearer(mine_)); };
  const Reply outside = post(entry("urn:y:1", "tid:2", "x"));
  EXPECT_EQ(outside.status, 403);
  EXPECT_THAT(outside.body, HasSubstr("categories match +tid:1"));
  EXPECT_EQ(post(entry("urn:y:1", "", "x")).status, 403);
  const std::string planted = entry("urn:y:1", "tid:1'/><category term='tid:2", "x");
  EXPECT_EQ(post(planted).status, 403) << "who is bound to tid:2 would see it";
  EXPECT_EQ(
      client_
          .put("/closed/events/entries/urn:x:6", entry("urn:x:6", "tid:1'/><category term='Tid:2", "x"), bearer(mine_))
          .status,
      403);
  const Reply inside = post(entry("urn:y:1", "tid:1", "x"));
  EXPECT_EQ(inside.status, 201);
  EXPECT_EQ(inside.header("Feed-Chain"), "");
  EXPECT_THAT(inside.header("Cache-Control"), HasSubstr("private"));
  const Reply batch = post("<feed xmlns='http://www.w3.org/2005/Atom'>" + entry("urn:y:2", "tid:1", "x") +
                           entry("urn:y:3", "tid:2", "x") + "</feed>");
  EXPECT_EQ(batch.status, 403);
  EXPECT_THAT(batch.body, HasSubstr("urn:y:3"));
  EXPECT_THAT(batch.body, Not(HasSubstr("urn:y:2")));
  EXPECT_EQ(client_.get("/closed/events/entries/urn:y:2", bearer(all_)).status, 404) << "nothing of it was stored";
  EXPECT_EQ(client_.post("/closed/events", "x", bearer(mine_) + "Content-Type: image/png\r\n").status, 403);

  const std::string foreign = "/closed/events/entries/urn:x:1";
  EXPECT_EQ(client_.put(foreign, entry("urn:x:1", "tid:1", "mine now"), bearer(mine_)).status, 404);
  EXPECT_EQ(client_.remove(foreign, bearer(mine_)).status, 404);
  EXPECT_EQ(client_.put("/closed/events/media/" + media_, "x", bearer(mine_) + "Content-Type: image/png\r\n").status,
            404);
  EXPECT_EQ(client_.remove("/closed/events/media/" + media_, bearer(mine_)).status, 404);
  EXPECT_THAT(client_.get(foreign, bearer(all_)).body, HasSubstr(kMarker));
  const std::string own = "/closed/events/entries/urn:x:3";
  EXPECT_EQ(client_.put(own, entry("urn:x:3", "tid:2", "given away"), bearer(mine_)).status, 403);
  EXPECT_EQ(client_.put(own, entry("urn:x:3", "tid:1", "better"), bearer(mine_)).status, 200);
  EXPECT_EQ(client_.remove(own, bearer(mine_)).status, 204);
  EXPECT_EQ(client_.get(own, bearer(mine_)).status, 404);
  EXPECT_EQ(client_.get(own, bearer(all_)).status, 410);
}

TEST_F(IsolationTest, StreamsAndWaitsTellWhoSeesAPartOfNothingElse) {
  RawClient stream(static_cast<std::uint16_t>(server_.port()));
  stream.send("GET /closed/events?format=events&lastEventId=0 HTTP/1.1\r\nHost: localhost\r\n" + bearer(mine_) +
              "\r\n");
  std::string seen;
  ASSERT_TRUE(wait_until([&] {
    seen += stream.read_piece();
    return seen.find("id: 31\n") != std::string::npos;
  }));
  EXPECT_THAT(seen, HasSubstr(kMine));
  EXPECT_THAT(seen, Not(HasSubstr(kMarker)));
  const Reply waited = client_.get("/closed/events?marker=30&wait=1", bearer(mine_));
  EXPECT_EQ(waited.status, 200);
  EXPECT_THAT(waited.body, Not(HasSubstr(kMarker)));
}

TEST_F(IsolationTest, WhatIsStreamedEndsWithItsToken) {
  const std::string brief = tokens_.make("reader", "read", "closed/*");
  ASSERT_TRUE(wait_until([&] { return status("/closed/events", brief) == 200; }));
  RawClient stream(static_cast<std::uint16_t>(server_.port()));
  stream.send("GET /closed/events?format=events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + bearer(brief) +
              "\r\n");
  std::string seen;
  ASSERT_TRUE(wait_until([&] {
    seen += stream.read_piece();
    return seen.find("id: 31\n") != std::string::npos;
  }));
  tokens_.revoke("reader");
  ASSERT_TRUE(wait_until([&] { return status("/closed/events", brief) == 401; }));
  ASSERT_EQ(client_.post("/closed/events", entry("urn:late", "", "said-later"), bearer(all_)).status, 201);
  EXPECT_THAT(stream.read_all(), Not(HasSubstr("said-later")));
}

TEST_F(IsolationTest, ServiceDocumentsNameWhatTheirReaderMayKnow) {
  const std::string narrow = tokens_.make("narrow", "read", "closed/another");
  ASSERT_EQ(client_.post("/closed/another", entry("urn:x:1", "", "x"), bearer(all_)).status, 201);
  ASSERT_TRUE(wait_until([&] { return status("/closed/another", narrow) == 200; }));
  for (const char* const accept : {"Accept: application/atomsvc+xml\r\n", "Accept: text/html\r\n"}) {
    const std::string everything = client_.get("/", bearer(all_) + accept).body;
    const std::string stranger = client_.get("/", accept).body;
    const std::string some = client_.get("/", bearer(narrow) + accept).body;
    EXPECT_THAT(everything, HasSubstr("/closed/events"));
    EXPECT_THAT(everything, HasSubstr("/other/events"));
    EXPECT_THAT(stranger, HasSubstr("/news/events"));
    EXPECT_THAT(stranger, Not(HasSubstr("closed")));
    EXPECT_THAT(stranger, Not(HasSubstr("other")));
    EXPECT_THAT(some, HasSubstr("/closed/another"));
    EXPECT_THAT(some, Not(HasSubstr("/closed/events")));
    EXPECT_EQ(client_.get("/closed", accept).status, 401);
    EXPECT_EQ(client_.get("/other", bearer(narrow) + accept).status, 404);
    EXPECT_THAT(client_.get("/closed", bearer(narrow) + accept).body, Not(HasSubstr("/closed/events")));
  }
  EXPECT_THAT(client_.get("/").header("Vary"), HasSubstr("Authorization"));
  EXPECT_THAT(client_.get("/", bearer(all_)).header("Cache-Control"), HasSubstr("private"));
}

TEST_F(IsolationTest, AnIdempotencyKeyIsOfTheOneWhoSentIt) {
  const std::string text =
      "<entry xmlns='http://www.w3.org/2005/Atom'><title>x</title><category term='tid:1'/></entry>";
  const std::string key = "Idempotency-Key: k1\r\n";
  const Reply one = client_.post("/closed/events", text, bearer(all_) + key);
  const Reply again = client_.post("/closed/events", text, bearer(all_) + key);
  const Reply other = client_.post("/closed/events", text, bearer(mine_) + key);
  EXPECT_EQ(one.status, 201);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header("Location"), one.header("Location"));
  EXPECT_EQ(other.status, 201);
  EXPECT_NE(other.header("Location"), one.header("Location"));
}

TEST_F(IsolationTest, AFilterThatLetsOthersThroughIsNoBound) {
  for (const char* const filter : {"(NOT(cat=tid:2))", "(AND)", "cat=", "nonsense"}) {
    const Ran ran = tokens_.run({"token", "create", "bad", "--on", "*", "--filter", filter});
    EXPECT_EQ(ran.status, 2) << filter << ran.output;
  }
}

}  // namespace
}  // namespace courant::test::isolation_test
