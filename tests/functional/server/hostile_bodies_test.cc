// Whatever is posted, under whatever type: it is taken or refused with a reason, the server goes on, and what it serves
// is a feed.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "http/gzip.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::hostile_bodies_test {
namespace {

constexpr std::uint32_t kSeed = 5023;
constexpr const char* kEvent =
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"urn:s\",\"type\":\"t\",\"time\":\"2026-01-01T00:00:00Z\","
    "\"data\":{\"a\":[1,2.5,null,true,\"\\u00e4\"]}}";

// The bodies that fuzzing begins with, and two in JSON; by name.
std::map<std::string, std::string> originals() {
  std::map<std::string, std::string> all;
  for (const auto& file : std::filesystem::directory_iterator(COURANT_SOURCE_DIR "/tests/fuzz/corpus/door")) {
    all[file.path().filename()] = contents_of(file.path());
  }
  all["event"] = kEvent;
  all["events"] = "[" + std::string(kEvent) + "," + kEvent + "]";
  return all;
}

// Cut at every 7th byte; bytes flipped, taken out and doubled by chance.
std::vector<std::string> mutations_of(const std::string& original, std::mt19937& random) {
  std::vector<std::string> all = {original};
  for (std::size_t length = 0; length < original.size(); length += 7) all.push_back(original.substr(0, length));
  const auto place = [&] { return std::uniform_int_distribution<std::size_t>(0, original.size() - 1)(random); };
  for (int i = 0; i < 20 && !original.empty(); ++i) {
    std::string flipped = original;
    for (int flips = i % 4; flips >= 0; --flips) {
      flipped[place()] ^= static_cast<char>(std::uniform_int_distribution<int>(1, 255)(random));
    }
    all.push_back(flipped);
    std::string shorter = original;
    shorter.erase(place(), 1 + place() % 9);
    all.push_back(shorter);
    std::string doubled = original;
    doubled.insert(place(), original.substr(place(), 40));
    all.push_back(doubled);
  }
  return all;
}

class HostileBodies : public testing::Test {
 protected:
  // A refusal has its reason as a problem document.
  void judge(const Reply& reply, const std::string& what) {
    ASSERT_TRUE(reply.status / 100 == 2 || reply.status / 100 == 4) << what << ": " << reply.status << reply.body;
    ++(reply.status / 100 == 2 ? taken_ : refused_);
    if (reply.status / 100 != 4) return;
    const auto problem = nlohmann::json::parse(reply.body, nullptr, false);
    ASSERT_TRUE(problem.is_object()) << what << reply.body;
    EXPECT_EQ(problem["status"], reply.status);
    EXPECT_NE(problem["detail"], "") << what;
  }
  // The whole feed, from its first entry on, in every form.
  void read_all() {
    for (const char* const format : {"atom", "rss", "json", "cloudevents", "html"}) {
      std::string target = "/demo/events?marker=0&limit=200&format=" + std::string(format);
      const Reply reply = client_.get(target);
      ASSERT_EQ(reply.status, 200) << format;
      pugi::xml_document document;
      const bool is_json = std::string(format) == "json" || std::string(format) == "cloudevents";
      if (is_json) {
        EXPECT_FALSE(nlohmann::json::parse(reply.body, nullptr, false).is_discarded()) << format;
      } else if (std::string(format) != "html") {
        EXPECT_TRUE(document.load_string(reply.body.c_str())) << format;
      }
    }
    EXPECT_EQ(client_.get("/-/health/live").status, 200);
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
  int taken_ = 0;
  int refused_ = 0;
};

TEST_F(HostileBodies, AreTakenOrRefusedWithAReason) {
  const std::vector<std::string> types = {"",
                                          "application/atom+xml;type=entry",
                                          "application/atom+xml;type=feed",
                                          "application/cloudevents+json",
                                          "application/cloudevents-batch+json",
                                          "image/png"};
  std::mt19937 random(kSeed);
  for (const auto& [name, original] : originals()) {
    int number = 0;
    for (const std::string& body : mutations_of(original, random)) {
      const std::string what = name + " " + std::to_string(++number) + " of seed " + std::to_string(kSeed);
      for (const std::string& type : types) {
        judge(client_.post("/demo/events", body, type.empty() ? "" : "Content-Type: " + type + "\r\n"), what + type);
      }
      // In a batch, between two that are well; and as what PUT brings.
      const std::string well = "<entry><id>urn:well:" + std::to_string(number) + "</id></entry>";
      judge(client_.post("/demo/events", "<feed xmlns='http://www.w3.org/2005/Atom'>" + well + body + "</feed>"), what);
      judge(client_.put("/demo/events/entries/urn:put:" + std::to_string(number), body), what + " put");
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(taken_, 100);
  EXPECT_GT(refused_, 1000);
  read_all();
}

TEST_F(HostileBodies, GzipThatIsNoneIsRefused) {
  std::mt19937 random(kSeed);
  const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:z</id><content>c</content></entry>";
  const std::string packed = http::gzip(entry);
  int number = 0;
  for (const std::string& body : mutations_of(packed, random)) {
    judge(client_.post("/demo/gzip", body, "Content-Encoding: gzip\r\n"), "gzip " + std::to_string(++number));
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(refused_, 50);
  judge(client_.post("/demo/gzip", entry, "Content-Encoding: gzip\r\n"), "plain");
}

// Json that is deep, wide, or of the wrong types.
TEST_F(HostileBodies, JsonThatIsNoEventIsRefused) {
  const auto post = [&](const std::string& body) {
    for (const char* const type : {"application/cloudevents+json", "application/cloudevents-batch+json"}) {
      judge(client_.post("/demo/events", body, "Content-Type: " + std::string(type) + "\r\n"), body.substr(0, 80));
    }
  };
  for (const char* const wrong :
       {"null", "1", "\"\"", "true", "{}", "[]", "[[]]", "[null]", "[{}]", "{\"specversion\":1}", "1e999",
        "{\"a\":\"\\ud800\"}", "\xEF\xBB\xBF{}", "nul", "{\"a\":}", "[1,]"}) {
    post(wrong);
  }
  EXPECT_EQ(taken_, 0);
  const std::string head = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"urn:s\",\"type\":\"t\"";
  for (const char* const member : {"\"id\":{}",
                                   "\"id\":\"\"",
                                   "\"source\":5",
                                   "\"source\":\"\"",
                                   "\"type\":[]",
                                   "\"time\":\"soon\"",
                                   "\"time\":7",
                                   "\"subject\":null",
                                   "\"data_base64\":\"?\"",
                                   "\"data_base64\":5",
                                   "\"data\":1,\"data_base64\":\"YQ==\"",
                                   "\"datacontenttype\":5",
                                   "\"ext\":{}",
                                   "\"\":\"\"",
                                   "\"a b\":1",
                                   "\"x\":\"\\u0000\"",
                                   "\"data\":\"\\u0000\\uffff\"",
                                   "\"id\":\"\\u0000\"",
                                   "\"type\":\"\\u0001\\ufffe\"",
                                   "\"dataschema\":\"no iri\"",
                                   "\"xmlns\":\"y\"",
                                   "\"data\":\"]]>\"",
                                   "\"n\":1e400",
                                   "\"n\":18446744073709551616"}) {
    post(head + "," + member + "}");
  }
  post(head + ",\"data\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}");
  post(std::string(200'000, '['));
  std::string wide = head;
  for (int i = 0; i < 20'000; ++i) wide += ",\"e" + std::to_string(i) + "\":\"" + std::to_string(i) + "\"";
  post(wide + "}");
  // As much as is read at all, in one object: quadratic work would take hours.
  std::string most = "{\"data\":{";
  for (int i = 0; most.size() < 4'000'000; ++i) most += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  post(most + "}}");
  read_all();
}

}  // namespace
}  // namespace courant::test::hostile_bodies_test
