#include "xslt/page.h"

#include <gtest/gtest.h>

namespace courant::xslt {
namespace {

constexpr const char* kLinks =
    "<link rel='current' href='http://h/w/f'/><link rel='next' href='http://h/w/f?marker=1'/>";

std::string feed_with(const std::string& inside, const std::string& self = "http://h/w/f") {
  return "<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:f</id><title>&lt;script&gt;alert(1)&lt;/script&gt;</title>"
         "<updated>2026-01-02T03:04:05Z</updated><link rel='self' href='" +
         self + "'/>" + kLinks + "<entry>" + inside +
         "<c:log xmlns:c='urn:courant:log:1' position='7'/><link rel='self' "
         "href='http://h/w/f/entries/e'/></entry></feed>";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Page, AFeedIsAnHtmlDocument) {
  const std::string page = html_page(feed_with("<id>e</id><title>T</title><category term='tid:1'/>"));
  EXPECT_EQ(page.find("<!DOCTYPE html>\n<html lang=\"en\">"), 0U) << page.substr(0, 100);
  for (const std::string form : {"atom+xml", "feed+json", "rss+xml"}) {
    EXPECT_TRUE(has(page, "<link rel=\"alternate\" type=\"application/" + form + "\" title=")) << page;
  }
  EXPECT_TRUE(has(page, "<a href=\"http://h/w/f?marker=1\">Older</a>"));
  EXPECT_TRUE(has(page, "<a href=\"/w/f?search=%2Btid%3A1\" class=\"tag\">tid:1</a>")) << page;
  EXPECT_TRUE(has(page, "<article id=\"e7\">"));
  EXPECT_TRUE(has(page, "<time datetime=\"2026-01-02T03:04:05Z\">02 Jan 2026, 03:04:05 UTC</time>")) << page;
  EXPECT_TRUE(has(page, "<a href=\"/w\">w</a><a href=\"/w/f\">f</a>")) << page;
}

// WebSub section 4: a page that can be subscribed to says so; an entry or an archive page cannot.
TEST(Page, NamesItsHub) {
  std::string feed = feed_with("<id>e</id>", "http://h/w/f?format=html");
  EXPECT_FALSE(has(html_page(feed), "<link rel=\"hub\""));
  feed.insert(feed.find("<entry>"), "<link rel='hub' href='http://h/hub'/>");
  EXPECT_TRUE(has(html_page(feed),
                  "<link rel=\"self\" href=\"http://h/w/f?format=html\"><link rel=\"hub\" href=\"http://h/hub\">"));
  feed.insert(feed.find("<link"), "<fh:archive xmlns:fh='http://purl.org/syndication/history/1.0'/>");
  EXPECT_FALSE(has(html_page(feed), "<link rel=\"hub\""));
}

TEST(Page, FollowsItsFeedWhereItShowsTheNewest) {
  EXPECT_TRUE(has(html_page(feed_with("<id>e</id>")), "data-live=\"?format=events\""));
  EXPECT_TRUE(has(html_page(feed_with("<id>e</id>", "http://h/w/f?search=%2Ba&amp;limit=2")),
                  "data-live=\"?format=events&amp;search=%2Ba\""));
  EXPECT_FALSE(has(html_page(feed_with("<id>e</id>", "http://h/w/f?marker=3")), "data-live"));
  EXPECT_FALSE(has(html_page(feed_with("<id>e</id>", "http://h/w/f?marker=3")), "<script"));
}

TEST(Page, MarkupOfPublishersIsSafe) {
  const std::string page = html_page(feed_with(
      "<id>javascript:alert(1)</id><title type='html'>&lt;img src=x onerror=alert(1)&gt;a &lt;b&gt;b&lt;/b&gt;</title>"
      "<summary type='html'>&lt;script&gt;alert(2)&lt;/script&gt;&lt;em&gt;sum&lt;/em&gt;</summary>"
      "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><script>alert(3)</script>"
      "<a href='javascript:alert(4)' onclick='alert(5)'>x</a><strong>kept</strong></div></content>"
      "<link rel='related' href='javascript:alert(6)'/><link rel='related' href='https://good.example/?a=1&amp;b=2'/>"
      "<category term='&quot;&gt;&lt;script&gt;'/>"));
  EXPECT_EQ(page.find("<script"), page.find("<script src=\"/-/live.js")) << page;
  EXPECT_FALSE(has(page, "<img"));
  EXPECT_FALSE(has(page, "javascript:"));
  EXPECT_FALSE(has(page, "alert(3)"));
  EXPECT_TRUE(has(page, ">a b</a></h2>")) << page;
  EXPECT_TRUE(has(page, "<em>sum</em>")) << page;
  EXPECT_TRUE(has(page, "<div class=\"content\">x<strong>kept</strong></div>")) << page;
  EXPECT_TRUE(has(page, "href=\"https://good.example/?a=1&amp;b=2\""));
}

// Only this program puts safe markup there.
TEST(Page, NobodyElseSaysWhatIsSafe) {
  const std::string page = html_page(
      feed_with("<id>e</id><content type='text' xmlns:s='urn:courant:shown:1' s:html='&lt;script&gt;1&lt;/script&gt;' "
                "s:kind='code'>c</content><title s:text='forged' xmlns:s='urn:courant:shown:1'/>"
                "<link rel='related' xmlns:s='urn:courant:shown:1' s:href='javascript:1' href='urn:x'/>"));
  EXPECT_TRUE(has(page, "<p class=\"content text\">c</p>")) << page;
  EXPECT_FALSE(has(page, "<script>1"));
  EXPECT_FALSE(has(page, "forged"));
  EXPECT_FALSE(has(page, "javascript:"));
}

TEST(Page, ContentThatIsDataIsShownAsText) {
  const auto shown = [](const std::string& content) { return html_page(feed_with("<id>e</id>" + content)); };
  const std::string xml = shown("<content type='application/xml'><a xmlns='urn:a'><b c='1'/><b>t</b></a></content>");
  EXPECT_TRUE(
      has(xml,
          "<pre class=\"content code\">&lt;a xmlns=\"urn:a\"&gt;\n  &lt;b c=\"1\"/&gt;\n  &lt;b&gt;t&lt;/b&gt;\n"
          "&lt;/a&gt;</pre>"))
      << xml;
  EXPECT_TRUE(has(shown("<content type='application/json'>{\"a\": 1}</content>"),
                  "<pre class=\"content code\">{\"a\": 1}</pre>"));
  EXPECT_TRUE(has(shown("<content>&lt;b&gt;no markup&lt;/b&gt;</content>"),
                  "<p class=\"content text\">&lt;b&gt;no markup&lt;/b&gt;</p>"));
  const std::string big = shown("<content>" + std::string(100'000, 'x') + "</content>");
  EXPECT_TRUE(has(big, "(cut here: it has 100000 bytes)"));
  EXPECT_LT(big.size(), 70'000U);
}

TEST(Page, LinksCarryTheFormatAlong) {
  const std::string page =
      html_page(feed_with("<id>e</id><category term='a'/>", "http://h/w/f?marker=3"), "format=html");
  EXPECT_TRUE(has(page, "http://h/w/f?marker=1&amp;format=html\">Older")) << page;
  EXPECT_TRUE(has(page, "http://h/w/f?format=html\">Newest"));
  EXPECT_TRUE(has(page, "\"/w/f?search=%2Ba&amp;format=html\""));
  EXPECT_TRUE(has(page, "href=\"http://h/w/f\">")) << "the feed itself is Atom";
}

TEST(Page, AServiceDocumentIsTheFrontPage) {
  const std::string page = html_page(
      "<service xmlns='http://www.w3.org/2007/app' xmlns:atom='http://www.w3.org/2005/Atom'><workspace>"
      "<atom:title>W</atom:title><collection href='http://h/w/f'><atom:title>F &amp; G</atom:title>"
      "<c:log xmlns:c='urn:courant:log:1' position='1234'/></collection>"
      "</workspace><workspace><atom:title>Empty</atom:title></workspace></service>");
  EXPECT_TRUE(has(page, "<h2>W</h2>"));
  EXPECT_TRUE(has(page, "<a href=\"http://h/w/f\">F &amp; G</a>"));
  EXPECT_TRUE(has(page, "up to no. 1,234"));
  EXPECT_TRUE(has(page, "no feeds yet"));
}

}  // namespace
}  // namespace courant::xslt
