// The log of the real program: requests in it, their ids, and what never is.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/database_relay.h"
#include "tests/support/raw_client.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::log_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const char* const kEntry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>";

class LogTest : public testing::Test {
 protected:
  LogTest() { std::filesystem::remove(scratch("courant-under-test.log")); }  // of an earlier run

  void serve(const std::string& lines, const std::string& database = {}) {
    const std::string config = scratch("log.toml");
    std::ofstream(config) << "[log]\n" << lines << "[[workspaces]]\nname = \"demo\"\nauto_create = true\n";
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database.empty() ? database_.url() : database, "--config", config});
  }

  static std::string log() { return CourantServer::log(); }

  // The lines whose message is this one.
  static std::vector<json> lines(const std::string& message) {
    std::vector<json> found;
    std::ifstream file(scratch("courant-under-test.log"));
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with("{")) continue;  // the greeting
      const json object = json::parse(line);
      if (object.at("message") == message) found.push_back(object);
    }
    return found;
  }
  static json line(const std::string& message) {
    EXPECT_TRUE(wait_until([&] { return !lines(message).empty(); })) << message;
    const std::vector<json> found = lines(message);
    return found.empty() ? json() : found.back();
  }

  TestDatabase database_;
  std::unique_ptr<CourantServer> server_;
};

TEST_F(LogTest, HasNoLineForRequestsThatAreWell) {
  serve("format = \"json\"\nslow = \"0s\"\n");
  HttpClient client(server_->port());
  client.post("/demo/events", kEntry);
  client.get("/demo/events");
  client.get("/demo/nothing");
  server_->process().signal(SIGTERM);
  EXPECT_EQ(server_->process().wait(), 0);
  EXPECT_EQ(line("stopping").at("signal"), SIGTERM) << "what waited was written at the end";
  EXPECT_TRUE(lines("request").empty());
}

TEST_F(LogTest, HasALineForEveryRequestWhereItIsAskedFor) {
  serve("format = \"json\"\nrequests = \"all\"\nslow = \"0s\"\n");
  HttpClient client(server_->port());
  client.post("/demo/events", kEntry);
  for (int i = 0; i < 5; ++i) client.get("/demo/events?limit=7");
  const auto gets = [] {
    std::vector<json> found;
    for (const json& object : lines("request")) {
      if (object.at("method") == "GET" && object.at("path") == "/demo/events") found.push_back(object);
    }
    return found;
  };
  EXPECT_TRUE(wait_until([&] { return gets().size() == 5; }));
  std::set<std::string> ids;
  for (const json& get : gets()) {
    ids.insert(get.at("request"));
    EXPECT_EQ(get.at("status"), 200);
    EXPECT_EQ(get.at("route"), "/{workspace}/{feed}");
    EXPECT_EQ(get.at("client"), "127.0.0.1");
    EXPECT_GT(get.at("bytes"), 100);
    EXPECT_GE(get.at("milliseconds"), 0.0);
  }
  EXPECT_EQ(ids.size(), 5U) << "each has an id of its own";
}

TEST_F(LogTest, HasALineForErrorsAndForSlowRequests) {
  serve("format = \"json\"\nrequests = \"errors\"\nslow = \"0s\"\n");
  HttpClient(server_->port()).get("/demo/nothing");
  EXPECT_EQ(line("request").at("status"), 404);
  server_.reset();
  serve("format = \"json\"\nslow = \"1ms\"\n");
  HttpClient client(server_->port());
  EXPECT_TRUE(wait_until([&] {
    client.post("/demo/events", kEntry);
    return !lines("request was slow").empty();
  }));
  EXPECT_EQ(line("request was slow").at("method"), "POST");
}

// By its id the operator finds what a client complains of.
TEST_F(LogTest, AFailureHasTheIdThatItsAnswerHas) {
  auto relay = std::make_unique<DatabaseRelay>(database_.url());
  serve("format = \"json\"\n", relay->url());
  HttpClient client(server_->port());
  EXPECT_EQ(client.post("/demo/events", kEntry).status, 201);
  EXPECT_EQ(client.get("/demo/events").header("X-Request-Id"), "");
  relay.reset();
  Reply failed;
  EXPECT_TRUE(wait_until([&] {
    failed = client.get("/demo/unknown");
    return failed.status == 503;
  }));
  EXPECT_NE(failed.header("X-Request-Id"), "");
  EXPECT_EQ(line("request not taken").at("request"), failed.header("X-Request-Id"));
}

TEST_F(LogTest, HoldsNoSecretsWhateverIsLogged) {
  serve("requests = \"all\"\nlevel = \"debug\"\n");
  RawClient client(server_->port());
  client.send(
      "GET /demo/events?signature=s3cret1&token=s3cret2 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
      "s3cret3\r\n"
      "Cookie: s3cret4\r\nIdempotency-Key: s3cret5\r\nUser-Agent: s3cret6\r\n\r\n");
  client.read_response();
  client.send("GET /hub/s/s3cret7 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_response();
  client.send("GET /hub/s/s3cret8/preview?x=s3cret9 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_response();
  // However such a URL is mistyped, and whatever is wrong with the request besides.
  for (const char* const wrong :
       {"GET /hub/s/s3cret10/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%68ub/s/s3cret16 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /hub/%73/s3cret17/preview HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /hub%2fs%2Fs3cret18 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET //hub/s/s3cret19 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /Hub/s/s3cret20%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /x/../%68ub/s/s3cret21 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /hub/s/s3cret11/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "DELETE /hub/s/s3cret12 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /hub/s/s3cret13 HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
        "POST /hub/s/s3cret14 HTTP/1.1\r\nHost: localhost\r\nOrigin: http://elsewhere.example\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b",
        "GET /hub/s/s3cret15 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer crt_wrong\r\n\r\n"}) {
    RawClient another(server_->port());
    another.send(wrong);
    another.read_response();
  }
  client.send("GET /last HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_response();
  EXPECT_TRUE(wait_until([] { return log().find("path=/last ") != std::string::npos; }));
  EXPECT_THAT(log(), HasSubstr("path=/demo/events "));
  EXPECT_THAT(log(), HasSubstr("path=/hub/s/{token} "));
  EXPECT_THAT(log(), Not(HasSubstr("s3cret")));
}

// What a client sends ends no line and begins none.
TEST_F(LogTest, CannotBeForged) {
  serve("requests = \"all\"\n");
  RawClient client(server_->port());
  client.send("GET /demo/%0d%0a2026-01-01T00:00:00.000Z%20error%20forged%1b[2J HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_response();
  client.send("FORGED\x0b /demo/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_response();
  EXPECT_TRUE(wait_until([] { return log().find("status=4") != std::string::npos; }));
  EXPECT_THAT(log(), Not(HasSubstr("\n2026-01-01T00:00:00.000Z error")));
  for (const char c : log()) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
}

}  // namespace
}  // namespace courant::test::log_test
