#include "http/answer_memo.h"

#include <gtest/gtest.h>

namespace courant::http {
namespace {

Response answer(bool& holds, std::string body = {}) {
  Response response = text_response(200, "text/plain", std::move(body));
  response.holds = [&holds] { return holds; };
  return response;
}

// As what comes twice is kept, under revision 1.
void remember(AnswerMemo& memo, const std::string& request, const Response& response, bool has_body = true) {
  for (int i = 0; i < 2; ++i) memo.keep(request, response, has_body, 1);
}

TEST(AnswerMemo, KeepsWhatComesTwice) {
  AnswerMemo memo;
  bool holds = true;
  const Response response = answer(holds, "body");
  memo.keep("GET /a", response, true, 1);
  EXPECT_FALSE(memo.find("GET /a", 1)) << "seen once";
  memo.keep("GET /a", response, true, 1);
  const std::optional<AnswerMemo::Known> known = memo.find("GET /a", 1);
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->before_date.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(known->after_date.ends_with("Content-Length: 4\r\n\r\n"));
  EXPECT_EQ(*known->body, "body");
  EXPECT_FALSE(memo.find("GET /b", 1));
}

TEST(AnswerMemo, GivesNothingThatDoesNotHold) {
  AnswerMemo memo;
  bool holds = true;
  const Response response = answer(holds);
  remember(memo, "GET /a", response);
  ASSERT_TRUE(memo.find("GET /a", 1));
  holds = false;
  EXPECT_FALSE(memo.find("GET /a", 1));
  holds = true;
  EXPECT_FALSE(memo.find("GET /a", 1)) << "it was dropped";
  memo.keep("GET /a", response, true, 1);
  EXPECT_TRUE(memo.find("GET /a", 1)) << "it is known to come again";
}

TEST(AnswerMemo, GivesNothingThatWasStampedBefore) {
  AnswerMemo memo;
  bool holds = true;
  const Response response = answer(holds);
  remember(memo, "GET /a", response);
  ASSERT_TRUE(memo.find("GET /a", 1));
  EXPECT_FALSE(memo.find("GET /a", 2));
  EXPECT_FALSE(memo.find("GET /a", 1)) << "it was dropped";
}

TEST(AnswerMemo, DoesNotKeepBodiesThatNobodyElseKeeps) {
  AnswerMemo memo;
  bool holds = true;
  Response response = answer(holds, "body");
  remember(memo, "GET /a", response);
  response.body.reset();
  EXPECT_FALSE(memo.find("GET /a", 1));
}

TEST(AnswerMemo, KeepsNothingThatDoesNotSayHowLongItHolds) {
  AnswerMemo memo;
  const Response response = text_response(200, "text/plain", "x");
  remember(memo, "GET /a", response);
  EXPECT_FALSE(memo.find("GET /a", 1));
}

TEST(AnswerMemo, AnswersToHeadHaveNoBody) {
  AnswerMemo memo;
  bool holds = true;
  const Response response = answer(holds, "body");
  remember(memo, "HEAD /a", response, false);
  const std::optional<AnswerMemo::Known> known = memo.find("HEAD /a", 1);
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->after_date.ends_with("Content-Length: 4\r\n\r\n"));
  EXPECT_FALSE(known->body);
}

}  // namespace
}  // namespace courant::http
