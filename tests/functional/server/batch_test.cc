#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::batch_test {
namespace {

constexpr const char* kFeedType = "Content-Type: application/atom+xml;type=feed\r\n";

std::string entry(int number, const std::string& content = "c") {
  return "<entry><id>urn:x:" + std::to_string(number) + "</id><title>t</title><content>" + content +
         "</content></entry>";
}
std::string batch(const std::string& entries, const std::string& more = "") {
  return "<feed xmlns='http://www.w3.org/2005/Atom'" + more + ">" + entries + "</feed>";
}

std::vector<std::string> positions_in(const std::string& page) {
  const std::string marker = "<c:log xmlns:c=\"urn:courant:log:1\" position=\"";
  std::vector<std::string> positions;
  for (std::size_t at = page.find(marker); at != std::string::npos; at = page.find(marker, at + 1)) {
    const std::size_t from = at + marker.size();
    positions.push_back(page.substr(from, page.find('"', from) - from));
  }
  return positions;
}

class BatchTest : public testing::Test {
 protected:
  Reply post(const std::string& body, const std::string& more = "") {
    return client_.post("/demo/events", body, kFeedType + more);
  }
  std::string head() { return client_.get("/demo/events").header("Feed-Position"); }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(BatchTest, IsStoredTogetherAndAnsweredInOrder) {
  const Reply reply = post(batch(entry(1) + entry(2) + entry(3)));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(positions_in(reply.body), (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(reply.header("Feed-Position"), "3");
  EXPECT_NE(reply.body.find("<link rel=\"self\" href=\"" + server_.url() + "/demo/events/entries/urn:x:2\"/>"),
            std::string::npos);
  EXPECT_EQ(head(), "3");
}

TEST_F(BatchTest, ARetryIsAnsweredWithWhatIsStored) {
  const Reply first = post(batch(entry(1) + entry(2)));
  const Reply again = post(batch(entry(1) + entry(2)));
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body);
  const Reply more = post(batch(entry(2) + entry(3)));
  EXPECT_EQ(positions_in(more.body), (std::vector<std::string>{"2", "3"}));
  EXPECT_EQ(head(), "3");
}

TEST_F(BatchTest, OneConflictAndNothingIsStored) {
  ASSERT_EQ(post(batch(entry(2))).status, 200);
  const Reply reply = post(batch(entry(1) + entry(2, "other") + entry(3)));
  EXPECT_EQ(reply.status, 409);
  EXPECT_NE(reply.body.find("\"index\":1"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find("urn:x:2"), std::string::npos);
  EXPECT_EQ(reply.body.find("urn:x:3"), std::string::npos) << "only what failed is named";
  EXPECT_EQ(head(), "1");
  EXPECT_EQ(client_.get("/demo/events/entries/urn:x:1").status, 404) << "no trace of it";
  EXPECT_EQ(post(batch(entry(1) + entry(3))).status, 200);
  EXPECT_EQ(head(), "3") << "positions have no gap";
}

TEST_F(BatchTest, TheSameIdTwiceInABatch) {
  EXPECT_EQ(post(batch(entry(1) + entry(1, "other"))).status, 409);
  const Reply same = post(batch(entry(1) + entry(1)));
  EXPECT_EQ(same.status, 200) << same.body;
  EXPECT_EQ(positions_in(same.body), (std::vector<std::string>{"1", "1"}));
  EXPECT_EQ(head(), "1");
}

TEST_F(BatchTest, InvalidEntriesAreNamedByIndexAndId) {
  const Reply reply =
      post(batch(entry(1) + "<entry><id>no iri</id></entry>" + "<entry><id>urn:x:3</id><bad/></entry>"));
  EXPECT_EQ(reply.status, 422);
  EXPECT_NE(reply.body.find("\"index\":1"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find("\"index\":2"), std::string::npos);
  EXPECT_NE(reply.body.find("urn:x:3"), std::string::npos);
  EXPECT_NE(reply.body.find("line"), std::string::npos);
  EXPECT_EQ(post(batch("")).status, 422);
}

TEST_F(BatchTest, EntriesInheritWhatTheFeedSays) {
  const Reply reply = post(
      "<a:feed xmlns:a='http://www.w3.org/2005/Atom' xmlns:x='urn:inherited' xml:lang='de' "
      "xml:base='http://b.example/d/'>"
      "<a:author><a:name>The Feed</a:name></a:author><a:id>urn:feed</a:id>"
      "<a:entry><a:id>urn:x:1</a:id><a:title>t</a:title>"
      "<a:content type='application/xml'><x:e type='x:qname'/></a:content><a:link rel='related' href='y'/></a:entry>"
      "</a:feed>");
  EXPECT_EQ(reply.status, 200) << reply.body;
  const std::string stored = client_.get("/demo/events/entries/urn:x:1").body;
  EXPECT_NE(stored.find("xml:lang=\"de\""), std::string::npos) << stored;
  EXPECT_NE(stored.find("xml:base=\"http://b.example/d/\""), std::string::npos);
  EXPECT_NE(stored.find("xmlns:x=\"urn:inherited\""), std::string::npos);
  EXPECT_NE(stored.find("<name>The Feed</name>"), std::string::npos);
}

TEST_F(BatchTest, MinimalAnswersSayWhereOnly) {
  const Reply reply = post(batch(entry(1) + entry(2)), "Prefer: return=minimal\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Preference-Applied"), "return=minimal");
  EXPECT_EQ(reply.body, "{\"entries\":[{\"location\":\"" + server_.url() +
                            "/demo/events/entries/urn:x:1\",\"position\":1},{\"location\":\"" + server_.url() +
                            "/demo/events/entries/urn:x:2\",\"position\":2}]}\n");
}

TEST_F(BatchTest, IsBounded) {
  std::string many;
  for (int number = 1; number <= 1001; ++number) many += entry(number);
  EXPECT_EQ(post(batch(many)).status, 413);
  EXPECT_EQ(post(batch(entry(1, std::string(2 << 20, 'x')))).status, 422) << "each entry has its own limit";
  EXPECT_EQ(client_
                .post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><content>" +
                                          std::string(2 << 20, 'x') + "</content></entry>")
                .status,
            413);
  many.clear();
  for (int number = 1; number <= 1000; ++number) many += entry(number);
  EXPECT_EQ(post(batch(many)).status, 200) << "more than one call's usual number";
  EXPECT_EQ(head(), "1000");
}

TEST_F(BatchTest, AKeyMakesARetryOfEntriesWithoutIds) {
  const std::string body = batch("<entry><title>a</title></entry><entry><title>b</title></entry>");
  const Reply first = post(body, "Idempotency-Key: k1\r\n");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(post(body, "Idempotency-Key: k1\r\n").body, first.body);
  EXPECT_EQ(head(), "2");
  // The same key on one entry is another request.
  const std::string one = "<entry xmlns='http://www.w3.org/2005/Atom'><title>a</title></entry>";
  EXPECT_EQ(client_.post("/demo/events", one, "Idempotency-Key: k1\r\n").status, 201);
  EXPECT_EQ(client_.post("/demo/events", one, "Idempotency-Key: k1\r\n").status, 200);
  EXPECT_EQ(head(), "3");
}

}  // namespace
}  // namespace courant::test::batch_test
