// Tokens over TLS and over HTTP/2, where many requests of different people may share a connection.
#include "kernel/uri.h"
#include "tests/functional/security/fixture.h"
#include "tests/support/http2_client.h"
#include "tests/support/tls_client.h"
#include "tests/support/tokens.h"

namespace courant::test::tls_access_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class TlsAccessTest : public testing::Test {
 protected:
  TlsAccessTest() {
    make_certificate(scratch(""));
    const std::string config = scratch("tls_access.toml");
    std::ofstream(config)
        << "[server]\nlisten_tls = ['127.0.0.1:" << tls_port_ << "']\n[server.tls]\ncertificate = '"
        << scratch("tls.crt") << "'\nkey = '" << scratch("tls.key")
        << "'\n[access]\nfailures_per_minute = 3000\n[[workspaces]]\nname = 'closed'\nread = 'private'\n"
        << "auto_create = true\n";
    server_ = std::make_unique<CourantServer>(with_tokens(database_.url(), config));
    token_ = tokens_.make("token", "read,publish", "closed/*");
    EXPECT_TRUE(wait_until([&] { return HttpClient(server_->port()).get("/closed/x", bearer(token_)).status == 404; }));
  }

  // A connection by TLS, and HTTP/2 over it.
  struct Secured {
    explicit Secured(int port)
        : tls(static_cast<std::uint16_t>(port), {.protocols = "h2"}),
          http({[this](std::string_view bytes) { tls.send(bytes); }, [this] { return tls.read_piece(); }}) {}
    TlsClient tls;
    Http2Client http;
  };
  std::string secured(const std::string& request) const {
    TlsClient client(static_cast<std::uint16_t>(tls_port_), {.protocols = "http/1.1"});
    client.send(request);
    return client.read_all();
  }
  static std::string entry(const std::string& id) {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id +
           "</id><title>t</title><content>hidden</content></entry>";
  }
  Http2Client::Fields shown() const { return {{"authorization", "Bearer " + token_}}; }

  TestDatabase database_;
  Tokens tokens_{database_.url()};
  const int tls_port_ = free_port();
  std::unique_ptr<CourantServer> server_;
  std::string token_;
};

TEST_F(TlsAccessTest, TokensAreTakenOverTls) {
  const std::string body = entry("urn:x:1");
  const auto ask = [&](const std::string& method, const std::string& fields, const std::string& sent) {
    return secured(method + " /closed/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields +
                   "Content-Length: " + std::to_string(sent.size()) + "\r\n\r\n" + sent);
  };
  EXPECT_THAT(ask("POST", "", body), testing::StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(ask("POST", bearer(token_), body), testing::StartsWith("HTTP/1.1 201"));
  EXPECT_THAT(ask("GET", basic(token_), ""), HasSubstr("hidden"));
  EXPECT_THAT(ask("GET", "", ""), Not(HasSubstr("hidden")));
}

TEST_F(TlsAccessTest, OnOneHttp2ConnectionEachRequestIsItsOwnSenders) {
  Secured client(tls_port_);
  Http2Client& http = client.http;
  EXPECT_EQ(http.wait(http.request("POST", "/closed/events", {}, entry("urn:x:1"))).status, 401);
  Http2Client::Fields fields = shown();
  fields.emplace_back("content-type", "application/atom+xml");
  EXPECT_EQ(http.wait(http.request("POST", "/closed/events", fields, entry("urn:x:1"))).status, 201);
  // Remembered answers, and the memory of header compression, stand between them.
  for (int i = 0; i < 5; ++i) {
    const Http2Answer mine = http.get("/closed/events", shown());
    EXPECT_EQ(mine.status, 200);
    EXPECT_THAT(mine.body, HasSubstr("hidden"));
    EXPECT_THAT(mine.header("cache-control"), HasSubstr("private"));
    EXPECT_EQ(
        http.get("/closed/events", {{"authorization", "Bearer " + token_}, {"if-none-match", mine.header("etag")}})
            .status,
        304);
    const Http2Answer stranger = http.get("/closed/events");
    EXPECT_EQ(stranger.status, 401);
    EXPECT_THAT(stranger.body, Not(HasSubstr("hidden")));
    EXPECT_EQ(http.get("/closed/events", {{"if-none-match", mine.header("etag")}}).status, 401);
  }
  // At once, in both orders.
  std::vector<std::pair<std::int32_t, int>> expected;
  for (int i = 0; i < 20; ++i) {
    const bool is_mine = i % 2 == 0;
    const std::int32_t stream = http.request("GET", "/closed/events", is_mine ? shown() : Http2Client::Fields{});
    expected.emplace_back(stream, is_mine ? 200 : 401);
  }
  for (const auto& [stream, status] : expected) EXPECT_EQ(http.wait(stream).status, status);
}

TEST_F(TlsAccessTest, ARevokedTokenEndsOnConnectionsThatAreOpen) {
  Secured client(tls_port_);
  Http2Client::Fields fields = shown();
  fields.emplace_back("content-type", "application/atom+xml");
  ASSERT_EQ(client.http.wait(client.http.request("POST", "/closed/events", fields, entry("urn:x:1"))).status, 201);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(client.http.get("/closed/events", shown()).status, 200);
  tokens_.revoke("token");
  EXPECT_TRUE(wait_until([&] { return client.http.get("/closed/events", shown()).status == 401; }));
  EXPECT_FALSE(client.http.is_over()) << "the connection may be somebody else's as well";
}

}  // namespace
}  // namespace courant::test::tls_access_test
