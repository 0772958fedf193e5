// RFC 8446 (TLS 1.3), RFC 8996 (what is older than 1.2) and RFC 7301 (ALPN), of the program as a whole.
#include "tests/conformance/server/wire.h"

namespace courant::test::rfc8446_test {
namespace {

using testing::HasSubstr;

class Rfc8446 : public Wire {
 protected:
  Rfc8446() { serve({.limits = "header_timeout = \"2s\"\n"}); }
  static std::string get(TlsClient& client, const std::string& more = "Connection: close\r\n") {
    client.send(get_of("/-/health/live", more));
    return client.read_all();
  }
};

// RFC 8996 4: "TLS 1.0 MUST NOT be used." 5: "TLS 1.1 MUST NOT be used."
TEST_F(Rfc8446, Rfc8996NothingOlderThan12) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server_->tls_port(), {.version = version});
    ASSERT_TRUE(client.is_open());
    EXPECT_EQ(client.version(), version);
    EXPECT_THAT(get(client), HasSubstr("200 OK"));
  }
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    EXPECT_FALSE(TlsClient(server_->tls_port(), {.version = version, .oldest = TLS1_VERSION}).is_open());
  }
}

// 4.6.1: "At any time after the server has received the client Finished message, it MAY send a NewSessionTicket
// message." What it holds is taken by every server of the database, also by one that was started later; so it is in TLS
// 1.2 (RFC 5077 3.1: "The ticket may be used to resume the session"), and whatever protocol is spoken inside.
TEST_F(Rfc8446, Section4_6_1TicketsAreTakenByEveryServer) {
  const auto talk = [](TlsClient& client) {
    if (client.protocol() != "h2") return get(client);
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(NGHTTP2_SETTINGS, 0, 0, ""));
    return client.read_piece();
  };
  WireServer other(database_.url());
  for (const std::string protocol : {"http/1.1", "h2"}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsSession session;
      {
        TlsClient first(server_->tls_port(), {.protocols = protocol, .version = version});
        EXPECT_NE(talk(first), "");
        EXPECT_FALSE(first.is_resumed());
        session = first.session();
      }
      TlsClient elsewhere(other.tls_port(), {.protocols = protocol, .version = version, .resumed = session.get()});
      EXPECT_TRUE(elsewhere.is_resumed()) << protocol << " " << version;
      EXPECT_NE(talk(elsewhere), "");
      server_->program().kill_and_restart();
      TlsClient later(server_->tls_port(), {.protocols = protocol, .version = version, .resumed = session.get()});
      EXPECT_TRUE(later.is_resumed()) << protocol << " " << version;
      EXPECT_NE(talk(later), "");
    }
  }
}

// 6.1: "Each party MUST send a "close_notify" alert before closing its write side of the connection, unless it has
// already sent some error alert."
TEST_F(Rfc8446, Section6_1CloseNotifyBeforeTheEnd) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient asked(server_->tls_port(), {.version = version});
    get(asked);
    EXPECT_TRUE(asked.was_ended());
    TlsClient refused(server_->tls_port(), {.version = version});
    refused.send("nonsense\r\n\r\n");
    EXPECT_THAT(refused.read_all(), HasSubstr("400 Bad Request"));
    EXPECT_TRUE(refused.was_ended());
  }
}

// RFC 7301 3.2: "the server SHOULD select the most highly preferred protocol that it supports and that is also
// advertised by the client. In the event that the server supports no protocols that the client advertises, then the
// server SHALL respond with a fatal "no_application_protocol" alert."
TEST_F(Rfc8446, Rfc7301Section3_2ChoosesTheProtocol) {
  EXPECT_EQ(TlsClient(server_->tls_port(), {.protocols = "http/1.1,h2"}).protocol(), "h2");
  EXPECT_EQ(TlsClient(server_->tls_port(), {.protocols = "spdy/3,http/1.1"}).protocol(), "http/1.1");
  EXPECT_FALSE(TlsClient(server_->tls_port(), {.protocols = "spdy/3"}).is_open());
  TlsClient silent(server_->tls_port());
  EXPECT_EQ(silent.protocol(), "");
  EXPECT_THAT(get(silent), HasSubstr("HTTP/1.1 200 OK"));
}

// Plain HTTP on the port of TLS is answered by nothing, and TLS on that of plain HTTP by 400 or nothing.
TEST_F(Rfc8446, NoPlainTextOnThePortOfTls) {
  RawClient plain(server_->tls_port());
  plain.send(get_of("/-/health/live"));
  EXPECT_EQ(plain.read_all().find("HTTP/1.1"), std::string::npos);
  EXPECT_FALSE(TlsClient(server_->port()).is_open());
}

}  // namespace
}  // namespace courant::test::rfc8446_test
