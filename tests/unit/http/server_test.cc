#include "http/server.h"

#include <thread>

#include <gtest/gtest.h>

#include "http/gzip.h"
#include "kernel/problem.h"
#include "tests/unit/http/served.h"

namespace courant::http {
namespace {

using namespace std::chrono_literals;
using test::RawClient;

class ServerTest : public Served {
 protected:
  ServerTest() { serve(); }
};

// A connection that is closed with unread bytes is reset, and the answer lost.
TEST_F(ServerTest, ARefusalReachesWhoIsStillSending) {
  for (const std::string target : {"/demo/a", "/nothing/here/at/all"}) {
    RawClient client(server_->ports()[0]);
    client.send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\n");
    client.send(std::string(4'000'000, 'x'));
    const std::string status = client.read_response().substr(9, 3);
    EXPECT_EQ(status, target == "/demo/a" ? "413" : "404");
  }
}

TEST_F(ServerTest, AnAnswerDoesNotWaitForTheNext) {
  RawClient client(server_->ports()[0]);
  client.send("GET /demo/a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /held HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("a?"));
  released_ = true;
  EXPECT_TRUE(client.read_response().ends_with("late"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  RawClient client(server_->ports()[0]);
  client.send(
      "GET /demo/a?x HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /demo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
      "2\r\n\r\n"
      "hiGET /demo/b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("\r\n\r\na?x"));
  EXPECT_TRUE(client.read_response().ends_with("\r\n\r\nhi"));
  EXPECT_TRUE(client.read_response().ends_with("\r\n\r\nb?"));
}

// The time to write is that of a piece: whoever goes on reading gets the whole of a long body, however slowly.
TEST_F(ServerTest, ASlowReaderGetsALongBody) {
  RawClient client(server_->ports()[0]);
  client.send("GET /long HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::size_t count = 0;
  for (std::size_t got = 1; got > 0; count += got) {
    got = client.read_bytes(1 << 20).size();
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_GT(count, kLong);
}

TEST_F(ServerTest, ABodyMayComeInPieces) {
  const std::string whole = "0" + std::string(kPiece, 'c') + std::string(kPiece, 'b') + std::string(kPiece, 'a');
  RawClient client(server_->ports()[0]);
  client.send(
      "GET /pieces/3 HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /pieces/3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
      "GET /demo/b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.read_response().ends_with("\r\n\r\n" + whole));
  EXPECT_NE(client.read_response(true).find("Content-Length: 900001"), std::string::npos);
  EXPECT_TRUE(client.read_response().ends_with("b?"));
  // One that ends too early ends the connection: the reader notices by the length.
  const std::string cut =
      ask("GET /pieces/1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /demo/b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(cut.find("Content-Length: 900001"), std::string::npos);
  EXPECT_TRUE(cut.ends_with("\r\n\r\n0" + std::string(kPiece, 'a')));
}

TEST_F(ServerTest, HeadHasTheLengthAndNoBody) {
  RawClient client(server_->ports()[0]);
  client.send("HEAD /demo/abc HTTP/1.1\r\nHost: localhost\r\n\r\nGET /demo/b HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string head = client.read_response(true);
  EXPECT_NE(head.find("Content-Length: 4"), std::string::npos);
  EXPECT_TRUE(client.read_response().ends_with("b?"));
}

TEST_F(ServerTest, SendsContinueOnlyForABodyThatItTakes) {
  RawClient client(server_->ports()[0]);
  client.send("POST /demo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_response(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_TRUE(client.read_response().ends_with("hello"));
  EXPECT_EQ(
      status_of("POST /demo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n"),
      "413");
}

TEST_F(ServerTest, TakesChunkedBodiesCutAnywhere) {
  const std::string request =
      "POST /demo/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n";
  for (std::size_t cut = 1; cut < request.size(); cut += 3) {
    RawClient client(server_->ports()[0]);
    client.send(request.substr(0, cut));
    client.send(request.substr(cut));
    EXPECT_TRUE(client.read_response().ends_with("abcdefg")) << cut;
  }
}

TEST_F(ServerTest, StopsBodiesThatAreTooLong) {
  EXPECT_EQ(status_of("POST /demo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n"), "413");
  EXPECT_EQ(status_of("POST /demo/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n70\r\n" +
                      std::string(112, 'x') + "\r\n0\r\n\r\n"),
            "413");
  const std::string bomb = gzip(std::string(100'000, 'x'));
  ASSERT_LT(bomb.size(), 200U);
}

TEST_F(ServerTest, InflatesGzipWithinTheSameBound) {
  const auto post = [&](const std::string& body) {
    return ask(
        "POST /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  EXPECT_TRUE(post(gzip("hello")).ends_with("hello"));
  EXPECT_EQ(post(gzip(std::string(5000, 'x'))).substr(9, 3), "413");
}

TEST_F(ServerTest, RefusesSmugglingShapes) {
  const std::string get = "GET /demo/a HTTP/1.1\r\nHost: localhost\r\n";
  const std::string post = "POST /demo/a HTTP/1.1\r\nHost: localhost\r\n";
  for (const std::string& request :
       {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", post + "Content-Length: +1\r\n\r\n",
        post + "Content-Length: 1, 1\r\n\r\n", post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
        post + "Transfer-Encoding : chunked\r\n\r\n", get + "X: a\r\n b\r\n\r\n", get + "X: a\n\r\n", get + "\n\n",
        get + "X: a\rb\r\n\r\n", get + "Host: localhost\r\n\r\n", std::string("GET /demo/a HTTP/1.1\r\n\r\n"),
        get + std::string("X: a\0b\r\n\r\n", 10), std::string("GET  /demo/a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("GET /demo/../a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("GET /demo/%2e%2E HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("GET /demo/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("GET /demo/%ff HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string("GET /demo/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n")}) {
    const std::string answer = ask(request);
    EXPECT_EQ(answer.substr(9, 3), "400") << request << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << request;
  }
}

TEST_F(ServerTest, NamesWhatItDoesNotKnow) {
  const std::string rest = " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(status_of("GET /nowhere" + rest), "404");
  const std::string not_allowed = ask("DELETE /demo/a" + rest);
  EXPECT_EQ(not_allowed.substr(9, 3), "405");
  EXPECT_NE(not_allowed.find("Allow: GET, HEAD, POST, OPTIONS"), std::string::npos);
  EXPECT_EQ(status_of("BREW /demo/a" + rest), "501");
  EXPECT_EQ(status_of("GET /demo/a HTTP/2.0\r\nHost: localhost\r\n\r\n"), "505");
  EXPECT_EQ(status_of("GET /" + std::string(9000, 'a') + rest), "414");
  EXPECT_EQ(status_of("GET /demo/a HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(40'000, 'a') + "\r\n\r\n"), "431");
  EXPECT_EQ(status_of("OPTIONS /demo/a" + rest), "204");
}

TEST_F(ServerTest, AnswersOnlyForItsOwnHosts) {
  const auto get = [&](const std::string& host) {
    return status_of("GET /demo/a HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  };
  EXPECT_EQ(get("feeds.example:8080"), "200");
  EXPECT_EQ(get("localhost"), "200");
  EXPECT_EQ(get("evil.example"), "421");
}

TEST_F(ServerTest, LetsNoForeignWebPagePublish) {
  const auto post = [&](const std::string& origin) {
    return status_of("POST /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\nOrigin: " +
                     origin + "\r\n\r\n");
  };
  EXPECT_EQ(post("http://evil.example"), "403");
  EXPECT_EQ(post("null"), "403");
  EXPECT_EQ(post("http://feeds.example:8081"), "403") << "another port is another origin";
  EXPECT_EQ(post("https://feeds.example:8080"), "403") << "and another scheme";
  EXPECT_EQ(post("http://localhost:3000"), "403") << "whoever else serves on this machine";
  EXPECT_EQ(post("http://LOCALHOST"), "201") << "what the request itself names";
  EXPECT_EQ(post("http://feeds.example:8080"), "201");
}

TEST_F(ServerTest, EndsSlowHeadersAndBodiesWith408) {
  EXPECT_EQ(status_of("GET /demo/a HTTP/1.1\r\nHo"), "408");
  EXPECT_EQ(status_of("POST /demo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc"), "408");
}

TEST_F(ServerTest, ClosesIdleConnections) {
  RawClient client(server_->ports()[0]);
  client.send("GET /demo/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_response();
  EXPECT_EQ(client.read_all(), "");
}

TEST_F(ServerTest, HidesWhatABugSays) {
  const std::string answer =
      ask("POST /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbug");
  EXPECT_EQ(answer.substr(9, 3), "500");
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST_F(ServerTest, KeepsWhatPublishersSendFromRunning) {
  const std::string answer = ask("GET /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("X-Content-Type-Options: nosniff"), std::string::npos);
  EXPECT_NE(answer.find("Content-Security-Policy: default-src 'none'; sandbox"), std::string::npos);
  EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
}

TEST_F(ServerTest, SpeaksHttp10) {
  const std::string answer = ask("GET /demo/a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.substr(9, 3), "200");
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

// Who is kept waiting and goes away is not waited for.
TEST_F(ServerTest, NoticesThatAWaitingClientGoesAway) {
  const std::string request = "GET /watched HTTP/1.1\r\nHost: localhost\r\n\r\n";
  {
    RawClient client(server_->ports()[0]);
    client.send(request);
    wait_for(1, 0);
  }
  wait_for(1, 1);
  // One who has ended only his own side still gets an answer.
  RawClient half(server_->ports()[0]);
  half.send(request);
  wait_for(2, 1);
  half.end();
  EXPECT_TRUE(half.read_response().ends_with("gone"));
}

TEST_F(ServerTest, StopEndsIdleConnections) {
  RawClient client(server_->ports()[0]);
  client.send("GET /demo/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_response();
  server_->stop();
  EXPECT_EQ(client.read_all(), "");
}

}  // namespace
}  // namespace courant::http
