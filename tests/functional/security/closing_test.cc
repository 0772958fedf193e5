// A public workspace becomes private while readers are in the middle of it; and what one process is told, all do.
#include <nlohmann/json.hpp>

#include "tests/functional/security/fixture.h"
#include "tests/support/patience.h"
#include "tests/support/tokens.h"

namespace courant::test::closing_test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class ClosingTest : public testing::Test {
 protected:
  static std::string toml(const std::string& read) {
    return "[access]\nfailures_per_minute = 3000\n[[workspaces]]\nname = 'demo'\nauto_create = true\nread = '" + read +
           "'\naccept = ['image/*', 'application/atom+xml;type=entry']\n";
  }
  static std::string entry(const std::string& id, const std::string& words = "open") {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>" + words +
           "</title><content>c</content></entry>";
  }
  std::unique_ptr<CourantServer> start(const std::string& config) const {
    return std::make_unique<CourantServer>(with_tokens(database_.url(), config));
  }
  void serve() {
    std::ofstream(config_) << toml("public");
    server_ = start(config_);
    client_ = std::make_unique<HttpClient>(server_->port());
    all_ = tokens_.make("all", "admin", "*");
    EXPECT_TRUE(wait_until([&] { return publish("urn:x:1") == 201; }));
  }
  int publish(const std::string& id, const std::string& words = "open") {
    return client_->post("/demo/events", entry(id, words), bearer(all_)).status;
  }
  void close() {
    std::ofstream(config_) << toml("private");
    server_->process().signal(SIGHUP);
    EXPECT_TRUE(wait_until([&] { return client_->get("/demo").status == 401; }));
  }

  // Of a stream that has begun with these fields.
  void expect_no_more_after_closing(const std::string& fields) {
    RawClient stream(static_cast<std::uint16_t>(server_->port()));
    stream.send("GET /demo/events?format=events&lastEventId=0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                fields + "\r\n");
    std::string seen;
    ASSERT_TRUE(wait_until([&] {
      seen += stream.read_piece();
      return seen.find("id: 1\n") != std::string::npos;
    }));
    close();
    ASSERT_EQ(publish("urn:x:2", "hidden"), 201);
    EXPECT_THAT(stream.read_all(), Not(HasSubstr("hidden")));
  }

  TestDatabase database_;
  Tokens tokens_{database_.url()};
  const std::string config_ = scratch("closing.toml");
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
  std::string all_;
};

TEST_F(ClosingTest, AnEntityTagOfBeforeOpensNothing) {
  serve();
  const std::string tag = "If-None-Match: " + client_->get("/demo/events").header("ETag") + "\r\n";
  for (int i = 0; i < 3; ++i) ASSERT_EQ(client_->get("/demo/events", tag).status, 304) << "so that it is remembered";
  close();
  for (const std::string path : {"/demo/events", "/demo/events?format=json", "/demo/events/entries/urn:x:1"}) {
    EXPECT_EQ(client_->get(path, tag).status, 401) << path;
    EXPECT_EQ(client_->get(path).status, 401) << path;
  }
  EXPECT_EQ(client_->get("/demo/events", tag + bearer(all_)).status, 304);
}

TEST_F(ClosingTest, WhoWaitsForAPublicFeedIsToldNothingOfAPrivateOne) {
  serve();
  RawClient waiting(static_cast<std::uint16_t>(server_->port()));
  const std::string tag = client_->get("/demo/events").header("ETag");
  waiting.send("GET /demo/events HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=50\r\nIf-None-Match: " + tag + "\r\n\r\n");
  EXPECT_FALSE(waiting.has_answer_within(300ms));
  close();
  ASSERT_EQ(publish("urn:x:2", "hidden"), 201);
  const std::string reply = waiting.read_response();
  EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 401")) << reply;
  EXPECT_THAT(reply, Not(HasSubstr("hidden")));
}

TEST_F(ClosingTest, AStreamOfAPublicFeedEndsWhenItIsPrivate) {
  serve();
  expect_no_more_after_closing("");
}

// Of a token that could read there only because everybody could.
TEST_F(ClosingTest, WhoseTokenIsForElsewhereStreamsNoLongerEither) {
  serve();
  const std::string elsewhere = tokens_.make("elsewhere", "read", "other/*");
  ASSERT_TRUE(wait_until([&] { return client_->get("/demo/events", bearer(elsewhere)).status == 200; }));
  expect_no_more_after_closing(bearer(elsewhere));
}

// Their reader has them from the moment at which each piece is written, not from that at which he was let in.
TEST_F(ClosingTest, OfLongMediaNoFurtherPieceIsSent) {
  serve();
  const std::string bytes(16 << 20, 'x');  // more than is on its way at once
  const Reply posted = client_->post("/demo/events", bytes, bearer(all_) + "Content-Type: image/png\r\n");
  ASSERT_EQ(posted.status, 201) << posted.body;
  const std::string location = posted.header("Location");
  RawClient reader(static_cast<std::uint16_t>(server_->port()), kPatience, 65'536);
  reader.send("GET /demo/events/media/" + location.substr(location.rfind('/') + 1) +
              " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string begun = reader.read_bytes(1000);
  ASSERT_THAT(begun, HasSubstr("Content-Length: " + std::to_string(bytes.size())));
  close();
  EXPECT_LT(reader.read_all().size(), bytes.size() / 2);
  EXPECT_TRUE(reader.was_ended()) << "the end that comes too early tells him";
}

// By apply, beside the servers; by the API of one; each is taken up by the other.
TEST_F(ClosingTest, EveryProcessTakesUpWhatAWorkspaceHasBecome) {
  serve();
  const std::string other_config = scratch("closing_other.toml");
  std::ofstream(other_config)
      << "[access]\nfailures_per_minute = 3000\n[[workspaces]]\nname = 'own'\nauto_create = true\n";
  const std::unique_ptr<CourantServer> second = start(other_config);
  HttpClient elsewhere(second->port());
  ASSERT_TRUE(wait_until([&] { return elsewhere.get("/demo/events").status == 200; }));
  const std::string applied = scratch("closing_applied.toml");
  std::ofstream(applied) << "[[workspaces]]\nname = 'demo'\nauto_create = true\nread = 'private'\n";
  const Ran ran = tokens_.run({"apply", applied, "--yes"});
  ASSERT_EQ(ran.status, 0) << ran.output;
  EXPECT_TRUE(wait_until([&] { return client_->get("/demo/events").status == 401; }));
  EXPECT_TRUE(wait_until([&] { return elsewhere.get("/demo/events").status == 401; }));
  const Reply put =
      client_->put("/-/manage/workspaces/demo", R"({"auto_create": true, "read": "public", "max_feeds": 1})",
                   bearer(all_) + "Content-Type: application/json\r\n");
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_TRUE(wait_until([&] { return elsewhere.get("/demo/events").status == 200; }));
  const auto post = [&] { return elsewhere.post("/demo/another", entry("urn:x:1"), bearer(all_)).status; };
  EXPECT_TRUE(wait_until([&] { return post() == 507; })) << "its other settings as well";
}

}  // namespace
}  // namespace courant::test::closing_test
