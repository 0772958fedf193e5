#include "xslt/page.h"

#include <gtest/gtest.h>

namespace courant::xslt {
namespace {

std::string feed_with(const std::string& inside) {
  return "<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:f</id><title>&lt;script&gt;alert(1)&lt;/script&gt;</title>"
         "<updated>2026-01-01T00:00:00Z</updated><link rel='current' href='http://h/w/f'/>"
         "<link rel='next' href='http://h/w/f?marker=1'/><entry>" +
         inside +
         "<c:log xmlns:c='urn:courant:log:1' position='7'/><link rel='self' "
         "href='http://h/w/f/entries/e'/></entry></feed>";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Page, AFeedIsAnHtmlDocument) {
  const std::string page = html_page(feed_with("<id>e</id><title>T</title><category term='tid:1'/>"));
  EXPECT_EQ(page.find("<!DOCTYPE html"), 0U) << page.substr(0, 100);
  EXPECT_TRUE(has(page, "<link rel=\"alternate\" type=\"application/atom+xml\" href=\"http://h/w/f\">"));
  EXPECT_TRUE(has(page, "<a href=\"http://h/w/f?marker=1\">older</a>"));
  EXPECT_TRUE(has(page, "<span class=\"tag\">tid:1</span>"));
  EXPECT_TRUE(has(page, "#7"));
}

// WebSub section 4: a page that can be subscribed to says so; an entry or an archive page cannot.
TEST(Page, NamesItsHub) {
  const std::string links = "<link rel='self' href='http://h/w/f?format=html'/><link rel='hub' href='http://h/hub'/>";
  std::string feed = feed_with("<id>e</id>");
  EXPECT_FALSE(has(html_page(feed), "<link rel=\"hub\""));
  feed.insert(feed.find("<entry>"), links);
  EXPECT_TRUE(has(html_page(feed),
                  "<link rel=\"self\" href=\"http://h/w/f?format=html\"><link rel=\"hub\" "
                  "href=\"http://h/hub\">"));
}

TEST(Page, WhatPublishersWriteIsText) {
  const std::string page = html_page(feed_with(
      "<id>javascript:alert(1)</id><title type='html'>&lt;img src=x onerror=alert(1)&gt;</title>"
      "<summary type='html'>&lt;script&gt;alert(2)&lt;/script&gt;</summary>"
      "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><script>alert(3)</script>"
      "<a href='javascript:alert(4)' onclick='alert(5)'>x</a></div></content>"
      "<link rel='related' href='javascript:alert(6)'/><link rel='related' href='https://good.example/?a=1&amp;b=2'/>"
      "<category term='&quot;&gt;&lt;script&gt;'/>"));
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_FALSE(has(page, "<img"));
  for (std::size_t at = page.find("<a "); at != std::string::npos; at = page.find("<a ", at + 1)) {
    EXPECT_FALSE(has(page.substr(at, page.find('>', at) - at), "javascript:")) << page.substr(at, 80);
  }
  EXPECT_FALSE(has(page, "<a href=\"javascript:alert(4)\""));
  EXPECT_TRUE(has(page, "&lt;script&gt;alert(3)&lt;/script&gt;"));
  EXPECT_TRUE(has(page, "href=\"https://good.example/?a=1&amp;b=2\""));
}

TEST(Page, LinksCarryTheFormatAlong) {
  const std::string page = html_page(feed_with("<id>e</id>"), "format=html");
  EXPECT_TRUE(has(page, "http://h/w/f?marker=1&amp;format=html\">older"));
  EXPECT_TRUE(has(page, "http://h/w/f?format=html\">newest"));
  EXPECT_TRUE(has(page, "href=\"http://h/w/f\">")) << "the feed itself is Atom";
}

TEST(Page, AServiceDocumentIsTheFrontPage) {
  const std::string page = html_page(
      "<service xmlns='http://www.w3.org/2007/app' xmlns:atom='http://www.w3.org/2005/Atom'><workspace>"
      "<atom:title>W</atom:title><collection href='http://h/w/f'><atom:title>F &amp; G</atom:title></collection>"
      "</workspace><workspace><atom:title>Empty</atom:title></workspace></service>");
  EXPECT_TRUE(has(page, "<h2>W</h2>"));
  EXPECT_TRUE(has(page, "<a href=\"http://h/w/f\">F &amp; G</a>"));
  EXPECT_TRUE(has(page, "no feeds yet"));
}

}  // namespace
}  // namespace courant::xslt
