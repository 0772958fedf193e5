// What two parsers might read differently is refused with 400, and nothing behind it is read as a request (RFC 9112
// section 11.2, request smuggling).
#include <functional>

#include "tests/conformance/server/wire.h"

namespace courant::test::smuggling_test {
namespace {

using testing::HasSubstr;

class Smuggling : public Wire {
 protected:
  Smuggling() { serve(); }

  // Over plain HTTP and over TLS: one answer, 400, and then the end; what follows has changed nothing.
  void expect_refused(const std::string& shape) {
    const std::string bytes = shape + post_of("smuggled");
    RawClient plain(server_->port());
    plain.send(bytes);
    const std::string answer = plain.read_all();
    judge(answer, plain.was_ended(), shape);
    TlsClient tls(server_->tls_port(), {.protocols = "http/1.1"});
    tls.send(bytes);
    const std::string sealed = tls.read_all();
    judge(sealed, tls.was_ended(), shape);
    EXPECT_FALSE(is_stored("smuggled")) << shape;
  }

  static std::string post_with(const std::string& fields, const std::string& body = {}) {
    return "POST /demo/events HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
  }

 private:
  static void judge(const std::string& answer, bool was_ended, const std::string& shape) {
    EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400") << shape;
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << shape;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << shape << answer;
    EXPECT_TRUE(was_ended) << shape;
  }
};

// 6.1: "A server MAY reject a request that contains both Content-Length and Transfer-Encoding or process such a request
// in accordance with the Transfer-Encoding alone. Regardless, the server MUST close the connection after responding to
// such a request to avoid the potential attacks."
TEST_F(Smuggling, Section6_1LengthAndCodingTogether) {
  expect_refused(post_with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
  expect_refused(post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"));
}

// 6.3: "If a message is received without Transfer-Encoding and with an invalid Content-Length header field, then the
// message framing is invalid and the recipient MUST treat it as an unrecoverable error" ... "the server MUST respond
// with a 400 (Bad Request) status code and then close the connection."
TEST_F(Smuggling, Section6_3MalformedLengths) {
  for (const std::string value : {"+5", "-5", "0x5", "5 5", "5;", "5, 6", "", "a", "1e1", "99999999999999999999999"}) {
    expect_refused(post_with("Content-Length: " + value + "\r\n", "hello"));
  }
}

// RFC 9110 8.6: who receives the same decimal value repeated as a list "MAY either reject the message as invalid or
// replace that invalid field value with a single instance of the decimal value": it is rejected.
TEST_F(Smuggling, Section6_3RepeatedLengths) {
  expect_refused(post_with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"));
  expect_refused(post_with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"));
  expect_refused(post_with("Content-Length: 5, 5\r\n", "hello"));
}

// 6.3: "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the final
// encoding, the message body length cannot be determined reliably; the server MUST respond with the 400 (Bad Request)
// status code and then close the connection."
TEST_F(Smuggling, Section6_3CodingsThatDoNotEndWithChunked) {
  for (const std::string value :
       {"identity", "gzip", "chunked, identity", "chunked, gzip", "xchunked", "chunked;q=1", "\"chunked\"", ""}) {
    expect_refused(post_with("Transfer-Encoding: " + value + "\r\n", "0\r\n\r\n"));
  }
}

// 6.1: "A sender MUST NOT apply the chunked transfer coding more than once to a message body".
TEST_F(Smuggling, Section6_1ChunkedTwice) {
  expect_refused(post_with("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"));
  expect_refused(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
  expect_refused(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"));
}

// 6.1: "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header field MUST treat the
// message as if the framing is faulty, even if a Content-Length is present, and close the connection after processing
// the message."
TEST_F(Smuggling, Section6_1CodingsOfHttp10) {
  expect_refused("POST /demo/events HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

// 5.1: "A server MUST reject, with a response status code of 400 (Bad Request), any received request message that
// contains whitespace between a header field name and colon."
TEST_F(Smuggling, Section5_1SpaceBeforeTheColon) {
  for (const std::string space : {" ", "\t", "\v"}) {
    expect_refused(post_with("Transfer-Encoding" + space + ": chunked\r\n", "0\r\n\r\n"));
    expect_refused(post_with("Content-Length" + space + ": 5\r\n", "hello"));
    expect_refused("GET / HTTP/1.1\r\nHost" + space + ": localhost\r\n\r\n");
  }
}

// 5.2: "A server that receives an obs-fold in a request message that is not within a "message/http" container MUST
// either reject the message by sending a 400 (Bad Request), preferably with a representation explaining that obsolete
// line folding is unacceptable, or replace each received obs-fold with one or more SP octets".
TEST_F(Smuggling, Section5_2FoldedFields) {
  expect_refused(post_with("X: a\r\n b\r\n"));
  expect_refused(post_with("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"));
  expect_refused(post_with("X: a\r\n\tContent-Length: 5\r\n", "hello"));
  RawClient client(server_->port());
  client.send(post_with("X: a\r\n b\r\n"));
  EXPECT_THAT(client.read_response(), HasSubstr("A header field is folded over lines"));
}

// 2.2: "A recipient that receives whitespace between the start-line and the first header field MUST either reject the
// message as invalid or consume each whitespace-preceded line without further processing of it".
TEST_F(Smuggling, Section2_2SpaceBeforeTheFirstField) {
  expect_refused("POST /demo/events HTTP/1.1\r\n Content-Length: 5\r\nHost: localhost\r\n\r\nhello");
}

// 2.2: "a recipient MAY recognize a single LF as a line terminator"; it is not recognized.
TEST_F(Smuggling, Section2_2BareLineFeeds) {
  expect_refused("GET / HTTP/1.1\nHost: localhost\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\nX: a\nContent-Length: 5\r\n\r\n");
  expect_refused("GET / HTTP/1.1\nHost: localhost\n\n");
}

// 2.2: "A recipient of such a bare CR MUST consider that element to be invalid or replace each bare CR with SP before
// processing the element or forwarding the message."
TEST_F(Smuggling, Section2_2BareCarriageReturns) {
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: 5\r\n\r\n");
  expect_refused("GET /\r HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect_refused(post_with("Content-Length: 5\r\r\n", "hello"));
}

// 7.1.2: a trailer section is made of field lines, for which the rules of 5.1, 5.2 and 2.2 hold as they do in a header
// section; 7.1: each line between chunks ends with CRLF. The answer does not wait for more.
TEST_F(Smuggling, Section7_1_2WhatStandsBetweenChunks) {
  for (const std::string body : {"0\r\nX: a\r\n b\r\n\r\n", "0\r\nX: a\r\n\tb\r\n\r\n", "0\r\n X: a\r\n\r\n",
                                 "0\r\nX : a\r\n\r\n", "0\r\nX(: a\r\n\r\n", "0\nX: b\n\n", "0\n\n", "0\r\nX: a\n\r\n",
                                 "0\r\n\n", "0\r\nX: a\rY: b\r\n\r\n", "1\na\r\n0\r\n\r\n", "1\r\na\n0\r\n\r\n",
                                 "1\r\nab\r\n0\r\n\r\n", "1;a\nb\r\na\r\n0\r\n\r\n", "1;\ra\r\na\r\n0\r\n\r\n"}) {
    expect_refused(post_with("Transfer-Encoding: chunked\r\n", body));
  }
  RawClient client(server_->port());
  client.send(post_with("Transfer-Encoding: chunked\r\n"));
  client.send("0\n");
  EXPECT_EQ(status_of(client.read_response()), 400) << "the bare LF alone";
}

// RFC 9110 5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous, due to the varying ways
// that implementations might parse and interpret those characters".
TEST_F(Smuggling, Rfc9110Section5_5ControlCharacters) {
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\nX: a" + std::string(1, '\0') + "b\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x7f\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\n" + std::string(1, '\0') + ": a\r\n\r\n");
}

// 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host
// header field and to any request message that contains more than one Host header field line or a Host header field
// with an invalid field value."
TEST_F(Smuggling, Section3_2HostIsOneAndValid) {
  expect_refused("GET / HTTP/1.1\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\nhOST: stranger.example\r\n\r\n");
  for (const std::string value :
       {"local host", "localhost:80x", "localhost:80/path", "localhost/", "user@localhost", "http://localhost",
        "localhost, localhost", "localhost:80:80", "[::1", "localhost?"}) {
    expect_refused("GET / HTTP/1.1\r\nHost: " + value + "\r\nConnection: close\r\n\r\n");
  }
}

// RFC 9110 4.2.1: "A sender MUST NOT generate an "http" URI with an empty host identifier. A recipient that processes
// such a URI reference MUST reject it as invalid." An empty Host names no origin of ours, whichever way it comes.
TEST_F(Smuggling, Section3_2AnEmptyHostIsNobodys) {
  expect_refused("GET / HTTP/1.1\r\nHost:\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: \r\n\r\n");
  expect_refused("GET /demo/events HTTP/1.0\r\nHost:\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: :80\r\n\r\n");
  PlainHttp2 connection(server_->port());
  const Http2Client::Fields empty = {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", ""}};
  EXPECT_NE(connection.http.wait(connection.http.request_of(empty)).status, 200);
  EXPECT_EQ(status_of([&] {
              RawClient client(server_->port());
              client.send("GET /-/health/live HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n");
              return client.read_all();
            }()),
            200)
      << "probes may name any host";
}

// 3.2: "Recipients of an invalid request-line SHOULD respond with either a 400 (Bad Request) error or a 301 (Moved
// Permanently) redirect with the request-target properly encoded."
TEST_F(Smuggling, Section3_2MalformedRequestLines) {
  for (const std::string line :
       {"GET  / HTTP/1.1", "GET /a b HTTP/1.1", "GET /", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET\t/\tHTTP/1.1",
        "GET / http/1.1", "G(T / HTTP/1.1", "GET nowhere HTTP/1.1", "GET", "/ HTTP/1.1"}) {
    expect_refused(line + "\r\nHost: localhost\r\n\r\n");
  }
}

// What a proxy maps to one resource and we would map to another: paths that change when they are normalized.
TEST_F(Smuggling, PathsThatMeanSomethingElseWhenTheyAreDecoded) {
  for (const std::string path : {"/demo/../hub", "/demo/./events", "/demo/%2e%2e/hub", "/demo//events", "/demo/%00",
                                 "/demo/%ff", "/demo/%zz", "/demo/a#b"}) {
    expect_refused("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
}

}  // namespace
}  // namespace courant::test::smuggling_test
