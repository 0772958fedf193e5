// Pages in content codings: gzip at once, br and zstd once they are in memory.
#include <chrono>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "tests/support/courant_server.h"
#include "tests/support/decoded.h"
#include "tests/support/patience.h"
#include "tests/support/test_database.h"

namespace courant::test::coding_test {
namespace {

const std::vector<std::string> kCodings = {"gzip", "br", "zstd"};

std::string entry(const std::string& id) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id + "</id><title>of " + id +
         "</title><category term='t'/></entry>";
}

class CodingTest : public testing::Test {
 protected:
  void publish(const std::string& feed, int first, int last) {
    for (int i = first; i <= last; ++i)
      ASSERT_EQ(client_.post("/demo/" + feed, entry(std::to_string(i))).status, 201) << i;
  }
  Reply get(const std::string& target, const std::string& accepted, const std::string& known = {}) {
    return client_.get(
        target, "Accept-Encoding: " + accepted + "\r\n" + (known.empty() ? "" : "If-None-Match: " + known + "\r\n"));
  }
  // The first answer in the coding: br and zstd are made in spare time, by those who ask.
  Reply await(const std::string& target, const std::string& coding) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    Reply reply = get(target, coding + ", gzip;q=0.5");
    while (reply.status == 200 && reply.header("Content-Encoding") != coding) {
      if (std::chrono::steady_clock::now() > give_up) break;
      std::this_thread::yield();
      reply = get(target, coding + ", gzip;q=0.5");
    }
    EXPECT_EQ(reply.header("Content-Encoding"), coding) << target << " does not come in it";
    return reply;
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(CodingTest, EveryPageComesInEveryCoding) {
  publish("events", 1, 60);
  for (const char* const target :
       {"/demo/events", "/demo/events?limit=40", "/demo/events?marker=30&direction=backward",
        "/demo/events?format=json", "/demo/events?search=(NOT(cat=x))", "/demo/events/archive/1"}) {
    SCOPED_TRACE(target);
    const Reply plain = client_.get(target);
    ASSERT_EQ(plain.status, 200);
    EXPECT_EQ(plain.header("Content-Encoding"), "");
    for (const std::string& coding : kCodings) {
      const Reply coded = await(target, coding);
      EXPECT_EQ(decoded(coding, coded.body), plain.body) << coding;
      EXPECT_LT(coded.body.size(), plain.body.size() / 2);
      EXPECT_EQ(coded.header("Vary"), plain.header("Vary"));
      EXPECT_NE(coded.header("Vary").find("Accept-Encoding"), std::string::npos);
      EXPECT_EQ(coded.header("Content-Type"), plain.header("Content-Type"));
      EXPECT_EQ(coded.header("Cache-Control"), plain.header("Cache-Control"));
      EXPECT_EQ(coded.header("Link"), plain.header("Link"));
    }
  }
}

TEST_F(CodingTest, APageThatIsNewComesInGzipFirst) {
  publish("events", 1, 30);
  const std::string accepted = "gzip, deflate, br, zstd";
  EXPECT_EQ(get("/demo/events", accepted).header("Content-Encoding"), "gzip");
  await("/demo/events", "br");
  EXPECT_EQ(get("/demo/events", accepted).header("Content-Encoding"), "br") << "of what is liked alike, our order";
  publish("events", 31, 31);
  const Reply next = get("/demo/events", accepted);
  EXPECT_EQ(next.header("Content-Encoding"), "gzip") << "another page";
  EXPECT_EQ(next.header("Feed-Position"), "31");
  EXPECT_EQ(decoded("br", await("/demo/events", "br").body), client_.get("/demo/events").body);
}

// What a page is kept under holds text of a client's.
TEST_F(CodingTest, NoSearchNamesTheCodedFormOfAnotherPage) {
  publish("events", 1, 30);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/demo/events?search=%2Bt", "gzip").header("Content-Encoding"), "gzip");
  for (const char* const target : {"/demo/events?search=%2Bt%0Agzip", "/demo/events?search=gzip%0A%2Bt"}) {
    const Reply other = client_.get(target);
    EXPECT_EQ(other.header("Content-Encoding"), "") << target;
    EXPECT_EQ(other.body.find("urn:x:30"), std::string::npos) << target;
  }
}

TEST_F(CodingTest, WhoTakesNothingElseIsMadeIt) {
  publish("events", 1, 30);
  const char* const kShort = "/demo/events?marker=30&format=json";
  for (const std::string& coding : kCodings) {
    for (const char* const target : {"/demo/events?limit=20", kShort, "/demo/events/archive/1"}) {
      const Reply coded = get(target, coding + ", identity;q=0");
      EXPECT_EQ(coded.header("Content-Encoding"), coding) << target;
      EXPECT_EQ(decoded(coding, coded.body), client_.get(target).body) << target;
    }
    EXPECT_EQ(get(kShort, coding).header("Content-Encoding"), "") << "it is not worth it";
  }
}

TEST_F(CodingTest, OneWeakTagNamesAPageThatGrowsInAllCodings) {
  publish("events", 1, 30);
  const std::string etag = client_.get("/demo/events").header("ETag");
  ASSERT_TRUE(etag.starts_with("W/")) << etag;
  for (const std::string& coding : kCodings) {
    EXPECT_EQ(await("/demo/events", coding).header("ETag"), etag);
    const Reply unchanged = get("/demo/events", coding, etag);
    EXPECT_EQ(unchanged.status, 304);
    EXPECT_EQ(unchanged.header("ETag"), etag);
    EXPECT_EQ(unchanged.header("Content-Encoding"), "");
  }
}

TEST_F(CodingTest, AnArchivePageHasATagAndADigestInEachCoding) {
  publish("events", 1, 25);
  const std::string target = "/demo/events/archive/1";
  const Reply plain = client_.get(target);
  const std::string etag = plain.header("ETag");
  std::map<std::string, std::string> tags = {{"identity", etag}};
  for (const std::string& coding : kCodings) {
    const Reply coded = await(target, coding);
    EXPECT_EQ(coded.header("ETag"), etag.substr(0, etag.size() - 1) + "-" + coding + "\"");
    EXPECT_EQ(coded.header("Repr-Digest"), "sha-256=:" + to_base64(bytes_of(sha256(coded.body))) + ":");
    tags[coding] = coded.header("ETag");
  }
  // RFC 9110 section 13.1.2: who has any form of it that he can read has it, and is told which one.
  for (const auto& [coding, tag] : tags) {
    for (const std::string accepted : {"gzip, br, zstd", "zstd, *;q=0.1", "*"}) {
      const Reply unchanged = get(target, accepted, "\"x\", " + tag);
      EXPECT_EQ(unchanged.status, 304) << tag << " with " << accepted;
      EXPECT_EQ(unchanged.header("ETag"), tag);
      EXPECT_EQ(unchanged.header("Vary"), "Accept-Encoding");
      EXPECT_EQ(unchanged.header("Cache-Control"), plain.header("Cache-Control"));
    }
    const int with_nothing_else = get(target, "identity", tag).status;
    EXPECT_EQ(with_nothing_else, coding == "identity" ? 304 : 200) << "a cache may have it, the client cannot read it";
  }
}

TEST_F(CodingTest, UnknownCodingsAreIgnoredAndNothingToReadIsRefused) {
  publish("events", 1, 30);
  for (const char* const target : {"/demo/events", "/demo/events/archive/1"}) {
    for (const char* const accepted : {"deflate", "compress, dcz, x", "deflate, br;q=0", ""}) {
      const Reply plain = get(target, accepted);
      EXPECT_EQ(plain.status, 200) << accepted;
      EXPECT_EQ(plain.header("Content-Encoding"), "") << accepted;
    }
    const Reply refused = get(target, "deflate, identity;q=0");
    EXPECT_EQ(refused.status, 406);
    EXPECT_NE(refused.body.find("br, zstd, gzip and identity"), std::string::npos) << refused.body;
  }
}

// RFC 9110 section 8.8.3: entity tags of entries in any coding of ours name the entry.
TEST_F(CodingTest, ConditionsOnEntriesTakeTheTagsOfAllCodings) {
  publish("events", 1, 1);
  const std::string url = "/demo/events/entries/urn:x:1";
  const std::string edited = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:1</id><title>";
  EXPECT_EQ(client_.put(url, edited + "a</title></entry>", "If-Match: \"2-br\"\r\n").status, 412);
  EXPECT_EQ(client_.put(url, edited + "a</title></entry>", "If-Match: \"1-br\"\r\n").status, 200);
  EXPECT_EQ(client_.put(url, edited + "b</title></entry>", "If-Match: \"7\", \"2-zstd\"\r\n").status, 200);
  EXPECT_EQ(client_.put(url, edited + "c</title></entry>", "If-None-Match: W/\"3-br\"\r\n").status, 412);
  EXPECT_EQ(client_.remove(url, "If-Match: \"3-gzip\"\r\n").status, 204);
}

}  // namespace
}  // namespace courant::test::coding_test
