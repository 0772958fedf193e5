// RFC 9110, HTTP Semantics, and RFC 9457, Problem Details, of the program as a whole. RFC 9112's framing is tested with
// raw sockets in unit/http/server_test.cc.
#include "tests/conformance/server/fixture.h"

namespace courant::test {
namespace {

using Rfc9110 = Conformance;

// 9.3.2: HEAD is "identical to GET except that the server MUST NOT send content in the response"; fields the same.
TEST_F(Rfc9110, Section9_3_2HeadIsGetWithoutContent) {
  publish_all(3);
  for (const char* const target : {"/demo/events", "/demo/events/entries/urn:x:1", "/", "/-/health/live"}) {
    const Reply got = client_.get(target);
    RawClient raw(static_cast<std::uint16_t>(server_.port()));
    raw.send("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const std::string head = raw.read_all();
    EXPECT_EQ(head.substr(head.size() - 4), "\r\n\r\n") << target << " sends content";
    EXPECT_NE(head.find("Content-Length: " + got.header("Content-Length") + "\r\n"), std::string::npos) << target;
    if (!got.header("ETag").empty()) {
      EXPECT_NE(head.find(got.header("ETag")), std::string::npos);
    }
  }
}

// 13.1.2: "If the field value is "*", the condition is false if the origin server has a current representation" ...
// "the origin server MUST NOT perform the requested method if the condition evaluates to false; instead ... 304".
TEST_F(Rfc9110, Section13_1_2IfNoneMatch) {
  publish_all(2);
  const std::string etag = client_.get("/demo/events").header("ETag");
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: " + etag + "\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: \"a\", " + etag + "\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: *\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: \"a\"\r\n").status, 200);
  publish(3);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: " + etag + "\r\n").status, 200);
}

// 15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
TEST_F(Rfc9110, Section15_5_6MethodNotAllowedNamesWhatIs) {
  publish(1);
  const Reply reply = client_.post("/demo/events/entries/urn:x:1", "x");
  EXPECT_EQ(reply.status, 405);
  EXPECT_NE(reply.header("Allow").find("GET"), std::string::npos);
  EXPECT_EQ(reply.header("Allow").find("POST"), std::string::npos);
}

// 12.5.5 / 15.4.5: representations that depend on Accept or Accept-Encoding say so by Vary.
TEST_F(Rfc9110, Section12_5_5NegotiatedAnswersVary) {
  publish_all(10);
  const Reply packed = client_.get("/demo/events", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.header("Vary"), "Accept, Accept-Encoding");
  EXPECT_EQ(client_.get("/demo/events", "Accept-Encoding: gzip;q=0\r\n").header("Content-Encoding"), "");
}

// 6.6.1: "An origin server with a clock ... MUST generate a Date header field in all 2xx (Successful), 3xx
// (Redirection), and 4xx (Client Error) responses".
TEST_F(Rfc9110, Section6_6_1EveryAnswerIsDated) {
  publish(1);
  const std::string etag = client_.get("/demo/events").header("ETag");
  EXPECT_FALSE(client_.get("/demo/events").header("Date").empty());
  EXPECT_FALSE(client_.get("/demo/events", "If-None-Match: " + etag + "\r\n").header("Date").empty());
  EXPECT_FALSE(client_.get("/demo/nothing").header("Date").empty());
}

// RFC 9457 3: "application/problem+json", members type, title, status, detail; 3.1.3: status equals the HTTP status.
TEST_F(Rfc9110, Rfc9457ErrorsAreProblemDocuments) {
  const Reply reply = client_.get("/demo/nothing");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
  EXPECT_NE(reply.body.find("\"status\":404"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find("\"title\":\"Not Found\""), std::string::npos);
  EXPECT_NE(reply.body.find("\"detail\":\""), std::string::npos);
}

}  // namespace
}  // namespace courant::test
