#include "feeds/last_modified.h"

#include <gtest/gtest.h>

#include "feeds/ready_page.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

constexpr Instant kTime = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + 9h;
constexpr const char* kField = "Tue, 24 Nov 2026 09:00:00 GMT";
constexpr Ticks kRead{1000h};  // when the database was asked, ten seconds after kTime
constexpr Ticks kSettled = kRead - 10s + kSettledAfter;

// Whether the answer says when the page was modified: "304 yes".
std::string answer(Ticks now, std::vector<http::HeaderView> headers) {
  const ReadyPage page({{"ETag", "W/\"x\""}, {"Cache-Control", "no-cache"}}, http::make_bytes("body"), 1, 1, {},
                       LastModified({kTime, kTime + 10s}, kRead));
  http::Request request;
  request.headers = std::move(headers);
  const http::Response response = held_answer_with(page, request, now);
  const bool tells = !response.headers.empty();
  if (tells) {
    EXPECT_EQ(response.headers, (std::vector<std::pair<std::string, std::string>>{{"Last-Modified", kField}}));
  }
  return std::to_string(response.status) + (tells ? " yes" : " no");
}

TEST(LastModified, IsToldAndTakenOnceItHasSettled) {
  EXPECT_EQ(answer(kSettled - 1us, {}), "200 no");
  EXPECT_EQ(answer(kSettled - 1us, {{"If-Modified-Since", kField}}), "200 no");
  EXPECT_EQ(answer(kSettled, {}), "200 yes");
  EXPECT_EQ(answer(kSettled, {{"If-Modified-Since", kField}}), "304 yes");
  EXPECT_EQ(answer(kSettled, {{"If-Modified-Since", "Tue, 24 Nov 2026 09:00:01 GMT"}}), "200 yes");
}

TEST(LastModified, IsNotForThoseWhoGoByTags) {
  EXPECT_EQ(answer(kSettled, {{"If-None-Match", "\"x\""}}), "304 no");
  EXPECT_EQ(answer(kSettled, {{"If-None-Match", "\"y\""}, {"If-Modified-Since", kField}}), "200 yes");
}

}  // namespace
}  // namespace courant::feeds
