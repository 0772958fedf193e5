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
  EXPECT_EQ(page.body.find("<script"), std::string::npos);
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
  EXPECT_EQ(unchanged.header("Link"),
            "<" + server_.url() + "/demo/events?format=html>; rel=\"self\", <" + server_.url() + "/hub>; rel=\"hub\"");
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
  EXPECT_EQ(entry.header("ETag"), "\"2-html\"");
  EXPECT_NE(entry.body.find("#2"), std::string::npos);
  const Reply older = client_.get("/demo/events?marker=2&direction=backward&limit=1&format=html");
  EXPECT_NE(older.body.find("limit=1&amp;format=html\">older"), std::string::npos) << older.body;
}

}  // namespace
}  // namespace courant::test::pages_test
