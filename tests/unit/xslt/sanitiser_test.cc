// The sanitiser over a corpus of attacks (tests/data/hostile_markup), and what it leaves of honest HTML.
#include "xslt/sanitiser.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel/text.h"
#include "tests/support/contents.h"
#include "tests/support/safe_markup.h"
#include "xslt/allow_list.h"

namespace courant::xslt {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string hostile(const std::string& name) {
  return sanitised_html(
      test::contents_of(std::filesystem::path(COURANT_SOURCE_DIR) / "tests/data/hostile_markup" / (name + ".html")));
}

TEST(Sanitiser, NoAttackLeavesAnythingThatIsNotOnTheList) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(COURANT_SOURCE_DIR "/tests/data/hostile_markup")) {
    const std::string safe = sanitised_html(test::contents_of(entry.path()));
    EXPECT_EQ(test::SafeMarkup::fault_of(safe), std::nullopt) << entry.path() << "\n" << safe;
    EXPECT_TRUE(is_valid_utf8(safe)) << entry.path();
    // Read as somebody's HTML once more, it means the same.
    EXPECT_EQ(test::SafeMarkup::fault_of(sanitised_html(safe)), std::nullopt) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 15);
}

TEST(Sanitiser, OnlyAddressesOfTheWebAreLinks) {
  const std::string safe = hostile("addresses");
  std::size_t links = 0;
  for (std::size_t at = safe.find("<a "); at != std::string::npos; at = safe.find("<a ", at + 1)) ++links;
  EXPECT_EQ(links, 3U) << safe;
  EXPECT_THAT(safe,
              HasSubstr("<a href=\"https://good.example/?a=1&amp;b=2\" rel=\"nofollow noopener noreferrer\">good</a>"));
  EXPECT_THAT(safe, HasSubstr("<a href=\"http://good.example/xy\" "));
  EXPECT_THAT(safe, HasSubstr("1")) << "the words of a link that leads nowhere stay";
}

TEST(Sanitiser, AddressesAreReadAsBrowsersReadThem) {
  EXPECT_EQ(allowed_address(" \thttps://a/\n"), "https://a/");
  EXPECT_EQ(allowed_address("ht\ntps://a/"), "https://a/");
  EXPECT_EQ(allowed_address("mailto:a@b"), "mailto:a@b");
  for (const std::string& bad :
       {std::string("javascript:x"), std::string("java\tscript:x"), std::string("\x01javascript:x"),
        std::string("data:,x"), std::string("vbscript:x"), std::string("//a"), std::string("/a"), std::string("a"),
        std::string(), std::string("http:a"), std::string("https:/a"),
        std::string("http://a/\x02"
                    "b"),
        "http://" + std::string(5000, 'a')}) {
    EXPECT_EQ(allowed_address(bad), std::nullopt) << bad.substr(0, 40);
  }
}

TEST(Sanitiser, HonestHtmlKeepsItsShape) {
  EXPECT_EQ(sanitised_html("<h1>T</h1><p lang='de' class=x>a <em>b</em><br>c &amp; d</p><ul><li value=3>e</ul>"),
            "<h3>T</h3><p lang=\"de\">a <em>b</em><br>c &amp; d</p><ul><li value=\"3\">e</li></ul>");
  EXPECT_EQ(sanitised_html("<table><tr><td colspan=2>a</td></tr></table>"),
            "<table><tr><td colspan=\"2\">a</td></tr></table>");
  EXPECT_EQ(sanitised_html("<section>a<article>b</article></section><font>c</font><center>d</center>"),
            "<div>a<div>b</div></div>c<div>d</div>");
  EXPECT_EQ(sanitised_html("plain text & more"), "<p>plain text &amp; more</p>");
  EXPECT_EQ(sanitised_html(""), "");
  EXPECT_EQ(sanitised_html("Grüße, 世界 &hearts; &#x1F600;"), "<p>Grüße, 世界 ♥ 😀</p>");
}

// Whoever wrote an entry does not learn who reads it, and when.
TEST(Sanitiser, PicturesAreLinks) {
  EXPECT_EQ(sanitised_html("<p><img src='https://a.example/x.png' alt='A cat'></p>"),
            "<p><a href=\"https://a.example/x.png\" rel=\"nofollow noopener noreferrer\">[image: A cat]</a></p>");
  EXPECT_EQ(sanitised_html("<p><a href='https://a.example/'><img src='https://a.example/x.png'></a></p>"),
            "<p><a href=\"https://a.example/\" rel=\"nofollow noopener noreferrer\">[image]</a></p>");
  EXPECT_EQ(sanitised_html("<p><img src='data:image/png;base64,AAAA'></p>"), "<p>[image]</p>");
}

// Where no element may stand any more, a picture is its words.
TEST(Sanitiser, NothingNestsDeeperThanItMay) {
  const auto nested = [](int levels, const std::string& inside) {
    std::string html;
    for (int i = 0; i < levels; ++i) html += "<div>";
    html += inside;
    for (int i = 0; i < levels; ++i) html += "</div>";
    return html;
  };
  const std::string link = "<a href=\"https://a.example/\" rel=\"nofollow noopener noreferrer\">[image]</a>";
  const std::string image = "<img src='https://a.example/'>";
  EXPECT_EQ(sanitised_html(nested(kMostNested - 1, image)), nested(kMostNested - 1, link));
  EXPECT_EQ(sanitised_html(nested(kMostNested, image)), nested(kMostNested, "[image]"));
  EXPECT_EQ(sanitised_html(nested(kMostNested + 5, "<b>x</b><hr>")), nested(kMostNested, "x"));
}

TEST(Sanitiser, WhatIsTooMuchIsShownAsText) {
  std::string many = "<p";
  for (int i = 0; i < 30'000; ++i) many += " a" + std::to_string(i);
  EXPECT_THAT(sanitised_html(many + ">x"), HasSubstr("<pre>&lt;p a0 a1"));
  // Also where the '>' that seems to end the tag stands in a value, and the quotes in a comment.
  EXPECT_THAT(sanitised_html("<!-- <x a=\" --><p b='>'" + many.substr(2) + ">x"), HasSubstr("<pre>&lt;"));
  const std::string longest(kMostMarkup + 1, 'x');
  EXPECT_EQ(sanitised_html(longest), "<pre>" + longest + "</pre>");
  EXPECT_THAT(sanitised_html("<p>it's \"quoted\" text, isn't it</p>"), Not(HasSubstr("<pre>")));
}

TEST(Sanitiser, TitlesAreTheirText) {
  EXPECT_EQ(text_of_html("<b>bold</b> &amp; <i>more</i>"), "bold & more");
  EXPECT_EQ(text_of_html("<script>hit()</script>a<style>b</style>"), "a");
  EXPECT_EQ(text_of_html("AT&amp;T &lt;b&gt;"), "AT&T <b>");
}

}  // namespace
}  // namespace courant::xslt
