// The limits of "HTTP itself" (docs/API.md): what is longer, and what takes longer, than it may.
#include "http/gzip.h"
#include "tests/conformance/server/wire.h"

namespace courant::test::limits_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const char* const kLimits = "courant_http_limits_total";
const char* const kAtom = "application/atom+xml";

class Limits : public Wire {
 protected:
  // Until the peer ends it, in order.
  template <class Client>
  static std::string rest_of(Client& client) {
    std::string rest = client.read_all();
    EXPECT_TRUE(client.was_ended());
    return rest;
  }
};

// RFC 9112 3: "A server that receives a request-target longer than any URI it wishes to parse MUST respond with a 414
// (URI Too Long) status code". "It is RECOMMENDED that all HTTP senders and recipients support, at a minimum,
// request-line lengths of 8000 octets."
TEST_F(Limits, Rfc9112Section3LongTargets) {
  serve();
  const std::string longest = "/" + std::string(8000 - 1, 'a');
  for (const Way way : kWays) {
    EXPECT_EQ(ask(*server_, way, "GET", longest).status, 404) << way;
    EXPECT_EQ(ask(*server_, way, "GET", "/" + std::string(8192, 'a')).status, 414) << way;
  }
  RawClient client(server_->port());
  client.send("GET /" + std::string(100'000, 'a'));  // and no end in sight
  EXPECT_THAT(rest_of(client), StartsWith("HTTP/1.1 414 "));
}

// RFC 9110 5.4: "A server that receives a request header field line, field value, or set of fields larger than it
// wishes to process MUST respond with an appropriate 4xx (Client Error) status code." RFC 6585 5 names it 431.
TEST_F(Limits, Rfc9110Section5_4LongHeaders) {
  serve();
  Http2Client::Fields many;
  for (int i = 0; i < 2000; ++i) many.emplace_back("x-" + std::to_string(i), "0123456789");
  for (const Way way : kWays) {
    EXPECT_EQ(ask(*server_, way, "GET", "/-/health/live", {{"x", std::string(16'000, 'a')}}).status, 200) << way;
    EXPECT_EQ(ask(*server_, way, "GET", "/-/health/live", {{"x", std::string(40'000, 'a')}}).status, 431) << way;
    EXPECT_EQ(ask(*server_, way, "GET", "/-/health/live", many).status, 431) << way;
  }
  RawClient client(server_->port());
  client.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'a'));
  EXPECT_THAT(rest_of(client), StartsWith("HTTP/1.1 431 "));
}

// RFC 9110 15.5.14: "The 413 (Content Too Large) status code indicates that the server is refusing to process a request
// because the request content is larger than the server is willing or able to process."
TEST_F(Limits, Rfc9110Section15_5_14LongBodies) {
  serve({.limits = "max_entry_bytes = 2048\nmax_batch_bytes = 4096\n"});
  const std::string body = entry("1", std::string(8192, 'c'));
  const std::string packed = http::gzip(body);
  ASSERT_LT(packed.size(), 1024U);
  for (const Way way : kWays) {
    EXPECT_EQ(ask(*server_, way, "POST", "/demo/events", {{"content-type", kAtom}}, body).status, 413) << way;
    EXPECT_EQ(
        ask(*server_, way, "POST", "/demo/events", {{"content-type", kAtom}, {"content-encoding", "gzip"}}, packed)
            .status,
        413)
        << way << ": a bomb";
  }
  const std::string head = "POST /demo/events HTTP/1.1\r\nHost: localhost\r\n";
  RawClient announced(server_->port());
  announced.send(head + "Content-Length: 100000000000\r\n\r\n");
  EXPECT_THAT(rest_of(announced), StartsWith("HTTP/1.1 413 ")) << "before any of it has come";
  RawClient chunked(server_->port());
  chunked.send(head + "Transfer-Encoding: chunked\r\n\r\n2000\r\n" + std::string(0x2000, 'c') + "\r\n");
  EXPECT_THAT(rest_of(chunked), StartsWith("HTTP/1.1 413 ")) << "before its end has come";
  EXPECT_FALSE(is_stored("1"));
}

// RFC 9110 15.5.9: "The 408 (Request Timeout) status code indicates that the server did not receive a complete request
// message within the time that it was prepared to wait."
TEST_F(Limits, Rfc9110Section15_5_9SlowHeaders) {
  serve({.limits = "header_timeout = \"1s\"\n"});
  {
    RawClient plain(server_->port());
    TlsClient tls(server_->tls_port());
    for (const std::string piece : {"GET / HTTP/1.1\r\n", "Host: local"}) {
      plain.send(piece);
      tls.send(piece);
    }
    EXPECT_THAT(rest_of(plain), StartsWith("HTTP/1.1 408 "));
    EXPECT_THAT(rest_of(tls), StartsWith("HTTP/1.1 408 "));
  }
  EXPECT_EQ(server_->metric(kLimits), 2);
  RawClient silent(server_->tls_port());
  EXPECT_EQ(rest_of(silent), "") << "no handshake";
  EXPECT_EQ(server_->metric("courant_tls_faults_total"), 1);
  RawClient half(server_->port());  // a header block of HTTP/2 that does not end
  half.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, "") +
            frame(NGHTTP2_HEADERS, 0, 1, "\x82"));
  rest_of(half);
  EXPECT_EQ(server_->metric(kLimits), 4);
}

// The same.
TEST_F(Limits, Rfc9110Section15_5_9SlowBodies) {
  serve({.limits = "body_timeout = \"1s\"\n"});
  const std::string head = "POST /demo/events HTTP/1.1\r\nHost: localhost\r\n";
  for (const std::string rest :
       {"Content-Length: 100\r\n\r\n<entry", "Transfer-Encoding: chunked\r\n\r\n10\r\n<entry"}) {
    RawClient plain(server_->port());
    plain.send(head + rest);
    TlsClient tls(server_->tls_port());
    tls.send(head + rest);
    EXPECT_THAT(rest_of(plain), StartsWith("HTTP/1.1 408 "));
    EXPECT_THAT(rest_of(tls), StartsWith("HTTP/1.1 408 "));
  }
  TlsHttp2 connection(server_->tls_port());
  const std::int32_t slow = connection.http.request("POST", "/demo/events", {}, "<entry", "localhost", true);
  EXPECT_EQ(connection.http.wait(slow).status, 408);
  EXPECT_EQ(connection.http.get("/-/health/live").status, 200) << "the connection goes on";
  EXPECT_EQ(server_->metric(kLimits), 5);
}

// RFC 9112 9.5: "A client or server that wishes to time out SHOULD issue a graceful close on the connection." RFC 9113
// 6.8: "Endpoints SHOULD always send a GOAWAY frame before closing a connection".
TEST_F(Limits, Rfc9112Section9_5IdleConnectionsEnd) {
  serve({.limits = "idle_timeout = \"1s\"\n"});
  RawClient silent(server_->port());
  RawClient plain(server_->port());
  plain.send(get_of("/-/health/live"));
  EXPECT_EQ(status_of(plain.read_response()), 200);
  TlsClient tls(server_->tls_port());
  tls.send(get_of("/-/health/live"));
  EXPECT_THAT(rest_of(tls), HasSubstr("200 OK"));
  TlsHttp2 connection(server_->tls_port());
  EXPECT_EQ(connection.http.get("/-/health/live").status, 200);
  EXPECT_FALSE(connection.http.wait_until([] { return false; }));
  EXPECT_EQ(connection.http.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(connection.carrier.was_ended());
  EXPECT_EQ(rest_of(plain), "");
  EXPECT_EQ(rest_of(silent), "");
  EXPECT_EQ(server_->metric(kLimits), 0) << "it is nobody's fault";
}

// A client that does not read is dropped, not buffered without bound.
TEST_F(Limits, WhoDoesNotReadIsDropped) {
  serve({.limits = "write_timeout = \"1s\"\nmax_media_bytes = \"64MiB\"\n"});
  const std::string body(32 << 20, 'x');
  const Http2Answer posted = ask(*server_, Way::kPlain, "POST", "/media/files", {{"content-type", "image/png"}}, body);
  ASSERT_EQ(posted.status, 201) << posted.body;
  const std::size_t at = posted.body.find("src=\"") + 5;
  const std::string media = WireServer::target_of(posted.body.substr(at, posted.body.find('"', at) - at));

  double dropped = 0;
  {
    RawClient plain(server_->port());
    plain.send(get_of(media, "Connection: close\r\n"));
    EXPECT_TRUE(wait_until([&] { return server_->metric(kLimits) > dropped; }));
    EXPECT_LT(plain.read_all().size(), body.size());
  }
  dropped = server_->metric(kLimits);
  {
    TlsClient tls(server_->tls_port());
    tls.send(get_of(media, "Connection: close\r\n"));
    EXPECT_TRUE(wait_until([&] { return server_->metric(kLimits) > dropped; }));
    EXPECT_LT(tls.read_all().size(), body.size());
  }
  dropped = server_->metric(kLimits);
  {
    PlainHttp2 unread(server_->port(), {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1U << 30}});
    unread.http.send_bytes(frame(NGHTTP2_WINDOW_UPDATE, 0, 0, {"\x3f\0\0\0", 4}));
    const std::int32_t stream = unread.http.request("GET", media);
    EXPECT_TRUE(wait_until([&] { return server_->metric(kLimits) > dropped; }));
    EXPECT_FALSE(unread.http.wait_until([&] { return unread.http.answer(stream).body.size() == body.size(); }));
  }
  dropped = server_->metric(kLimits);
  PlainHttp2 stalled(server_->port(), {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}}, true);
  const Http2Answer answer = stalled.http.get(media);
  EXPECT_EQ(answer.body.size(), 1000U);
  EXPECT_EQ(answer.error, NGHTTP2_CANCEL) << "the stream alone: the connection can go on";
  EXPECT_EQ(stalled.http.get("/-/health/live").status, 200);
  EXPECT_GT(server_->metric(kLimits), dropped);
}

}  // namespace
}  // namespace courant::test::limits_test
