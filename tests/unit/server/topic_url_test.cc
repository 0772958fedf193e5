// How topics are written, and that each has one spelling.
#include "server/topic_url.h"

#include <random>

#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::server {
namespace {

std::string topic_of(const std::string& text) {
  const std::optional<TopicUrl> url = parse_topic_url(text);
  return url ? canonical_topic(*url, feeds::parse_push_view(url->parameters, 25)) : "none";
}

TEST(TopicUrl, SlashesPercentSignsOrderAndDefaultsMakeNoDifference) {
  for (const char* const text : {"/demo/events", "/demo/events/", "/demo/events?", "/demo/%65vents", "/d%65mo/events/",
                                 "/demo/events?format=atom", "/demo/events/?limit=25&direction=forward&x=y"}) {
    EXPECT_EQ(topic_of(text), "/demo/events") << text;
  }
  for (const char* const text :
       {"/demo/events?format=rss&search=%2Btid%3A1", "/demo/events?search=%2btid%3a1&format=rss",
        "/demo/events/?search=%2BTID:1&form%61t=rss", "/demo/events?search=(cat=tid:1)&format=rss&limit=25",
        "/demo/events?format=rss&search=%28AND%28cat%3Dtid%3A1%29%29"}) {
    EXPECT_EQ(topic_of(text), "/demo/events?format=rss&search=%2Btid%3A1") << text;
  }
}

TEST(TopicUrl, NamesDifferByCase) {
  EXPECT_EQ(topic_of("/Demo/Events"), "/Demo/Events");
}

TEST(TopicUrl, OtherResourcesAreNoTopics) {
  for (const char* const text :
       {"", "/", "/demo", "/demo/", "demo/events", "//events", "/demo/events//", "/demo/events/x",
        "/demo/events/entries/1", "/demo/.events", "/demo/ev%2fents", "/demo/events?a=%zz"}) {
    EXPECT_EQ(topic_of(text), "none") << text;
  }
  for (const char* const text : {"/demo/events/archive/1", "/demo/events/archive", "/demo/events/archive/2-1?x=y"}) {
    try {
      topic_of(text);
      ADD_FAILURE() << text;
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), 403) << text;
    }
  }
}

// Each character as it is or as a triplet, in upper or lower case.
std::string spelled(const std::string& text, std::minstd_rand& random) {
  constexpr std::string_view kUpper = "0123456789ABCDEF";
  constexpr std::string_view kLower = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || c == ':';
    const auto how = random() % 3;
    if (is_letter && how == 0) {
      out += c;
      continue;
    }
    const std::string_view digits = how == 1 ? kUpper : kLower;
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

TEST(TopicUrl, EverySpellingHasTheSameCanonicalFormWhichIsItsOwn) {
  std::minstd_rand random(20261126);
  const std::string expected =
      topic_of("/demo/events?format=json&search=%28OR%28cat%3Da+b%29%28NOT%28cat%3Dc%2Bd%29%29%29");
  EXPECT_EQ(topic_of(expected), expected);
  for (int i = 0; i < 1000; ++i) {
    const std::string search = "search=" + spelled("(or(!(cat=c+d))(cat=a b))", random);
    const std::string format = "format=" + spelled("json", random);
    std::string text = "/" + spelled("demo", random) + "/" + spelled("events", random);
    if (random() % 2 == 0) text += "/";
    text += random() % 2 == 0 ? "?" + search + "&" + format : "?" + format + "&" + search;
    EXPECT_EQ(topic_of(text), expected) << text;
  }
}

}  // namespace
}  // namespace courant::server
