// Clients that nobody wants, many at once, against the program: what it turns away shows in /metrics, what was there
// goes on, and its memory stays bounded. One at a time, what each limit answers stands in
// conformance/server/limits_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/support/memory.h"
#include "tests/support/sanitized.h"
#include "tests/support/test_database.h"
#include "tests/support/wire_server.h"

namespace courant::test::abuse_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const char* const kLimits = "courant_http_limits_total";
const char* const kConnections = "courant_http_connections";
const std::string kGet = "GET /-/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::size_t kBody = 24 << 20;

class AbuseTest : public testing::Test {
 protected:
  void serve(const WireSettings& settings) { server_ = std::make_unique<WireServer>(database_.url(), settings); }
  std::unique_ptr<RawClient> connect() const { return std::make_unique<RawClient>(server_->port()); }
  bool counts(const std::string& metric, double least) {
    return wait_until([&] { return server_->metric(metric) >= least; });
  }
  bool is_well() const { return ask(*server_, Way::kPlain, "GET", "/-/health/live").status == 200; }
  // Whether somebody who was there before is still served.
  static bool goes_on(RawClient& client) {
    client.send(kGet);
    return client.read_response().starts_with("HTTP/1.1 200 ");
  }
  // The path of a long resource.
  std::string publish_media() const {
    const Http2Answer posted =
        ask(*server_, Way::kPlain, "POST", "/media/files", {{"content-type", "image/png"}}, std::string(kBody, 'x'));
    EXPECT_EQ(posted.status, 201) << posted.body;
    const std::size_t at = posted.body.find("src=\"") + 5;
    return WireServer::target_of(posted.body.substr(at, posted.body.find('"', at) - at));
  }
  std::size_t descriptors() const { return open_descriptors(server_->process().id()); }
  std::size_t peak() const { return peak_memory(server_->process().id()); }

  TestDatabase database_;
  std::unique_ptr<WireServer> server_;
};

// Drop by drop: what counts is the time since the first byte, not since the last.
TEST_F(AbuseTest, SlowHeadersEnd) {
  serve({.limits = "header_timeout = \"1s\"\n"});
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(connect());
    slow.back()->send("GET / HTTP/1.1\r\nX: ");
  }
  const auto drip = [&] {
    for (const auto& client : slow) client->send("a");
    return server_->metric(kLimits) >= 100;
  };
  EXPECT_TRUE(wait_until(drip));
  for (const auto& client : slow) EXPECT_THAT(client->read_response(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(is_well());
}

TEST_F(AbuseTest, SlowBodiesEnd) {
  serve({.limits = "body_timeout = \"1s\"\n"});
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(connect());
    slow.back()->send("POST /demo/events HTTP/1.1\r\nHost: localhost\r\n");
    slow.back()->send(i % 2 == 0 ? "Content-Length: 1000000\r\n\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
  }
  const auto drip = [&] {
    for (std::size_t i = 0; i < slow.size(); ++i) slow[i]->send(i % 2 == 0 ? "a" : "1\r\na\r\n");
    return server_->metric(kLimits) >= 100;
  };
  EXPECT_TRUE(wait_until(drip));
  for (const auto& client : slow) EXPECT_THAT(client->read_response(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(is_well());
}

// Whoever asks for much and reads nothing of it holds a piece of it, for a while.
TEST_F(AbuseTest, ReadersThatStopAreDroppedAndHoldLittle) {
  serve({.limits = "write_timeout = \"2s\"\nmax_media_bytes = \"64MiB\"\n"});
  const std::string media = publish_media();
  const std::size_t before = peak();
  constexpr int kReaders = 30;
  std::vector<std::unique_ptr<RawClient>> stopped;
  std::vector<std::unique_ptr<PlainHttp2>> stalled;
  for (int i = 0; i < kReaders; ++i) {
    stopped.push_back(connect());
    stopped.back()->send("GET " + media + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stalled.push_back(std::make_unique<PlainHttp2>(
        server_->port(), std::vector<nghttp2_settings_entry>{{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}}, true));
    stalled.back()->http.request("GET", media);
  }
  EXPECT_TRUE(counts(kLimits, 2 * kReaders));
  for (const auto& client : stopped) EXPECT_LT(client->read_all().size(), kBody);
  EXPECT_TRUE(is_well());
  if (!is_sanitized()) {
    EXPECT_LT(peak(), before + 2 * kBody) << "not a copy for each";
  }
}

// A client that vanishes says nothing more, not even that it ends.
TEST_F(AbuseTest, HalfOpenConnectionsEnd) {
  serve({.limits = "idle_timeout = \"1s\"\n"});
  std::vector<std::unique_ptr<RawClient>> vanished;
  for (int i = 0; i < 50; ++i) {
    vanished.push_back(connect());
    if (i % 2 == 0) {
      EXPECT_TRUE(goes_on(*vanished.back()));
    }
  }
  EXPECT_TRUE(wait_until([&] { return server_->metric(kConnections) == 0; }));
  EXPECT_TRUE(is_well());
}

// What is pushed to a reader of events is little: it all fits into what the system keeps for the reader, so that only
// the system notices that nothing of it arrives.
TEST_F(AbuseTest, ReadersOfEventsThatVanishEnd) {
  serve({.limits = "write_timeout = \"1s\"\n"});
  const std::string long_one(8000, 'x');
  const std::string entry =
      "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>" + long_one + "</content></entry>";
  ASSERT_EQ(ask(*server_, Way::kPlain, "POST", "/demo/events", {}, entry).status, 201);
  constexpr int kFew = 2048;
  RawClient vanished(server_->port(), kPatience, kFew);
  vanished.send("GET /demo/events?format=events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(vanished.read_response(), StartsWith("HTTP/1.1 200 "));
  ASSERT_EQ(ask(*server_, Way::kPlain, "POST", "/demo/events", {}, entry).status, 201);
  EXPECT_TRUE(counts("courant_http_limits_total{limit=\"stopped_reader\"}", 1));
  EXPECT_TRUE(wait_until([&] { return server_->metric(kConnections) == 0; }));
}

TEST_F(AbuseTest, FloodsOfConnectionsAreTurnedAway) {
  serve({.server = "max_connections = 20\n"});
  const auto before = connect();
  EXPECT_TRUE(goes_on(*before));
  {
    std::vector<std::unique_ptr<RawClient>> flood;
    for (int i = 0; i < 200; ++i) flood.push_back(connect());
    EXPECT_TRUE(counts("courant_http_limits_total{limit=\"connection_flood\"}", 181));
    EXPECT_EQ(server_->metric(kConnections), 20);
    EXPECT_TRUE(goes_on(*before));
  }
  EXPECT_TRUE(wait_until([&] { return is_well(); })) << "when they have gone, others are served";
  EXPECT_TRUE(goes_on(*before));
}

// The limit of the system is met before ours: nothing that is there breaks, and accepting goes on afterwards.
TEST_F(AbuseTest, RunningOutOfDescriptorsEndsNothing) {
  serve({});
  const auto before = connect();
  EXPECT_TRUE(goes_on(*before));
  EXPECT_EQ(server_->metric("courant_http_accept_faults_total"), 0);
  HttpClient publisher(server_->port());
  const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>";
  EXPECT_EQ(publisher.post("/demo/events", entry).status, 201);
  const rlimit limit{descriptors() + 20, descriptors() + 20};
  ASSERT_EQ(::prlimit(server_->process().id(), RLIMIT_NOFILE, &limit, nullptr), 0);
  {
    std::vector<std::unique_ptr<RawClient>> flood;
    for (int i = 0; i < 200; ++i) flood.push_back(connect());  // the system takes them, we cannot
    EXPECT_TRUE(wait_until([&] { return descriptors() >= limit.rlim_cur; }));
    EXPECT_TRUE(goes_on(*before));
    // Storing may need a connection to the database that is not there yet: then it is put off, and said so.
    EXPECT_THAT(publisher.post("/demo/events", entry).status, testing::AnyOf(201, 503));
  }
  EXPECT_TRUE(wait_until([&] { return is_well(); }));
  EXPECT_TRUE(goes_on(*before));
  EXPECT_TRUE(counts("courant_http_accept_faults_total", 1));
  EXPECT_TRUE(wait_until([&] { return publisher.post("/demo/events", entry).status == 201; }));
}

// Where the system lets a process open few files, those that publishing needs are not for connections.
TEST_F(AbuseTest, AFloodLeavesPublishingTheFilesThatItNeeds) {
  const int port = free_port();
  Process server(
      {"/usr/bin/prlimit", "--nofile=720:720", courant_program(), "serve", "--database", database_.url(), "--data",
       scratch("few-files"), "--operations", "", "--access", "open", "--listen", "127.0.0.1:" + std::to_string(port)},
      scratch("few-files.log"));
  ASSERT_TRUE(wait_until([&] { return HttpClient(port).get("/-/health/live").status == 200; }));
  HttpClient publisher(port);
  ASSERT_EQ(publisher.get("/-/health/live").status, 200);
  std::vector<std::unique_ptr<RawClient>> flood;
  for (int i = 0; i < 750; ++i) flood.push_back(std::make_unique<RawClient>(port));
  const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>";
  for (int i = 0; i < 20; ++i) EXPECT_EQ(publisher.post("/demo/events", entry).status, 201);
  EXPECT_LT(open_descriptors(server.id()), 200U);
}

// Everything as long as can be, from many at once: each is refused as soon as it is too long, and nothing is kept.
TEST_F(AbuseTest, OversizedRequestsAreRefusedAndNotKept) {
  serve({});
  const std::size_t before = peak();
  const std::string much(1 << 20, 'a');
  const std::string post = "POST /demo/events HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 20; ++i) {
    for (const auto& [begin, status] : std::vector<std::pair<std::string, std::string>>{
             {"GET /", "414"},
             {"GET / HTTP/1.1\r\nX: ", "431"},
             {post + "Content-Length: 99999999999\r\n\r\n", "413"},
             {post + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n", "413"},
             {post + "Transfer-Encoding: chunked\r\n\r\n1;", "400"}}) {
      const auto client = connect();
      client->send(begin);
      for (int piece = 0; piece < 20 && !client->has_answer_within(std::chrono::milliseconds(0)); ++piece) {
        client->send(much);
      }
      EXPECT_THAT(client->read_response(), StartsWith("HTTP/1.1 " + status)) << begin;
    }
  }
  EXPECT_TRUE(counts("courant_http_refused_total", 100));
  EXPECT_TRUE(is_well());
  if (!is_sanitized()) {
    EXPECT_LT(peak(), before + (std::size_t{64} << 20)) << "all of it was 2 GB";
  }
}

// A connection of HTTP/2 may send a hundred bodies at once, and makes us keep no more than one of them may be long.
TEST_F(AbuseTest, ManyBodiesOnOneConnectionAreNotKept) {
  serve({});
  const std::size_t before = peak();
  std::vector<std::unique_ptr<PlainHttp2>> connections;
  for (int i = 0; i < 4; ++i) {
    connections.push_back(std::make_unique<PlainHttp2>(server_->port()));
    Http2Client& http = connections.back()->http;
    std::vector<std::int32_t> streams;
    for (int j = 0; j < 90; ++j) {
      streams.push_back(http.request("POST", "/demo/events", {}, std::string(1 << 20, 'a'), "localhost", true));
    }
    int refused = 0;
    EXPECT_TRUE(http.wait_until([&] {
      refused = 0;
      for (const std::int32_t stream : streams) refused += http.answer(stream).is_over ? 1 : 0;
      return refused > 60;
    })) << refused;
    EXPECT_EQ(http.get("/-/health/live").status, 200);
  }
  if (!is_sanitized()) {
    EXPECT_LT(peak(), before + (std::size_t{160} << 20)) << "all of it was 360 MB";
  }
}

}  // namespace
}  // namespace courant::test::abuse_test
