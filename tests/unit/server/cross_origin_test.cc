// What web pages of other origins are let read: by settings and rules of the test's own.
#include "server/admission/cross_origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/response_bytes.h"

namespace courant::server {
namespace {

using http::Method;
using testing::HasSubstr;
using testing::Not;

class Nothing final : public http::Handler {
 public:
  std::uint64_t admit(http::Request&) override {
    ++admitted;
    return 0;
  }
  std::optional<http::Response> answer_at_once(const http::Request&) override { return std::nullopt; }
  http::Task<http::Response> answer(const http::Request&) override { co_return http::Response{}; }
  int admitted = 0;
};

std::shared_ptr<const access::Rules> rules_for(bool is_open) {
  return std::make_shared<const access::Rules>(access::RulesText{is_open, {"news", "plain", "any"}, {}, {}});
}

std::shared_ptr<const access::Identity> reader_of(const std::string& what) {
  access::Grant grant;
  grant.scopes = *access::Scopes::parse("read");
  grant.on = *access::Pattern::parse_list(what);
  return std::make_shared<const access::Identity>(access::Identity::of_token(grant));
}

class CrossOriginTest : public testing::Test {
 protected:
  using Workspaces = std::map<std::string, feeds::WorkspaceSettings, std::less<>>;

  CrossOriginTest() { origins_.change(ReadingOrigins::of(workspaces())); }

  // "plain" and "dark" list nothing; "closed" and "dark" are private.
  static Workspaces workspaces() {
    Workspaces all;
    all["news"].cors = {"https://news.example"};
    all["closed"].cors = {"https://closed.example"};
    all["any"].cors = {"*"};
    all["closed"].is_private = all["dark"].is_private = true;
    (void)all["plain"];
    return all;
  }

  std::string head_of(Method method, const std::string& workspace, const std::string& origin,
                      std::shared_ptr<const access::Identity> identity = nullptr, int status = 200,
                      const std::string& asked = {}) {
    http::Request request;
    request.method = method;
    request.segments = {workspace, "events"};
    request.identity = std::move(identity);
    if (!origin.empty()) request.headers.push_back({"Origin", origin});
    if (!asked.empty()) request.headers.push_back({"Access-Control-Request-Method", asked});
    http::Response response;
    response.status = status;
    response.with("Vary", "Accept");
    pages_.stamp(response, request);
    std::string head;
    http::append_head_before_date(head, response);
    return head;
  }
  std::string get(const std::string& workspace, const std::string& origin,
                  std::shared_ptr<const access::Identity> identity = nullptr, int status = 200) {
    return head_of(Method::kGet, workspace, origin, std::move(identity), status);
  }

  Nothing inner_;
  CurrentOrigins origins_;
  access::CurrentRules rules_{rules_for(false)};
  CrossOrigin pages_{inner_, origins_, rules_};
};

TEST_F(CrossOriginTest, AListedOriginReadsAndAnotherDoesNot) {
  for (const Method method : {Method::kGet, Method::kHead}) {
    for (const int status : {200, 304, 404, 410, 503}) {
      const std::string listed = head_of(method, "news", "https://news.example", nullptr, status);
      EXPECT_THAT(listed, HasSubstr("Access-Control-Allow-Origin: https://news.example\r\n"));
      EXPECT_THAT(listed, HasSubstr("Access-Control-Expose-Headers: "));
      EXPECT_THAT(listed, HasSubstr("Vary: Accept, Origin\r\n"));
    }
  }
  for (const char* const origin : {"https://closed.example", "null", "", "https://news.example:1"}) {
    const std::string foreign = get("news", origin);
    EXPECT_THAT(foreign, Not(HasSubstr("Access-Control"))) << origin;
    EXPECT_THAT(foreign, HasSubstr("Vary: Accept, Origin\r\n")) << "what caches keep of it is for no page: " << origin;
  }
  EXPECT_THAT(head_of(Method::kPost, "news", "https://news.example"), Not(HasSubstr("Origin")));
}

TEST_F(CrossOriginTest, WhereAllMayReadAllAreAnsweredAlike) {
  const std::string answer = get("any", "");
  EXPECT_THAT(answer, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(answer, HasSubstr("Vary: Accept\r\n"));
  EXPECT_EQ(get("any", "https://a.example"), answer);
  EXPECT_EQ(get("any", "null"), answer);
}

TEST_F(CrossOriginTest, WhereNothingIsListedNothingIsTouched) {
  http::Request request;
  request.segments = {"plain", "events"};
  http::Response response;
  response.head = http::compose_head(200, {{"Vary", "Accept"}});
  const http::Bytes before = response.head;
  pages_.stamp(response, request);
  request.headers = {{"Origin", "https://news.example"}};
  pages_.stamp(response, request);
  EXPECT_EQ(response.head, before);
  EXPECT_TRUE(response.headers.empty());
  for (const char* const elsewhere : {"hub", "-"}) {
    EXPECT_THAT(get(elsewhere, "https://closed.example"), Not(HasSubstr("Origin"))) << elsewhere;
  }
}

// A composed head is shared by all who are sent it.
TEST_F(CrossOriginTest, WhatOthersAreSentStaysAsItIs) {
  http::Request request;
  request.segments = {"news", "events"};
  request.headers = {{"Origin", "https://news.example"}};
  http::Response response;
  response.head = http::compose_head(200, {{"Vary", "Accept"}});
  const http::Bytes shared = response.head;
  const std::string before = *shared;
  pages_.stamp(response, request);
  EXPECT_EQ(*shared, before);
  EXPECT_NE(response.head, shared);
}

TEST_F(CrossOriginTest, ToWhoMayNotKnowThemPrivateWorkspacesAreAsThoseThatAreNot) {
  const std::vector<std::shared_ptr<const access::Identity>> strangers = {
      nullptr, std::make_shared<const access::Identity>(access::Identity::anonymous()), reader_of("elsewhere/*")};
  for (const auto& stranger : strangers) {
    for (const char* const origin : {"https://closed.example", "https://news.example", ""}) {
      for (const int status : {401, 404, 429}) {
        const std::string unknown = get("nowhere", origin, stranger, status);
        EXPECT_EQ(get("closed", origin, stranger, status), unknown) << origin;
        EXPECT_EQ(get("dark", origin, stranger, status), unknown) << origin;
      }
      for (const char* const asked : {"GET", "POST", ""}) {
        const auto ask = [&](const std::string& workspace) {
          return head_of(Method::kOptions, workspace, origin, stranger, 204, asked);
        };
        EXPECT_EQ(ask("closed"), ask("nowhere")) << origin << asked;
        EXPECT_EQ(ask("dark"), ask("nowhere")) << origin << asked;
      }
    }
  }
  EXPECT_THAT(get("nowhere", "https://closed.example", nullptr, 401),
              HasSubstr("Access-Control-Allow-Origin: https://closed.example\r\n"))
      << "a page sees that its token is not good";
}

TEST_F(CrossOriginTest, WhoMayKnowAWorkspaceIsToldWhatHoldsForIt) {
  const std::string listed = get("closed", "https://closed.example", reader_of("closed/events"));
  EXPECT_THAT(listed, HasSubstr("Access-Control-Allow-Origin: https://closed.example\r\n"));
  EXPECT_THAT(get("closed", "https://news.example", reader_of("closed/*")), Not(HasSubstr("Access-Control")));
  EXPECT_THAT(get("closed", "", reader_of("closed/*")), HasSubstr("Vary: Accept, Origin\r\n"));
  EXPECT_THAT(get("dark", "https://closed.example", reader_of("dark/*")), Not(HasSubstr("Origin")))
      << "what is private and lists nothing is read by no page, whatever token it has";
}

TEST_F(CrossOriginTest, APreflightIsAnsweredBeforeAnybodyIsAskedWhoHeIs) {
  http::Request request;
  request.method = Method::kOptions;
  request.segments = {"closed", "events"};
  request.headers = {{"Origin", "https://closed.example"}, {"Access-Control-Request-Method", "GET"}};
  EXPECT_EQ(pages_.admit(request), 0U);
  EXPECT_EQ(inner_.admitted, 0);
  const std::optional<http::Response> answer = pages_.answer_at_once(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  const std::string head = head_of(Method::kOptions, "closed", "https://closed.example", nullptr, 204, "GET");
  for (const char* const field :
       {"Access-Control-Allow-Origin: https://closed.example\r\n", "Access-Control-Allow-Methods: GET, HEAD\r\n",
        "Access-Control-Allow-Headers: ", "Access-Control-Max-Age: ", "Origin\r\n"}) {
    EXPECT_THAT(head, HasSubstr(field));
  }
  request.headers[1].value = "POST";
  pages_.admit(request);
  EXPECT_EQ(inner_.admitted, 1);
  EXPECT_FALSE(pages_.answer_at_once(request));
  EXPECT_THAT(head_of(Method::kOptions, "news", "https://news.example", nullptr, 204, "POST"),
              Not(HasSubstr("Access-Control")));
  EXPECT_THAT(head_of(Method::kOptions, "news", "https://news.example", nullptr, 429, "GET"),
              Not(HasSubstr("Access-Control")));
}

TEST_F(CrossOriginTest, AnotherListIsAnotherRevision) {
  const std::uint64_t first = pages_.revision();
  origins_.change(ReadingOrigins::of(workspaces()));
  EXPECT_EQ(pages_.revision(), first) << "nothing has changed";
  Workspaces fewer = workspaces();
  fewer["news"].cors.clear();
  origins_.change(ReadingOrigins::of(fewer));
  EXPECT_NE(pages_.revision(), first);
  EXPECT_THAT(get("news", "https://news.example"), Not(HasSubstr("Origin")));
}

TEST_F(CrossOriginTest, WhereAccessIsOpenNothingIsHidden) {
  rules_.replace(rules_for(true));
  EXPECT_THAT(get("closed", "https://closed.example"), HasSubstr("Access-Control-Allow-Origin"));
  EXPECT_THAT(get("nowhere", "https://closed.example"), Not(HasSubstr("Origin")));
}

}  // namespace
}  // namespace courant::server
