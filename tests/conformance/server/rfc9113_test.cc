// RFC 9113, HTTP/2, of the program as a whole: how a connection begins, what requests and answers look like, flow
// control. Floods and what becomes of them stand in unit/http/http2_test.cc and functional/server/abuse_test.cc.
#include "tests/conformance/server/wire.h"

namespace courant::test::rfc9113_test {
namespace {

class Rfc9113 : public Wire {
 protected:
  Rfc9113() { serve(); }
  PlainHttp2 connect() { return PlainHttp2(server_->port()); }
};

// 3.2: "HTTP/2 over TLS uses the "h2" protocol identifier."
TEST_F(Rfc9113, Section3_2BeginsByAlpn) {
  TlsHttp2 connection(server_->tls_port());
  EXPECT_EQ(connection.carrier.protocol(), "h2");
  EXPECT_EQ(connection.http.get("/-/health/live").body, "ok\n");
}

// 3.3: "A client that knows that a server supports HTTP/2 can establish a TCP connection and send the connection
// preface (Section 3.4) followed by HTTP/2 frames."
TEST_F(Rfc9113, Section3_3BeginsByPriorKnowledge) {
  PlainHttp2 connection = connect();
  EXPECT_EQ(connection.http.get("/-/health/live").body, "ok\n");
}

// 3.4: "The server connection preface consists of a potentially empty SETTINGS frame (Section 6.5) that MUST be the
// first frame the server sends in the HTTP/2 connection."
TEST_F(Rfc9113, Section3_4SettingsComeFirst) {
  RawClient client(server_->port());
  client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, ""));
  const std::string head = client.read_bytes(9);
  ASSERT_EQ(head.size(), 9U);
  EXPECT_EQ(head[3], NGHTTP2_SETTINGS);
  EXPECT_EQ(head[4], 0) << "no acknowledgement";
}

// 3.4: "Clients and servers MUST treat an invalid connection preface as a connection error (Section 5.4.1) of type
// PROTOCOL_ERROR."
TEST_F(Rfc9113, Section3_4AnotherPrefaceEndsTheConnection) {
  TlsClient client(server_->tls_port(), {.protocols = "h2"});
  client.send(get_of("/-/health/live"));
  EXPECT_EQ(client.read_all().find("200 OK"), std::string::npos);
  EXPECT_TRUE(client.was_ended());
}

// 5: "A single HTTP/2 connection can contain multiple concurrently open streams, with either endpoint interleaving
// frames from multiple streams." One that waits holds up none.
TEST_F(Rfc9113, Section5StreamsDoNotWaitForEachOther) {
  ASSERT_EQ(publish("1"), 201);
  TlsHttp2 connection(server_->tls_port());
  const std::string etag = connection.http.get("/demo/events").header("etag");
  const std::int32_t waiting =
      connection.http.request("GET", "/demo/events", {{"if-none-match", etag}, {"prefer", "wait=60"}});
  EXPECT_EQ(connection.http.get("/demo/events/entries/urn:x:1").status, 200);
  EXPECT_FALSE(connection.http.answer(waiting).is_over);
  EXPECT_EQ(connection.http.wait(connection.http.request("POST", "/demo/events", {}, entry("2"))).status, 201);
  EXPECT_EQ(connection.http.wait(waiting).status, 200);
}

// 6.9.1: "The sender MUST NOT send a flow-controlled frame with a length that exceeds the space available in either of
// the flow-control windows advertised by the receiver."
TEST_F(Rfc9113, Section6_9_1WindowsAreKept) {
  ASSERT_EQ(publish("1"), 201);
  PlainHttp2 small(server_->port(), {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 100}}, true);
  const std::int32_t stream = small.http.request("GET", "/demo/events");
  EXPECT_TRUE(small.http.wait_until([&] { return small.http.answer(stream).body.size() >= 100; }));
  EXPECT_EQ(small.http.get("/-/health/live").body, "ok\n") << "another stream has a window of its own";
  EXPECT_EQ(small.http.answer(stream).body.size(), 100U);
  small.http.send_bytes(frame(NGHTTP2_WINDOW_UPDATE, 0, static_cast<std::uint32_t>(stream), {"\0\0\0\1", 4}));
  EXPECT_TRUE(small.http.wait_until([&] { return small.http.answer(stream).body.size() > 100; }));
  EXPECT_EQ(small.http.get("/-/health/live").body, "ok\n");
  EXPECT_EQ(small.http.answer(stream).body.size(), 101U);
}

// 8.1.1: a request is malformed "if the value of the Content-Length header field does not equal the sum of the DATA
// frame payload lengths that form the content"; "Malformed requests or responses that are detected MUST be treated as a
// stream error (Section 5.4.2) of type PROTOCOL_ERROR."
TEST_F(Rfc9113, Section8_1_1LengthsThatAreNotTrue) {
  const std::string body = entry("smuggled");
  for (const std::size_t length : {body.size() - 1, body.size() + 1}) {
    PlainHttp2 connection = connect();
    const Http2Answer answer = connection.http.wait(
        connection.http.request("POST", "/demo/events", {{"content-length", std::to_string(length)}}, body));
    EXPECT_TRUE(answer.error == NGHTTP2_PROTOCOL_ERROR || connection.http.goaway() == NGHTTP2_PROTOCOL_ERROR);
  }
  EXPECT_FALSE(is_stored("smuggled"));
}

// 8.2.2: "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields." "Any message
// containing connection-specific header fields MUST be treated as malformed (Section 8.1.1)."
TEST_F(Rfc9113, Section8_2_2NoFieldsOfTheConnection) {
  for (const auto& [name, value] : Http2Client::Fields{{"connection", "close"},
                                                       {"keep-alive", "timeout=5"},
                                                       {"proxy-connection", "keep-alive"},
                                                       {"transfer-encoding", "chunked"},
                                                       {"upgrade", "h2c"}}) {
    PlainHttp2 connection = connect();
    const Http2Answer answer =
        connection.http.wait(connection.http.request("POST", "/demo/events", {{name, value}}, entry("smuggled")));
    EXPECT_TRUE(answer.error == NGHTTP2_PROTOCOL_ERROR || connection.http.goaway() == NGHTTP2_PROTOCOL_ERROR) << name;
  }
  EXPECT_FALSE(is_stored("smuggled"));
  ASSERT_EQ(publish("1"), 201);
  for (const std::string path : {"/demo/events", "/nowhere", "/demo/events/entries/urn:x:1"}) {
    for (const auto& [name, value] : ask(*server_, Way::kTlsHttp2, "GET", path).headers) {
      EXPECT_TRUE(name != "connection" && name != "transfer-encoding" && name != "keep-alive") << path << name;
      EXPECT_EQ(name, ascii_lower(name)) << "8.2: \"Field names MUST be converted to lowercase\"";
    }
  }
}

// 8.2.1: "A field value MUST NOT contain the zero value (ASCII NUL, 0x00), line feed (ASCII LF, 0x0a), or carriage
// return (ASCII CR, 0x0d) at any position."
TEST_F(Rfc9113, Section8_2_1NoLinesWithinFields) {
  for (const std::string& value : {std::string("a\r\nx: b"), std::string("a\nb"), std::string("a\0b", 3)}) {
    PlainHttp2 connection = connect();
    const Http2Answer answer =
        connection.http.wait(connection.http.request("POST", "/demo/events", {{"x", value}}, entry("smuggled")));
    EXPECT_TRUE(answer.error == NGHTTP2_PROTOCOL_ERROR || connection.http.goaway() == NGHTTP2_PROTOCOL_ERROR);
  }
  EXPECT_FALSE(is_stored("smuggled"));
}

// 8.3.1: "A server SHOULD treat a request as malformed if it contains a Host header field that identifies an entity
// that differs from the entity in the ":authority" pseudo-header field." 8.1.1: "For malformed requests, a server MAY
// send an HTTP response prior to closing or resetting the stream."
TEST_F(Rfc9113, Section8_3_1OneAuthority) {
  EXPECT_EQ(ask(*server_, Way::kTlsHttp2, "GET", "/", {{"host", "stranger.example"}}).status, 400);
  EXPECT_EQ(ask(*server_, Way::kTlsHttp2, "GET", "/", {{"host", "localhost"}}).status, 200);
  for (const auto& [authority, status] : std::vector<std::pair<std::string, int>>{
           {"localhost:80x", 400}, {"user@localhost", 400}, {"local host", 0}, {"stranger.example", 421}}) {
    PlainHttp2 connection = connect();
    const Http2Answer answer = connection.http.wait(connection.http.request("GET", "/", {}, std::nullopt, authority));
    EXPECT_EQ(answer.status, status) << authority;
  }
}

// 8.1: "A server MAY request that the client abort transmission of a request without error by sending a RST_STREAM with
// an error code of NO_ERROR after sending a complete response (i.e., a frame with the END_STREAM flag set)."
TEST_F(Rfc9113, Section8_1ARefusedBodyIsNotWaitedFor) {
  PlainHttp2 connection = connect();
  const Http2Answer answer = connection.http.wait(
      connection.http.request("POST", "/demo/events", {{"content-length", "1000000000"}}, "a", "localhost", true));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.error, NGHTTP2_NO_ERROR);
  EXPECT_EQ(connection.http.get("/-/health/live").status, 200);
}

// Either version says the same of everything.
TEST_F(Rfc9113, AnswersAreThoseOfHttp1) {
  ASSERT_EQ(publish("1"), 201);
  for (const std::string path : {"/demo/events", "/demo/events?format=json", "/demo/events/entries/urn:x:1", "/nowhere",
                                 "/demo/events?marker=x&direction=y", "/", "/demo/../a"}) {
    const Http2Answer expected = ask(*server_, Way::kPlain, "GET", path);
    for (const Way way : kWays) {
      const Http2Answer answer = ask(*server_, way, "GET", path);
      EXPECT_EQ(answer.status, expected.status) << path << way;
      EXPECT_EQ(answer.body, expected.body) << path << way;
      for (const std::string name : {"content-type", "etag", "cache-control", "link", "vary", "content-length"}) {
        EXPECT_EQ(answer.header(name), expected.header(name)) << path << way << name;
      }
    }
  }
}

}  // namespace
}  // namespace courant::test::rfc9113_test
