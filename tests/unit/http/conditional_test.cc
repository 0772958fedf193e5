#include "http/conditional.h"

#include <gtest/gtest.h>

namespace courant::http {
namespace {

constexpr Instant kModified =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(9) + std::chrono::milliseconds(999);

bool matches(std::vector<HeaderView> headers, Method method = Method::kGet) {
  Request request;
  request.method = method;
  request.headers = std::move(headers);
  return if_modified_since_matches(request, kModified);
}

TEST(IfModifiedSince, MatchesTheVerySecond) {
  EXPECT_TRUE(matches({{"If-Modified-Since", "Tue, 24 Nov 2026 09:00:00 GMT"}}));
  EXPECT_TRUE(matches({{"if-modified-since", "Tuesday, 24-Nov-26 09:00:00 GMT"}}));
  EXPECT_TRUE(matches({{"If-Modified-Since", "Tue Nov 24 09:00:00 2026"}}, Method::kHead));
  EXPECT_FALSE(matches({{"If-Modified-Since", "Tue, 24 Nov 2026 08:59:59 GMT"}}));
  EXPECT_FALSE(matches({{"If-Modified-Since", "Tue, 24 Nov 2026 09:00:01 GMT"}})) << "of before a clock was set back";
}

TEST(IfModifiedSince, SaysNothingWhereItIsNotToBeUsed) {
  const HeaderView known{"If-Modified-Since", "Tue, 24 Nov 2026 09:00:00 GMT"};
  EXPECT_FALSE(matches({}));
  EXPECT_FALSE(matches({known}, Method::kPost));
  EXPECT_FALSE(matches({known, {"If-None-Match", "\"other\""}}));
  EXPECT_FALSE(matches({known, known}));
  EXPECT_FALSE(matches({{"If-Modified-Since", "Tue, 24 Nov 2026 09:00:00 CET"}}));
  EXPECT_FALSE(matches({{"If-Modified-Since", ""}}));
}

// RFC 9110 section 5.2: several lines are one list.
TEST(IfNoneMatch, IsOneListOverAllItsLines) {
  const auto knows = [](std::vector<HeaderView> headers) {
    Request request;
    request.headers = std::move(headers);
    return if_none_match_matches(request, "W/\"a,b\"");
  };
  EXPECT_TRUE(knows({{"If-None-Match", "\"x\", \"a,b\""}}));
  EXPECT_TRUE(knows({{"If-None-Match", "\"x\""}, {"Accept", "*/*"}, {"if-none-match", " W/\"a,b\""}}));
  EXPECT_TRUE(knows({{"If-None-Match", "*"}}));
  EXPECT_FALSE(knows({{"If-None-Match", "\"x\""}, {"If-None-Match", "*"}})) << "no member of a list";
  EXPECT_FALSE(knows({{"If-None-Match", "\"a"}, {"If-None-Match", "b\""}}));
  EXPECT_FALSE(knows({{"If-Match", "\"a,b\""}}));
  EXPECT_FALSE(knows({}));
}

}  // namespace
}  // namespace courant::http
