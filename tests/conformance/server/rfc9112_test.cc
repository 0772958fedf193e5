// RFC 9112, HTTP/1.1: connections, messages and their framing, of the program as a whole. What is refused because two
// parsers might read it differently stands in smuggling_test.cc.
#include "tests/conformance/server/wire.h"

namespace courant::test::rfc9112_test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Rfc9112 : public Wire {
 protected:
  Rfc9112() { serve(); }
  std::string exchange(const std::string& bytes) {
    RawClient client(server_->port());
    client.send(bytes);
    std::string answer = client.read_all();
    EXPECT_TRUE(client.was_ended()) << bytes;
    return answer;
  }
};

// 9.3: "HTTP implementations SHOULD support persistent connections."
TEST_F(Rfc9112, Section9_3ConnectionsPersist) {
  RawClient plain(server_->port());
  for (int i = 1; i <= 3; ++i) {
    plain.send(post_of(std::to_string(i)));
    EXPECT_EQ(status_of(plain.read_response()), 201);
    plain.send(get_of("/demo/events"));
    EXPECT_EQ(status_of(plain.read_response()), 200);
  }
}

// 9.3.2: a server "MUST send the corresponding responses in the same order that the requests were received".
TEST_F(Rfc9112, Section9_3_2PipelinedRequestsAreAnsweredInOrder) {
  for (const bool is_tls : {false, true}) {
    const std::string id = is_tls ? "tls" : "plain";
    // The first takes longest: it is stored before it is answered.
    const std::string requests = post_of(id) + get_of("/-/health/live") + get_of("/demo/events/entries/urn:x:" + id) +
                                 get_of("/nowhere") + get_of("/-/health/live", "Connection: close\r\n");
    std::string answers;
    if (is_tls) {
      TlsClient client(server_->tls_port(), {.protocols = "http/1.1"});
      client.send(requests);
      answers = client.read_all();
    } else {
      answers = exchange(requests);
    }
    std::string statuses;
    for (std::size_t at = answers.find("HTTP/1.1 "); at != std::string::npos; at = answers.find("HTTP/1.1 ", at + 1)) {
      statuses += answers.substr(at + 9, 4);
    }
    EXPECT_EQ(statuses, "201 200 200 404 200 ");
    EXPECT_THAT(answers, EndsWith("\r\n\r\nok\n"));
  }
}

// 9.6: "A server that receives a "close" connection option MUST initiate closure of the connection (see below) after it
// sends the final response to the request that contained the "close" connection option. The server SHOULD send a
// "close" connection option in its final response on that connection. The server MUST NOT process any further requests
// received on that connection."
TEST_F(Rfc9112, Section9_6CloseIsTheLastRequest) {
  const std::string answers = exchange(post_of("1", "Connection: close\r\n") + post_of("2"));
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(answers, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos) << "there is one answer";
  EXPECT_FALSE(is_stored("2"));
}

// 9.6: "To avoid the TCP reset problem, servers typically close a connection in stages. First, the server performs a
// half-close by closing only the write side of the read/write connection. The server then continues to read from the
// connection until it receives a corresponding close by the client, or until the server is reasonably certain that its
// own TCP stack has received the client's acknowledgement of the packet(s) containing the server's last response."
TEST_F(Rfc9112, Section9_6TheLastAnswerIsWholeWhateverIsSentBehindItsRequest) {
  const std::string long_one(100'000, 'x');
  ASSERT_EQ(ask(*server_, Way::kPlain, "POST", "/demo/events", {}, entry("1", long_one)).status, 201);
  const std::string path = "/demo/events/entries/urn:x:1";
  std::string requests = get_of(path, "Connection: close\r\n");
  while (requests.size() < 64 * 1024) requests += get_of(path);
  constexpr int kFew = 4096;  // bytes that wait to be read: most of the answer is still the server's to send
  RawClient plain(server_->port(), kPatience, kFew);
  plain.send(requests);
  TlsClient tls(server_->tls_port(), {.protocols = "http/1.1", .receive_buffer = kFew});
  tls.send(requests);
  for (const std::string& answers : {plain.read_all(), tls.read_all()}) {
    const Http2Answer answer = read_answer(answers);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_EQ(std::to_string(answer.body.size()), answer.header("content-length")) << "there is one answer, and whole";
  }
  EXPECT_TRUE(plain.was_ended());
  EXPECT_TRUE(tls.was_ended());
}

// 9.3: "A server MUST read the entire request message body or close the connection after sending its response;
// otherwise, the remaining data on a persistent connection would be misinterpreted as the next request."
TEST_F(Rfc9112, Section9_3ABodyIsNeverTheNextRequest) {
  const std::string body = post_of("smuggled");
  for (const std::string target : {"/demo", "/nowhere/at/all/here", "/-/health/live"}) {
    const std::string answers =
        exchange("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body);
    EXPECT_THAT(answers, StartsWith("HTTP/1.1 4")) << target;
    EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos) << answers;
  }
  EXPECT_FALSE(is_stored("smuggled"));
}

// 3.2.2: "A server MUST accept the absolute-form in requests even though most HTTP/1.1 clients will only send the
// absolute-form to a proxy." "When an origin server receives a request with an absolute-form of request-target, the
// origin server MUST ignore the received Host header field (if any) and instead use the host information of the
// request-target."
TEST_F(Rfc9112, Section3_2_2AbsoluteForm) {
  ASSERT_EQ(publish("1"), 201);
  const auto asked = [&](const std::string& target, const std::string& host) {
    return status_of(exchange("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"));
  };
  EXPECT_EQ(asked("http://localhost/demo/events", "localhost"), 200);
  EXPECT_EQ(asked("https://127.0.0.1:443/demo/events?limit=1", "localhost"), 200);
  EXPECT_EQ(asked("HTTP://localhost", "localhost"), 200) << "an empty path is /";
  EXPECT_EQ(asked("http://localhost/demo/events", "stranger.example"), 200) << "Host is ignored";
  EXPECT_EQ(asked("http://stranger.example/demo/events", "localhost"), 421) << "Host is ignored";
  EXPECT_EQ(asked("ftp://localhost/demo/events", "localhost"), 400);
}

// 3.2.4: "the client MUST send only "*" (%x2A) as the request-target" to ask for the OPTIONS of the server as a whole.
TEST_F(Rfc9112, Section3_2_4OptionsOfTheServer) {
  const std::string rest = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(status_of(exchange("OPTIONS *" + rest)), 204);
  EXPECT_EQ(status_of(exchange("GET *" + rest)), 400);
}

// 9.3: "If the received protocol is HTTP/1.0, the "keep-alive" connection option is present, either the recipient is
// not a proxy or the message is a response, and the recipient wishes to honor the HTTP/1.0 "keep-alive" mechanism, the
// connection will persist after the current response; otherwise, The connection will close after the current response."
TEST_F(Rfc9112, Section9_3Http10) {
  ASSERT_EQ(publish("1"), 201);
  const std::string once = exchange("GET /demo/events HTTP/1.0\r\n\r\n");
  EXPECT_EQ(status_of(once), 200) << "it needs no Host";
  EXPECT_THAT(once, HasSubstr("\r\nConnection: close\r\n"));
  RawClient client(server_->port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET /demo/events HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_THAT(client.read_response(), HasSubstr("\r\nConnection: keep-alive\r\n"));
  }
}

// 6.1: "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding request indicates
// HTTP/1.1 (or later minor revisions)."
TEST_F(Rfc9112, Section6_1NoChunksForHttp10) {
  ASSERT_EQ(publish("1"), 201);
  RawClient old(server_->port());
  old.send("GET /demo/events?format=events&lastEventId=0 HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.read_response(), Not(HasSubstr("Transfer-Encoding")));
  EXPECT_THAT(old.read_bytes(7), "retry: ");
  RawClient now(server_->port());
  now.send(get_of("/demo/events?format=events&lastEventId=0"));
  EXPECT_THAT(now.read_response(), HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
}

// RFC 9110 10.1.1: "A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore that
// expectation."
TEST_F(Rfc9112, Rfc9110Section10_1_1NoContinueForHttp10) {
  const std::string body = entry("1");
  const std::string answer = exchange(
      "POST /demo/events HTTP/1.0\r\nContent-Type: application/atom+xml\r\nExpect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 ")) << "and nothing before it";
}

// 7.1: "A recipient MUST be able to parse and decode the chunked transfer coding." 7.1.1: "A recipient MUST ignore
// unrecognized chunk extensions."
TEST_F(Rfc9112, Section7_1ChunkedRequests) {
  const std::string body = entry("1");
  RawClient client(server_->port());
  client.send("POST /demo/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\n\r\n");
  for (const char letter : body) client.send("1;name=\"a;b\"\r\n" + std::string(1, letter) + "\r\n");
  client.send("000\r\nX-Trailer: ignored\r\n\r\n" + get_of("/demo/events/entries/urn:x:1"));
  EXPECT_EQ(status_of(client.read_response()), 201);
  EXPECT_EQ(status_of(client.read_response()), 200) << "the next request begins behind the last chunk";
}

// 7.1: "recipients MUST anticipate potentially large hexadecimal numerals and prevent parsing errors due to integer
// conversion overflows or precision loss due to integer representation."
TEST_F(Rfc9112, Section7_1ChunksOfImpossibleSizes) {
  const std::string head = "POST /demo/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string size : {"FFFFFFFFFFFFFFFF", "10000000000000005", "100000000", "7FFFFFFFFFFFFFFF"}) {
    EXPECT_THAT(exchange(head + size + "\r\nhello\r\n0\r\n\r\n" + post_of("smuggled")).substr(0, 12),
                testing::AnyOf("HTTP/1.1 400", "HTTP/1.1 413"))
        << size;
  }
  for (const std::string size : {"-5", "0x5", "+5", "5 ", " 5", "g", ""}) {
    EXPECT_EQ(status_of(exchange(head + size + "\r\nhello\r\n0\r\n\r\n" + post_of("smuggled"))), 400) << size;
  }
  EXPECT_FALSE(is_stored("smuggled"));
}

// 8: what ends before it is complete is no message: "the recipient MUST consider the message to be incomplete and close
// the connection" (6.3).
TEST_F(Rfc9112, Section6_3IncompleteBodiesAreNothing) {
  const std::string whole = post_of("1");
  const std::string body = entry("1");
  for (const std::string& cut : {whole.substr(0, whole.size() - 1),
                                 "POST /demo/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                                 "chunked\r\n\r\n" +
                                     [&] {
                                       std::ostringstream size;
                                       size << std::hex << body.size();
                                       return size.str();
                                     }() +
                                     "\r\n" + body + "\r\n"}) {
    RawClient client(server_->port());
    client.send(cut);
    client.end();
    client.read_all();
    EXPECT_TRUE(client.was_ended());
  }
  EXPECT_FALSE(is_stored("1"));
}

// 2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line (CRLF)
// received prior to the request-line."
TEST_F(Rfc9112, Section2_2EmptyLinesBeforeARequest) {
  EXPECT_EQ(status_of(exchange("\r\n\r\n" + get_of("/-/health/live", "Connection: close\r\n"))), 200);
}

// 3: "A server that receives a method longer than any that it implements SHOULD respond with a 501 (Not Implemented)
// status code."
TEST_F(Rfc9112, Section3UnknownMethods) {
  const std::string method(4000, 'M');
  EXPECT_EQ(status_of(exchange(method + " / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")), 501);
  EXPECT_EQ(ask(*server_, Way::kTlsHttp2, method, "/").status, 501);
}

// RFC 9110 10.1.1: "Upon receiving an HTTP/1.1 (or later) request that has a method, target URI, and complete header
// section that contains a 100-continue expectation and indicates that request content will follow, an origin server
// MUST send either: an immediate response with a final status code, if that status can be determined by examining just
// the method, target URI, and header fields, or an immediate 100 (Continue) response to encourage the client to send
// the request content."
TEST_F(Rfc9112, Rfc9110Section10_1_1Continue) {
  const std::string body = entry("1");
  const auto head = [](const std::string& target, std::size_t length, const std::string& type) {
    return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  };
  RawClient client(server_->port());
  client.send(head("/demo/events", body.size(), "application/atom+xml"));
  EXPECT_EQ(client.read_response(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send(body);
  EXPECT_EQ(status_of(client.read_response()), 201);
  // The body never comes, and is not waited for.
  EXPECT_EQ(status_of(exchange(head("/demo/events", 1 << 30, "application/atom+xml"))), 413);
  EXPECT_EQ(status_of(exchange(head("/nowhere/at/all/here", 5, "application/atom+xml"))), 404);
  const Http2Answer asked = ask(*server_, Way::kTlsHttp2, "POST", "/demo/events", {{"expect", "100-continue"}}, body);
  EXPECT_EQ(asked.headers.front(), (std::pair<std::string, std::string>(":status", "100")));
  EXPECT_EQ(asked.status, 200) << "the same entry again";
}

}  // namespace
}  // namespace courant::test::rfc9112_test
