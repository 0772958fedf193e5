#include "http/tls.h"

#include <filesystem>
#include <fstream>
#include <future>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "kernel/digest.h"
#include "tests/support/moved_clock.h"
#include "tests/support/tls_client.h"
#include "tests/unit/http/served.h"

namespace courant::http {
namespace {

using test::TlsClient;
using testing::HasSubstr;

class TlsTest : public Served {
 protected:
  TlsTest() : folder_("/tmp/courant-tls-" + to_hex(random_bytes(6))) {
    std::filesystem::create_directory(folder_);
    test::make_certificate(folder_);
    options_.listen = {};
    options_.listen_tls = {"127.0.0.1:0"};
  }
  ~TlsTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  TlsOptions files(const std::string& secret = "secret") const {
    return {folder_ + "/tls.crt", folder_ + "/tls.key", secret};
  }
  // Outlives every server of the test. Knows the seeds of all epochs around the present one.
  TlsContext* context(const std::string& secret = "secret") { return context(secret, clock_, seeds(-5, 5)); }
  TlsContext* context(const std::string& secret, const Clock& clock, const std::vector<TicketSeed>& seeds) {
    TlsContext* const made = contexts_.emplace_back(*TlsContext::make(files(secret), clock)).get();
    made->use_ticket_seeds(seeds);
    return made;
  }
  // Of the epochs from `first` to `last`, counted from the present one.
  std::vector<TicketSeed> seeds(int first, int last, const std::string& kind = "seed") const {
    std::vector<TicketSeed> all;
    for (int i = first; i <= last; ++i) all.push_back({ticket_epoch(clock_.now()) + i, kind + std::to_string(i)});
    return all;
  }

  // Asks a server of its own and gives what can be taken up again.
  test::TlsSession session_of(TlsContext* tls, const test::TlsClientOptions& client, bool expects_resumed = false) {
    Server server(options_, router_, metrics_, tls);
    EXPECT_TRUE(server.start());
    TlsClient asking(server.ports()[0], client);
    EXPECT_TRUE(get(asking).ends_with("a?"));
    EXPECT_EQ(asking.is_resumed(), expects_resumed) << client.version;
    return asking.session();
  }
  std::uint16_t port() const { return server_->ports()[0]; }

  static std::string get(TlsClient& client, const std::string& path = "/demo/a") {
    client.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return client.read_all();
  }

  const std::string folder_;
  const test::MovedClock clock_;
  std::vector<std::unique_ptr<TlsContext>> contexts_;
};

TEST_F(TlsTest, ServesOver12And13AndNothingOlder) {
  TlsContext* const tls = context();
  serve(tls);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(port(), {.protocols = "http/1.1", .version = version});
    ASSERT_TRUE(client.is_open());
    EXPECT_EQ(client.version(), version);
    EXPECT_EQ(client.protocol(), "http/1.1");
    EXPECT_TRUE(get(client).ends_with("\r\n\r\na?"));
    EXPECT_TRUE(client.was_ended()) << "an end without close_notify may be an attacker's";
  }
  TlsClient old(port(), {.version = TLS1_1_VERSION, .oldest = TLS1_VERSION});
  EXPECT_FALSE(old.is_open());
}

// RFC 7301 section 3.2: "the server SHALL respond with a fatal 'no_application_protocol' alert".
TEST_F(TlsTest, ChoosesTheProtocolByAlpn) {
  TlsContext* const tls = context();
  serve(tls);
  EXPECT_EQ(TlsClient(port(), {.protocols = "http/1.1,h2"}).protocol(), "h2");
  EXPECT_EQ(TlsClient(port()).protocol(), "");
  EXPECT_FALSE(TlsClient(port(), {.protocols = "spdy/3"}).is_open());
}

TEST_F(TlsTest, LongBodiesPassWholeAndInOrder) {
  TlsContext* const tls = context();
  serve(tls);
  TlsClient client(port());
  const std::string answer = get(client, "/pieces/3");
  EXPECT_TRUE(
      answer.ends_with("\r\n\r\n0" + std::string(kPiece, 'c') + std::string(kPiece, 'b') + std::string(kPiece, 'a')));
  TlsClient other(port());
  EXPECT_TRUE(get(other, "/long").ends_with(std::string(kLong, 'x')));
}

// Processes with one secret and the same seeds take up each other's sessions (RFC 8446 section 2.2, RFC 5077).
TEST_F(TlsTest, ASessionIsTakenUpByWhoeverHasSecretAndSeeds) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const test::TlsSession session = session_of(context(), {.version = version});
    session_of(context(), {.version = version, .resumed = session.get()}, true);
    session_of(context("another secret"), {.version = version, .resumed = session.get()}, false);
    session_of(context("secret", clock_, seeds(-5, 5, "others")), {.version = version, .resumed = session.get()},
               false);
  }
}

// A ticket is taken in the epoch after its own, too, and renewed; also one of the next, by a server whose clock is
// ahead.
TEST_F(TlsTest, TicketsOfThreeEpochsAreTaken) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (int epoch = -2; epoch <= 2; ++epoch) {
      test::MovedClock of_another;
      of_another.passed = epoch * kTicketEpoch;
      const test::TlsSession session = session_of(context("secret", of_another, seeds(-5, 5)), {.version = version});
      const bool is_taken = epoch >= -1 && epoch <= 1;
      const test::TlsSession renewed = session_of(context(), {.version = version, .resumed = session.get()}, is_taken);
      session_of(context("secret", clock_, seeds(0, 0)), {.version = version, .resumed = renewed.get()}, true);
    }
  }
}

// The database is away when a new epoch comes: the newest seed that is known goes on.
TEST_F(TlsTest, WithoutTheSeedOfAnEpochTheOneBeforeGoesOn) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    test::MovedClock later;
    later.passed = 3 * kTicketEpoch;
    TlsContext* const first = context("secret", later, seeds(-1, 0));
    const test::TlsSession session = session_of(first, {.version = version});
    session_of(first, {.version = version, .resumed = session.get()}, true);
    session_of(context(), {.version = version, .resumed = session.get()}, true);
    first->use_ticket_seeds({});
    session_of(first, {.version = version, .resumed = session.get()}, true);
    first->use_ticket_seeds(seeds(2, 4));
    session_of(first, {.version = version, .resumed = session.get()}, false);
  }
}

TEST_F(TlsTest, ReadsItsCertificateAgain) {
  TlsContext* const tls = context();
  serve(tls);
  TlsClient before(port());
  const std::string serial = before.serial();
  test::make_certificate(folder_);
  ASSERT_TRUE(tls->reload());
  EXPECT_NE(TlsClient(port()).serial(), serial);
  EXPECT_TRUE(get(before).ends_with("a?")) << "connections that are there go on";
  std::ofstream(folder_ + "/tls.crt") << "nonsense";
  const Result<bool> reloaded = tls->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_NE(reloaded.fault().detail.find(folder_ + "/tls.crt"), std::string::npos);
  EXPECT_TRUE(TlsClient(port()).is_open()) << "the one before stays";
}

TEST_F(TlsTest, SaysWhatIsWrongWithItsFiles) {
  test::make_certificate(folder_, "other");
  const auto fault = [&](const std::string& certificate, const std::string& key) {
    const auto made = TlsContext::make({folder_ + certificate, folder_ + key, ""}, clock_);
    return made ? std::string() : made.fault().detail;
  };
  EXPECT_EQ(fault("/none.crt", "/tls.key"),
            "the certificate " + folder_ + "/none.crt cannot be used: No such file or directory");
  EXPECT_EQ(fault("/tls.crt", "/none.key"),
            "the private key " + folder_ + "/none.key cannot be used: No such file or directory");
  EXPECT_EQ(fault("/tls.crt", "/other.key"),
            "the private key " + folder_ + "/other.key does not belong to the certificate " + folder_ + "/tls.crt");
  const std::string lock = "openssl pkey -aes256 -passout pass:secret -in " + folder_ + "/tls.key -out " + folder_;
  ASSERT_EQ(std::system((lock + "/locked.key").c_str()), 0);
  EXPECT_EQ(fault("/tls.crt", "/locked.key"),
            "the private key " + folder_ +
                "/locked.key has a password, which nobody is there to be asked for: take it out with openssl pkey");
}

// Whoever does not shake hands costs nobody else anything, and not for long.
TEST_F(TlsTest, SilenceAndNonsenseInsteadOfAHandshakeEnd) {
  TlsContext* const tls = context();
  serve(tls);
  test::RawClient silent(port());
  test::RawClient wrong(port());
  wrong.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  TlsClient good(port());
  EXPECT_TRUE(get(good).ends_with("a?"));
  wrong.read_all();
  silent.read_all();
  EXPECT_EQ(metrics_.counter("courant_tls_faults_total", "").value(), 2);
}

// However many there are: who says nothing, who has said half of it, who says it byte by byte. The
// threads are two, and nobody of those has ended when the others have been served.
TEST_F(TlsTest, HandshakesNeverBlockOthers) {
  options_.header_timeout = std::chrono::hours(1);
  TlsContext* const tls = context();
  serve(tls);
  // The first bytes of a handshake's record, of what could be a long one.
  const std::string begin("\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", 11);
  std::vector<std::unique_ptr<test::RawClient>> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(std::make_unique<test::RawClient>(port()));
    if (i % 3 != 0) slow.back()->send(begin);
  }
  const auto all_are_there = [&] { return metrics_.gauge("courant_http_connections", "").value() >= 60; };
  ASSERT_TRUE(test::wait_until(all_are_there));
  for (int i = 0; i < 20; ++i) {
    for (std::size_t at = 1; at < slow.size(); at += 3) slow[at]->send("x");
    TlsClient good(port());
    ASSERT_TRUE(good.is_open());
    EXPECT_TRUE(get(good).ends_with("a?"));
  }
  EXPECT_EQ(metrics_.counter("courant_tls_faults_total", "").value(), 0) << "they are all still there";
}

// Each key update has to be answered: who sends nothing else and reads nothing has gone, as far as we keep anything.
TEST_F(TlsTest, FloodsOfKeyUpdatesEnd) {
  TlsContext* const tls = context();
  serve(tls);
  TlsClient client(port(), {.receive_buffer = 4096});
  client.send("GET /watched HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_for(1, 0);
  for (int i = 0; i < 1'000'000 && gone_ == 0; ++i) {
    if (!client.update_keys()) break;
  }
  wait_for(1, 1);
}

TEST_F(TlsTest, NoticesThatAWaitingClientGoesAway) {
  TlsContext* const tls = context();
  serve(tls);
  for (int i = 1; i <= 2; ++i) {
    TlsClient client(port(), {.version = i == 1 ? TLS1_2_VERSION : TLS1_3_VERSION});
    client.send("GET /watched HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_for(i, i - 1);
    client.end();
    wait_for(i, i);
    EXPECT_TRUE(client.read_all().ends_with("gone")) << "he has ended his own side alone";
  }
}

TEST_F(TlsTest, IsNeededWhereTlsIsServed) {
  TlsContext* const tls = context();
  options_.listen = {"127.0.0.1:0"};
  serve(tls);
  ASSERT_EQ(server_->ports().size(), 2U);
  test::RawClient plain(server_->ports()[0]);
  plain.send("GET /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(plain.read_all().ends_with("a?"));
  EXPECT_TRUE(TlsClient(server_->ports()[1]).is_open());
}

// The system has chosen both ports: one text names two addresses, and a successor has the right sockets for each.
TEST_F(TlsTest, ASuccessorTellsPlainSocketsFromThoseOfTls) {
  TlsContext* const tls = context();
  options_.listen = {"127.0.0.1:0"};
  serve(tls);
  ServerOptions options = options_;
  for (ListeningSocket socket : server_->listening()) {
    socket.file = ::fcntl(socket.file, F_DUPFD_CLOEXEC, 0);
    options.inherited.push_back(socket);
  }
  Server successor(options, router_, metrics_, tls);
  ASSERT_TRUE(successor.start());
  EXPECT_EQ(successor.ports(), server_->ports());
  server_->stop();
  test::RawClient plain(successor.ports()[0]);
  plain.send("GET /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(plain.read_all().ends_with("a?"));
  EXPECT_TRUE(TlsClient(successor.ports()[1]).is_open());
}

// A callback's host that offers HTTP/2 is sent many requests at once on one connection.
TEST_F(TlsTest, TheClientTakesHttp2WhereItIsOffered) {
  TlsContext* const tls = context();
  serve(tls);
  ClientOptions to_loopback;
  to_loopback.guard = std::make_shared<const AddressGuard>(std::vector<Network>{*Network::parse("127.0.0.0/8")});
  to_loopback.ca_file = folder_ + "/tls.crt";
  Metrics metrics;
  Client client(to_loopback, metrics);
  const std::string url = "https://127.0.0.1:" + std::to_string(port());
  std::vector<std::promise<ClientReply>> answers(13);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string path = i < 8 ? "/held" : "/demo/" + std::to_string(i);
    ASSERT_TRUE(
        client.send({.url = url + path}, [&answers, i](ClientReply reply) { answers[i].set_value(std::move(reply)); }));
  }
  for (std::size_t i = 8; i < answers.size(); ++i) {
    const ClientReply reply = answers[i].get_future().get();
    EXPECT_EQ(reply.body, std::to_string(i) + "?") << outcome_name(reply.outcome) << reply.detail;
  }
  EXPECT_THAT(metrics_.text(), HasSubstr("courant_tls_handshakes_total 1\n"));
  released_ = true;
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(answers[i].get_future().get().body, "late");
}

}  // namespace
}  // namespace courant::http
