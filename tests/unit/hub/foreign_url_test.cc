#include "hub/foreign_url.h"

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

std::string spelling(const std::string& url) {
  const Result<ForeignUrl> read = read_foreign_url(url);
  return read ? read->text : "";
}

TEST(ForeignUrl, EachUrlHasOneSpelling) {
  EXPECT_EQ(spelling("HTTP://EXAMPLE.org:80"), "http://example.org/");
  EXPECT_EQ(spelling("https://example.org.:443/Feed"), "https://example.org/Feed");
  EXPECT_EQ(spelling("https://example.org:80/"), "https://example.org:80/");
  EXPECT_EQ(spelling("http://x.example/%7euser/%2fa%c3%a9?q=%41&r=%26"), "http://x.example/~user/%2Fa%C3%A9?q=A&r=%26");
  EXPECT_EQ(spelling("http://x.example/\xC3\xA9?\xC3\xA9"), "http://x.example/%C3%A9?%C3%A9");
  EXPECT_EQ(spelling("http://x.example/?"), "http://x.example/?");
  EXPECT_EQ(spelling("http://x.example/a/../b"), "http://x.example/a/../b") << "the server's to say what it means";
  EXPECT_EQ(spelling("http://2130706433:8080/"), "http://127.0.0.1:8080/");
  EXPECT_EQ(spelling("http://[2001:DB8::1]:80/"), "http://[2001:db8::1]/");
  EXPECT_EQ(spelling("http://[::ffff:192.0.2.1]/"), "http://192.0.2.1/");
}

TEST(ForeignUrl, TheSpellingIsItsOwnSpelling) {
  for (const std::string url :
       {"http://x.example/%2F%25%41?a=%3d%C3%A9&b=[]", "https://[2001:db8::1]:8443/x", "http://x.example"}) {
    EXPECT_EQ(spelling(spelling(url)), spelling(url));
    EXPECT_NE(spelling(url), "");
  }
}

TEST(ForeignUrl, WhatCannotBeATopicIsRefused) {
  for (const std::string& url :
       {std::string(), std::string("/feed"), std::string("//x.example/"), std::string("ftp://x.example/"),
        std::string("http:///x"), std::string("http://x.example/#a"), std::string("http://u@x.example/"),
        std::string("http://:p@x.example/"), std::string("http://x y.example/"), std::string("http://x..example/"),
        std::string("http://x.example/%"), std::string("http://x.example/\xFF"), std::string("http://x.example/a b"),
        std::string("http://\xEF\xBC\x91.example/"), std::string("http://x.example:0/"),
        std::string("http://x.example:99999/"), "http://x.example/" + std::string(2048, 'a'),
        "http://x.example/?\r\nX: y" + std::string()}) {
    EXPECT_EQ(spelling(url), "") << url;
  }
}

}  // namespace
}  // namespace courant::hub
