#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::pages_test {
namespace {

constexpr const char* kFirefox =
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n";
constexpr const char* kHtml = "text/html; charset=utf-8";

class PagesTest : public testing::Test {
 protected:
  PagesTest() {
    for (int number = 1; number <= 3; ++number) {
      const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                                "</id><title>&lt;b&gt;bold&lt;/b&gt;</title><content type='html'>&lt;script "
                                "src='//evil.example/x.js'&gt;&lt;/script&gt;</content></entry>";
      EXPECT_EQ(client_.post("/demo/events", entry).status, 201);
    }
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(PagesTest, ABrowserGetsAPageOthersGetAtom) {
  EXPECT_EQ(client_.get("/demo/events", kFirefox).header("Content-Type"), kHtml);
  for (const char* const accept : {"", "Accept: */*\r\n", "Accept: application/atom+xml\r\n", "Accept: text/xml\r\n"}) {
    EXPECT_EQ(client_.get("/demo/events", accept).header("Content-Type"),
              "application/atom+xml;type=feed;charset=utf-8")
        << accept;
  }
  EXPECT_EQ(client_.get("/demo/events", "Accept: image/png\r\n").status, 406);
  EXPECT_EQ(client_.get("/demo/events?format=html").header("Content-Type"), kHtml);
  EXPECT_NE(client_.get("/demo/events?format=atom", kFirefox).header("Content-Type"), kHtml);
  EXPECT_EQ(client_.get("/demo/events?format=pdf").status, 400);
}

TEST_F(PagesTest, NothingOfAPublisherRuns) {
  const Reply page = client_.get("/demo/events", kFirefox);
  EXPECT_EQ(page.body.find("evil.example"), std::string::npos);
  EXPECT_EQ(page.body.find("<script"), page.body.find("<script src=\"/-/live.js?v=")) << "our own";
  EXPECT_EQ(page.body.find("<script", page.body.find("<script") + 1), std::string::npos) << "and no other";
  EXPECT_EQ(page.body.find("<b>bold"), std::string::npos);
  EXPECT_NE(page.body.find("&lt;b&gt;bold"), std::string::npos) << "shown as text";
  EXPECT_NE(page.header("Content-Security-Policy").find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.header("X-Content-Type-Options"), "nosniff");
}

TEST_F(PagesTest, EachRepresentationHasItsEntityTag) {
  const Reply atom = client_.get("/demo/events");
  const Reply html = client_.get("/demo/events", kFirefox);
  EXPECT_NE(atom.header("ETag"), html.header("ETag"));
  EXPECT_EQ(html.header("Vary"), "Accept, Accept-Encoding");
  const std::string known = "If-None-Match: " + html.header("ETag") + "\r\n";
  const Reply unchanged = client_.get("/demo/events", kFirefox + known);
  EXPECT_EQ(unchanged.status, 304);
  // RFC 9110 section 15.4.5: "The server generating a 304 response MUST generate any of the following header fields
  // that would have been sent in a 200 (OK) response to the same request: Content-Location, Date, ETag, and Vary;
  // Cache-Control and Expires".
  for (const char* const field : {"ETag", "Vary", "Cache-Control"}) {
    EXPECT_EQ(unchanged.header(field), html.header(field)) << field;
  }
  EXPECT_FALSE(unchanged.header("Date").empty());
  EXPECT_EQ(unchanged.header("Link"), html.header("Link"));
  EXPECT_EQ(client_.get("/demo/events", known).status, 200) << "the tag of the page is not that of the Atom document";
}

TEST_F(PagesTest, EveryPageOfTheWayIsHtml) {
  const Reply front = client_.get("/", kFirefox);
  EXPECT_EQ(front.header("Content-Type"), kHtml);
  EXPECT_NE(front.body.find("<a href=\"" + server_.url() + "/demo/events\">"), std::string::npos) << front.body;
  EXPECT_EQ(client_.get("/").header("Content-Type"), "application/atomsvc+xml");
  EXPECT_EQ(client_.get("/demo", kFirefox).header("Content-Type"), kHtml);
  const Reply entry = client_.get("/demo/events/entries/urn:x:2", kFirefox);
  EXPECT_EQ(entry.header("Content-Type"), kHtml);
  EXPECT_EQ(entry.header("ETag").substr(0, 8), "\"2-html-");
  EXPECT_NE(entry.body.find("no. 2"), std::string::npos);
  const Reply older = client_.get("/demo/events?marker=2&direction=backward&limit=1&format=html");
  EXPECT_NE(older.body.find("limit=1&amp;format=html\">Older"), std::string::npos) << older.body;
}

// What a page needs besides itself is kept for ever where it is of the version that the page names.
TEST_F(PagesTest, FilesOfPagesAreKeptByCaches) {
  const std::string page = client_.get("/demo/events", kFirefox).body;
  for (const std::string name : {"/-/style.css", "/-/live.js"}) {
    const std::size_t at = page.find(name + "?v=");
    ASSERT_NE(at, std::string::npos) << page;
    const Reply named = client_.get(page.substr(at, page.find('"', at) - at));
    EXPECT_EQ(named.status, 200);
    EXPECT_EQ(named.header("Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(client_.get(name + "?v=another").header("Cache-Control"), "no-cache");
    EXPECT_EQ(client_.get(name, "If-None-Match: " + named.header("ETag") + "\r\n").status, 304);
  }
  EXPECT_EQ(client_.get("/-/style.css").header("Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(client_.get("/-/live.js").header("Content-Type"), "text/javascript; charset=utf-8");
}

TEST_F(PagesTest, CategoriesAreFilters) {
  client_.post("/demo/tagged",
               "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:y:1</id><title>one</title>"
               "<content>c</content><category term='tid:1 &amp; more'/><category term='a+b'/></entry>");
  client_.post("/demo/tagged",
               "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:y:2</id><title>two</title>"
               "<content>c</content></entry>");
  const std::string page = client_.get("/demo/tagged", kFirefox).body;
  const std::string href = "/demo/tagged?search=%2Btid%3A1%20%26%20more";
  EXPECT_NE(page.find("<a href=\"" + href + "\" class=\"tag\">tid:1 &amp; more</a>"), std::string::npos) << page;
  EXPECT_NE(page.find("<span class=\"tag\">a+b</span>"), std::string::npos) << "no filter of the one form says it";
  const std::string filtered = client_.get(href, kFirefox).body;
  EXPECT_NE(filtered.find(">one</a>"), std::string::npos) << filtered;
  EXPECT_EQ(filtered.find(">two</a>"), std::string::npos);
  EXPECT_NE(filtered.find("<code>+tid:1 &amp; more</code>"), std::string::npos) << "it says that it is not all";
  EXPECT_NE(filtered.find("data-live=\"?format=events&amp;search=%2Btid%3A1%20%26%20more\""), std::string::npos);
}

TEST_F(PagesTest, TheArchiveIsThereForPeople) {
  for (int number = 4; number <= 60; ++number) {
    client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                                     "</id><title>T" + std::to_string(number) + "</title><content>c</content></entry>");
  }
  const Reply index = client_.get("/demo/events/archive", kFirefox);
  EXPECT_EQ(index.header("Content-Type"), kHtml);
  EXPECT_EQ(index.header("Vary"), "Accept");
  EXPECT_NE(index.body.find("<a href=\"" + server_.url() + "/demo/events/archive/2?format=html\">2</a>"),
            std::string::npos)
      << index.body;
  EXPECT_NE(index.body.find("no. 26 to 50"), std::string::npos);
  EXPECT_EQ(client_.get("/demo/events/archive").header("Content-Type"), "application/json");
  const Reply page = client_.get("/demo/events/archive/2?format=html");
  EXPECT_EQ(page.header("Content-Type"), kHtml);
  EXPECT_NE(page.body.find("T50"), std::string::npos);
  EXPECT_NE(page.body.find("/demo/events/archive/1?format=html\">Older page"), std::string::npos) << page.body;
  EXPECT_EQ(page.body.find("data-live"), std::string::npos) << "it never changes";
  EXPECT_EQ(client_.get("/demo/events/archive/2?format=html", "If-None-Match: " + page.header("ETag") + "\r\n").status,
            304);
  // Its address without that means one document, whatever a browser accepts.
  EXPECT_EQ(client_.get("/demo/events/archive/2", kFirefox).header("Content-Type"),
            "application/atom+xml;type=feed;charset=utf-8");
  EXPECT_EQ(client_.get("/demo/events/archive/3?format=html").status, 303);
  EXPECT_EQ(client_.get("/demo/events/archive/2?format=json").status, 400);
}

TEST_F(PagesTest, TheFrontPageIsPaged) {
  for (int number = 1; number <= 201; ++number) {
    client_.post("/demo/f" + std::to_string(1000 + number),
                 "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>");
  }
  const std::string first = client_.get("/", kFirefox).body;
  EXPECT_NE(first.find("<a href=\"/?after=demo/f1199\">More feeds</a>"), std::string::npos) << first.substr(0, 3000);
  EXPECT_EQ(first.find("f1200"), std::string::npos);
  const std::string second = client_.get("/?after=demo/f1199", kFirefox).body;
  EXPECT_EQ(second.find("f1199</a>"), std::string::npos);
  EXPECT_NE(second.find("f1201</a>"), std::string::npos) << second;
  EXPECT_EQ(second.find("More feeds"), std::string::npos);
  EXPECT_NE(client_.get("/").body.find("f1201"), std::string::npos) << "programs get all of it";
}

}  // namespace
}  // namespace courant::test::pages_test
