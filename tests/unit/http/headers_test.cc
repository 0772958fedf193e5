#include <gtest/gtest.h>

#include "http/conditional.h"
#include "http/gzip.h"
#include "http/negotiate.h"

namespace courant::http {
namespace {

TEST(ChooseMediaType, FollowsWeightsAndExactness) {
  const std::vector<std::string_view> offered = {"application/atom+xml", "text/html"};
  EXPECT_EQ(choose_media_type("", offered), 0U);
  EXPECT_EQ(choose_media_type("*/*", offered), 0U);
  EXPECT_EQ(choose_media_type("text/html,application/xhtml+xml,*/*;q=0.8", offered), 1U);
  EXPECT_EQ(choose_media_type("application/*;q=0.5, text/html;q=0.4", offered), 0U);
  EXPECT_EQ(choose_media_type("application/atom+xml;q=0, */*", offered), 1U);
  EXPECT_FALSE(choose_media_type("image/png", offered).has_value());
}

TEST(IfNoneMatch, ComparesWeaklyAndTakesLists) {
  EXPECT_TRUE(if_none_match_matches("*", "W/\"a\""));
  EXPECT_TRUE(if_none_match_matches("\"x\", W/\"a,b\"", "\"a,b\""));
  EXPECT_FALSE(if_none_match_matches("\"a", "\"a\""));
  EXPECT_FALSE(if_none_match_matches("a", "\"a\""));
}

TEST(IfMatch, ComparesStrongly) {
  EXPECT_TRUE(if_match_matches("\"a\", \"b\"", "\"b\""));
  EXPECT_FALSE(if_match_matches("W/\"b\"", "\"b\""));
  EXPECT_FALSE(if_match_matches("\"b\"", "W/\"b\""));
}

TEST(Gzip, RoundTripsAndStopsBombs) {
  const std::string text(100'000, 'x');
  const std::string packed = gzip(text);
  EXPECT_EQ(gunzip(packed, text.size()), text);
  EXPECT_FALSE(gunzip(packed, text.size() - 1).has_value());
  EXPECT_FALSE(gunzip(packed.substr(0, packed.size() - 1), text.size()).has_value());
  EXPECT_FALSE(gunzip("no gzip", 100).has_value());
  EXPECT_EQ(gzip(text), packed);
}

}  // namespace
}  // namespace courant::http
