// Bearer tokens (RFC 6750), Basic (RFC 7617), and authentication in HTTP (RFC 9110 section 11).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test::rfc6750_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Rfc6750 : public testing::Test {
 protected:
  Rfc6750() {
    token_ = tokens_.make("reader", "read", "closed/*");
    EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(token_)).status == 404; }));
  }
  int with(const std::string& field) { return client_.get("/closed/events", field + "\r\n").status; }

  TestDatabase database_;
  Tokens tokens_{database_.url()};
  CourantServer server_{with_tokens(database_.url())};
  HttpClient client_{server_.port()};
  std::string token_;
};

// RFC 6750 section 2.1: "Resource servers MUST support this method."
TEST_F(Rfc6750, TakesTheAuthorizationField) {
  EXPECT_EQ(with("Authorization: Bearer " + token_), 404);
}

// RFC 6750 section 3: "If the protected resource request does not include authentication credentials or does not
// contain an access token that enables access to the protected resource, the resource server MUST include the HTTP
// "WWW-Authenticate" response header field"; "All challenges defined by this specification MUST use the auth-scheme
// value "Bearer"."; RFC 9110 section 15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate header
// field (Section 11.6.1) containing at least one challenge applicable to the target resource."
TEST_F(Rfc6750, ChallengesWhoSaysNothing) {
  const Reply reply = client_.get("/closed/events");
  EXPECT_EQ(reply.status, 401);
  EXPECT_THAT(reply.head, HasSubstr("WWW-Authenticate: Bearer realm=\"courant\"\r\n"));
}

// RFC 6750 section 3.1: "If the request lacks any authentication information [...], the resource server SHOULD NOT
// include an error code or other error information."
TEST_F(Rfc6750, SaysNoErrorToWhoSaysNothing) {
  EXPECT_THAT(client_.get("/closed/events").head, Not(HasSubstr("error=")));
}

// RFC 6750 section 3.1: "invalid_token [...] The resource SHOULD respond with the HTTP 401 (Unauthorized) status code."
// Section 3: attributes "MUST NOT appear more than once".
TEST_F(Rfc6750, SaysThatATokenIsNotGood) {
  const Reply reply = client_.get("/closed/events", bearer("crt_" + std::string(32, 'x')));
  EXPECT_EQ(reply.status, 401);
  const std::string field = reply.header("WWW-Authenticate");
  for (const char* const attribute : {"realm=", "error=", "error_description="}) {
    EXPECT_NE(field.find(attribute), std::string::npos) << field;
    EXPECT_EQ(field.find(attribute), field.rfind(attribute)) << field;
  }
  EXPECT_THAT(field, HasSubstr("error=\"invalid_token\""));
}

// RFC 6750 section 3.1: "insufficient_scope [...] The resource server SHOULD respond with the HTTP 403 (Forbidden)
// status code and MAY include the "scope" attribute".
TEST_F(Rfc6750, SaysWhichScopeIsMissing) {
  const Reply reply = client_.post("/closed/events", "<entry/>", bearer(token_));
  EXPECT_EQ(reply.status, 403);
  EXPECT_THAT(reply.header("WWW-Authenticate"), HasSubstr("error=\"insufficient_scope\", scope=\"publish\""));
}

// RFC 6750 section 3.1: "invalid_request [...] uses more than one method for including an access token [...] The
// resource server SHOULD respond with the HTTP 400 (Bad Request) status code."
TEST_F(Rfc6750, RefusesTwoTokensAtOnce) {
  const Reply reply = client_.get("/closed/events", bearer(token_) + bearer(token_));
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.header("WWW-Authenticate"), HasSubstr("error=\"invalid_request\""));
}

// RFC 6750 section 5.3: tokens in URLs are likely to be logged: not taken there.
TEST_F(Rfc6750, TakesNoTokenFromTheQuery) {
  EXPECT_EQ(client_.get("/closed/events?access_token=" + token_).status, 401);
}

// RFC 9110 section 11.1: "It uses a case-insensitive token to identify the authentication scheme".
TEST_F(Rfc6750, SchemesIgnoreCase) {
  EXPECT_EQ(with("authorization: BEARER " + token_), 404);
  EXPECT_EQ(with("Authorization: bAsIc " + to_base64(":" + token_)), 404);
}

// RFC 7617 section 2: "the user-id and password MUST NOT contain any control characters"; the challenge has a realm,
// and "charset" is UTF-8 where it is sent. A password may hold colons, a user-id none.
TEST_F(Rfc6750, BasicTakesTheTokenAsPassword) {
  EXPECT_EQ(with("Authorization: Basic " + to_base64("feed reader:" + token_)), 404);
  EXPECT_EQ(with("Authorization: Basic " + to_base64(token_ + ":")), 401);
  EXPECT_EQ(with("Authorization: Basic " + to_base64(token_)), 401);
  EXPECT_EQ(with("Authorization: Basic ???"), 401);
  EXPECT_THAT(client_.get("/closed/events").head,
              HasSubstr("WWW-Authenticate: Basic realm=\"courant\", charset=\"UTF-8\"\r\n"));
}

// RFC 9111 section 3.5: a shared cache keeps no answer to a request with Authorization unless it is told to.
TEST_F(Rfc6750, NoCacheIsToldToKeepWhatIsPrivate) {
  EXPECT_EQ(client_.get("/closed/events").header("Cache-Control"), "no-store");
  EXPECT_EQ(client_.get("/closed/events", bearer(token_)).header("Cache-Control"), "no-store");
}

}  // namespace
}  // namespace courant::test::rfc6750_test
