// Web pages of other origins: what they are let read over every version of HTTP, by a browser, and by nobody who may
// not.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wire_server.h"

namespace courant::test::cors_test {
namespace {

using testing::HasSubstr;
using testing::Not;

const char* const kPage = "https://app.example";

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>" + std::string(2000, 'c') + "</content></entry>";
}

class CorsTest : public testing::Test {
 protected:
  CorsTest() {
    HttpClient client(server_.port());
    for (const char* const workspace : {"demo", "media"}) {
      for (int number = 1; number <= 26; ++number) {
        EXPECT_EQ(client.post("/" + std::string(workspace) + "/events", entry(number)).status, 201);
      }
    }
    EXPECT_EQ(client.remove("/demo/events/entries/urn:x:2").status, 204);
  }
  Http2Answer get(Way way, const std::string& path, Http2Client::Fields fields, const std::string& origin) const {
    if (!origin.empty()) fields.emplace_back("origin", origin);
    return ask(server_, way, "GET", path, fields);
  }

  TestDatabase database_;
  WireServer server_{database_.url(), {.workspace = "cors = ['" + std::string(kPage) + "', 'http://b.example:1']\n"}};
};

struct Asked {
  std::string path;
  Http2Client::Fields fields;
  int status;
};

TEST_F(CorsTest, AListedPageReadsEveryAnswerOfTheWorkspace) {
  const std::string tag = HttpClient(server_.port()).get("/demo/events").header("ETag");
  const std::vector<Asked> all = {{"/demo", {}, 200},
                                  {"/demo/events", {}, 200},
                                  {"/demo/events", {{"accept-encoding", "gzip"}}, 200},
                                  {"/demo/events", {{"if-none-match", tag}}, 304},
                                  {"/demo/events?format=json", {}, 200},
                                  {"/demo/events?marker=3", {}, 200},
                                  {"/demo/events?marker=27&wait=0", {}, 200},
                                  {"/demo/events/entries/urn:x:1", {}, 200},
                                  {"/demo/events/entries/urn:x:1", {{"if-none-match", "\"1\""}}, 304},
                                  {"/demo/events/archive", {}, 200},
                                  {"/demo/events/archive/1", {}, 200},
                                  {"/demo/events/archive/9", {}, 303},
                                  {"/demo/events/categories", {}, 200},
                                  {"/demo/events?limit=0", {}, 400},
                                  {"/demo/events", {{"accept", "image/png"}}, 406},
                                  {"/demo/events/entries/urn:x:none", {}, 404},
                                  {"/demo/none", {}, 404},
                                  {"/demo/events/nothing/of/the/kind", {}, 404},
                                  {"/demo/events/entries/urn:x:2", {}, 410}};
  for (const Way way : kWays) {
    for (const Asked& asked : all) {
      const Http2Answer answer = get(way, asked.path, asked.fields, kPage);
      const std::string where = asked.path + " over ";
      EXPECT_EQ(answer.status, asked.status) << where << way;
      EXPECT_EQ(answer.header("access-control-allow-origin"), kPage) << where << way;
      EXPECT_THAT(answer.header("access-control-expose-headers"), HasSubstr("ETag")) << where << way;
      EXPECT_EQ(answer.header("access-control-allow-credentials"), "");
      EXPECT_THAT(answer.header("vary"), HasSubstr("Origin")) << where << way;
      for (const char* const foreign : {"https://evil.example", "http://app.example", "null", ""}) {
        const Http2Answer other = get(way, asked.path, asked.fields, foreign);
        EXPECT_EQ(other.status, asked.status) << where << way;
        EXPECT_EQ(other.header("access-control-allow-origin"), "") << where << way << " for " << foreign;
        EXPECT_THAT(other.header("vary"), HasSubstr("Origin")) << where << way;
      }
    }
  }
}

TEST_F(CorsTest, WhatListsNothingIsAnsweredAsIfThereWereNoPages) {
  const auto without_date = [](Http2Answer answer) {
    std::erase_if(answer.headers,
                  [](const auto& field) { return field.first == "date" || field.first == "x-request-id"; });
    return answer;
  };
  for (const Way way : kWays) {
    for (const char* const path :
         {"/media/events", "/media", "/media/none", "/", "/hub", "/-/style.css", "/none/events"}) {
      const Http2Answer plain = without_date(get(way, path, {}, ""));
      const Http2Answer asked = without_date(get(way, path, {}, kPage));
      EXPECT_EQ(asked.headers, plain.headers) << path << " over " << way;
      EXPECT_EQ(plain.header("vary").find("Origin"), std::string::npos) << path;
      const Http2Client::Fields preflight = {{"origin", kPage}, {"access-control-request-method", "GET"}};
      EXPECT_EQ(without_date(ask(server_, way, "OPTIONS", path, preflight)).headers,
                without_date(ask(server_, way, "OPTIONS", path)).headers)
          << path << " over " << way;
    }
  }
}

TEST_F(CorsTest, APreflightLetsAPageReadAndNothingElse) {
  for (const Way way : kWays) {
    for (const char* const path : {"/demo/events", "/demo/none", "/demo/events/nothing/of/the/kind"}) {
      for (const char* const method : {"GET", "HEAD"}) {
        const Http2Answer let = ask(server_, way, "OPTIONS", path,
                                    {{"origin", kPage},
                                     {"access-control-request-method", method},
                                     {"access-control-request-headers", "authorization,if-none-match"}});
        EXPECT_EQ(let.status, 204) << path << way;
        EXPECT_EQ(let.header("access-control-allow-origin"), kPage) << path << way;
        EXPECT_EQ(let.header("access-control-allow-methods"), "GET, HEAD");
        EXPECT_EQ(let.header("access-control-max-age"), "7200");
        for (const char* const field : {"Authorization", "If-None-Match", "Prefer", "Last-Event-ID"}) {
          EXPECT_THAT(let.header("access-control-allow-headers"), HasSubstr(field));
        }
      }
      for (const auto& [origin, method] : std::vector<std::pair<std::string, std::string>>{
               {kPage, "POST"}, {kPage, "PUT"}, {kPage, "DELETE"}, {"https://evil.example", "GET"}, {"null", "GET"}}) {
        const Http2Answer refused =
            ask(server_, way, "OPTIONS", path, {{"origin", origin}, {"access-control-request-method", method}});
        for (const auto& [name, value] : refused.headers) EXPECT_THAT(name, Not(HasSubstr("access-control"))) << method;
      }
    }
  }
}

TEST_F(CorsTest, WhatAListedPageWouldChangeIsRefused) {
  for (const Way way : kWays) {
    const Http2Answer refused =
        ask(server_, way, "POST", "/demo/events", {{"origin", kPage}, {"content-type", "text/plain"}}, entry(99));
    EXPECT_EQ(refused.status, 403) << way;
    EXPECT_EQ(refused.header("access-control-allow-origin"), "") << way;
  }
  EXPECT_EQ(HttpClient(server_.port()).get("/demo/events/entries/urn:x:99").status, 404);
}

// The same bytes come again, and are answered from memory: to each page as the first time.
TEST_F(CorsTest, WhatIsKeptForOnePageIsGivenToNoOther) {
  const std::string tag = HttpClient(server_.port()).get("/demo/events").header("ETag");
  HttpClient client(server_.port(), false);
  PlainHttp2 connection(server_.port());
  const std::vector<std::string> origins = {kPage, "http://b.example:1", "https://evil.example", ""};
  for (const int status : {200, 304}) {
    for (int round = 0; round < 4; ++round) {
      for (const std::string& origin : origins) {
        const bool is_listed = origin == origins[0] || origin == origins[1];
        const std::string fields = (origin.empty() ? "" : "Origin: " + origin + "\r\n") +
                                   (status == 304 ? "If-None-Match: " + tag + "\r\n" : "");
        for (int again = 0; again < 3; ++again) {
          const Reply reply = client.get("/demo/events", fields);
          EXPECT_EQ(reply.status, status);
          EXPECT_EQ(reply.header("Access-Control-Allow-Origin"), is_listed ? origin : "");
          EXPECT_THAT(reply.header("Vary"), HasSubstr("Origin"));
          Http2Client::Fields same;
          if (!origin.empty()) same.emplace_back("origin", origin);
          if (status == 304) same.emplace_back("if-none-match", tag);
          const Http2Answer answer = connection.http.get("/demo/events", same);
          EXPECT_EQ(answer.status, status);
          EXPECT_EQ(answer.header("access-control-allow-origin"), is_listed ? origin : "");
        }
      }
    }
  }
}

TEST_F(CorsTest, APageFollowsEvents) {
  RawClient stream(server_.port());
  stream.send("GET /demo/events?format=events&lastEventId=0 HTTP/1.1\r\nHost: localhost\r\nOrigin: " +
              std::string(kPage) + "\r\n\r\n");
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) head += stream.read_bytes(1);
  EXPECT_THAT(head, HasSubstr("\r\nAccess-Control-Allow-Origin: " + std::string(kPage) + "\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nContent-Type: text/event-stream"));
  PlainHttp2 connection(server_.port());
  const std::int32_t events =
      connection.http.request("GET", "/demo/events?format=events&lastEventId=0", {{"origin", kPage}});
  ASSERT_TRUE(connection.http.wait_until([&] { return !connection.http.answer(events).body.empty(); }));
  EXPECT_EQ(connection.http.answer(events).header("access-control-allow-origin"), kPage);
}

// Settings that change while answers are remembered, by the server's own file and by an operator's.
class ChangingCorsTest : public testing::Test {
 protected:
  static std::string config(const std::string& settings) {
    return "[[workspaces]]\nname = 'demo'\nauto_create = true\n" + settings;
  }
  void write(const std::string& settings) const { std::ofstream(file_) << config(settings); }
  // Of a page that is full, so that nothing but the settings ends its answer; asked often enough that it is remembered.
  std::string allowed(const std::string& origin = kPage) {
    std::string seen;
    for (int i = 0; i < 3; ++i) {
      seen = client_->get("/demo/events?marker=0&limit=1", origin.empty() ? "" : "Origin: " + origin + "\r\n")
                 .header("Access-Control-Allow-Origin");
    }
    return seen;
  }

  const std::string file_ = scratch("cors.toml");
  TestDatabase database_;
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(ChangingCorsTest, HoldFromThenOnAlsoForWhatIsRemembered) {
  write("");
  server_ = std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", file_});
  client_ = std::make_unique<HttpClient>(server_->port());
  ASSERT_EQ(client_->post("/demo/events", entry(1)).status, 201);
  EXPECT_EQ(allowed(), "");
  write("cors = ['" + std::string(kPage) + "']\n");
  server_->process().signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return allowed() == kPage; }));
  EXPECT_EQ(allowed("https://b.example"), "");
  EXPECT_EQ(allowed(""), "");
  write("cors = '*'\n");
  server_->process().signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return allowed() == "*"; }));
  EXPECT_EQ(allowed("null"), "*");
  EXPECT_EQ(allowed(""), "*") << "the same to all, whoever may be given it from a cache";
  EXPECT_EQ(client_->get("/demo/events").header("Vary"), "Accept, Accept-Encoding");
  write("cors = ['https://app.example/']\n");
  server_->process().signal(SIGHUP);
  EXPECT_TRUE(wait_until([] { return CourantServer::log().find("is no origin") != std::string::npos; }));
  EXPECT_EQ(allowed(), "*") << "a file with a fault changes nothing";

  const std::string wanted = scratch("cors-wanted.toml");
  std::ofstream(wanted) << config("cors = ['https://b.example']\n");
  const std::vector<std::string> database = {"--database", database_.url()};
  const Ran applied = run_courant({"apply", wanted, "--yes", database[0], database[1]});
  EXPECT_EQ(applied.status, 0) << applied.output;
  EXPECT_TRUE(wait_until([&] { return allowed() == ""; })) << "the server has heard of it";
  EXPECT_EQ(allowed("https://b.example"), "https://b.example");
  EXPECT_THAT(run_courant({"export", database[0], database[1]}).output, HasSubstr("cors = [\"https://b.example\"]"));
}

// With tokens: "closed" is private and lists the page, "dark" is private and lists nothing, "nowhere" is not there.
class CorsAccessTest : public testing::Test {
 protected:
  explicit CorsAccessTest(const std::string& page = kPage) {
    const std::string file = scratch("cors-access.toml");
    std::ofstream(file) << "[access]\nfailures_per_minute = 3000\n"
                        << "[[workspaces]]\nname = 'news'\nauto_create = true\ncors = ['" << page << "']\n"
                        << "[[workspaces]]\nname = 'closed'\nread = 'private'\nauto_create = true\ncors = ['" << page
                        << "']\n[[workspaces]]\nname = 'dark'\nread = 'private'\nauto_create = true\n";
    server_ = std::make_unique<CourantServer>(with_tokens(database_.url(), file));
    client_ = std::make_unique<HttpClient>(server_->port());
    writer_ = tokens_.make("writer", "read,publish", "*");
    EXPECT_TRUE(wait_until([&] { return client_->get("/closed/events", bearer(writer_)).status == 404; }));
    for (const char* const workspace : {"news", "closed", "dark"}) {
      EXPECT_EQ(client_->post("/" + std::string(workspace) + "/events", entry(1), bearer(writer_)).status, 201);
    }
  }
  std::string exchanged(const std::string& method, const std::string& workspace, const std::string& fields) const {
    RawClient client(static_cast<std::uint16_t>(server_->port()));
    client.send(method + " /" + workspace + "/events HTTP/1.1\r\nHost: localhost\r\n" + fields +
                "Connection: close\r\n\r\n");
    std::string text = client.read_all();
    for (std::size_t at = 0; (at = text.find(workspace)) != std::string::npos;) text.replace(at, workspace.size(), "W");
    // The times and ids of two answers differ, and the length of the name.
    std::string kept;
    for (const std::string_view line : split(text, '\n')) {
      if (line.starts_with("Date: ") || line.starts_with("X-Request-Id: ") || line.starts_with("Content-Length: "))
        continue;
      kept.append(line).append("\n");
    }
    return kept;
  }

  TestDatabase database_;
  Tokens tokens_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
  std::string writer_;  // reads and publishes everywhere
};

TEST_F(CorsAccessTest, NoStrangerLearnsWhatIsPrivate) {
  const std::string narrow = tokens_.make("narrow", "read", "news/*");
  ASSERT_TRUE(wait_until([&] { return client_->get("/news/events", bearer(narrow)).status == 200; }));
  for (const std::string& token : {std::string(), bearer(narrow), bearer("crt_" + std::string(32, 'x'))}) {
    for (const std::string& origin :
         {std::string(), "Origin: " + std::string(kPage) + "\r\n", std::string("Origin: https://evil.example\r\n")}) {
      for (const char* const asked : {"", "GET", "POST"}) {
        const std::string fields =
            token + origin +
            (*asked == '\0' ? std::string() : "Access-Control-Request-Method: " + std::string(asked) + "\r\n");
        for (const char* const method : {"GET", "HEAD", "OPTIONS"}) {
          const std::string unknown = exchanged(method, "nowhere", fields);
          EXPECT_EQ(exchanged(method, "closed", fields), unknown) << method << "\n" << fields;
          EXPECT_EQ(exchanged(method, "dark", fields), unknown) << method << "\n" << fields;
        }
      }
    }
  }
}

TEST_F(CorsAccessTest, APageReadsWhatItsTokenMay) {
  const std::string origin = "Origin: " + std::string(kPage) + "\r\n";
  const Reply preflight = client_->get("/closed/events", origin + bearer(writer_));
  EXPECT_EQ(preflight.status, 200);
  EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), kPage);
  EXPECT_EQ(preflight.header("Vary"), "Accept, Accept-Encoding, Authorization, Origin");
  const Reply stranger = client_->get("/closed/events", origin);
  EXPECT_EQ(stranger.status, 401);
  EXPECT_EQ(stranger.header("Access-Control-Allow-Origin"), kPage) << "it sees that it has to say who it is";
  const Reply unlisted = client_->get("/dark/events", origin + bearer(writer_));
  EXPECT_EQ(unlisted.status, 200);
  EXPECT_EQ(unlisted.header("Access-Control-Allow-Origin"), "");
}

class CorsBrowserTest : public CorsAccessTest {
 protected:
  CorsBrowserTest() : CorsBrowserTest(free_port()) {}
  explicit CorsBrowserTest(int port) : CorsAccessTest("http://127.0.0.1:" + std::to_string(port)), port_(port) {
    std::filesystem::remove_all(profile_);
  }

  const int port_;
  const std::string profile_ = scratch("browser-cors-profile");
};

TEST_F(CorsBrowserTest, ABrowserLetsThePageOfAListedOriginReadAndNoOther) {
  const Ran ran =
      run_command({"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/browser_cors.py", std::to_string(port_),
                   server_->url() + "/news/events", server_->url() + "/closed/events", writer_, profile_});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.output,
            "127.0.0.1 get 200 ETag Feed-Position Link <?xml\n"
            "127.0.0.1 get again 200 ETag Feed-Position Link <?xml\n"
            "127.0.0.1 conditional get 200 ETag Feed-Position Link <?xml\n"
            "127.0.0.1 head 200 ETag Feed-Position Link\n"
            "127.0.0.1 what is not there 404 Not Found\n"
            "127.0.0.1 private 200 ETag Feed-Position Link <?xml\n"
            "127.0.0.1 private without token 401 WWW-Authenticate Unauthorized\n"
            "127.0.0.1 private with a wrong token 401 WWW-Authenticate Unauthorized\n"
            "127.0.0.1 put TypeError\n"
            "127.0.0.1 post TypeError\n"
            "127.0.0.1 events entry 1\n"
            "localhost get TypeError\n"
            "localhost get again TypeError\n"
            "localhost conditional get TypeError\n"
            "localhost head TypeError\n"
            "localhost what is not there TypeError\n"
            "localhost private TypeError\n"
            "localhost private without token TypeError\n"
            "localhost private with a wrong token TypeError\n"
            "localhost put TypeError\n"
            "localhost post TypeError\n"
            "localhost events refused\n");
  EXPECT_EQ(client_->get("/news/events").header("Feed-Position"), "1") << "nothing was published";
}

}  // namespace
}  // namespace courant::test::cors_test
