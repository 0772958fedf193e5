// Filters as clients send them: every word of refusal, percent-encoding, and each form of a page.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernel/uri.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::filter_statuses_test {
namespace {

using nlohmann::json;

class FilterStatuses : public testing::Test {
 protected:
  FilterStatuses() {
    publish(1, "tid:1");
    publish(2, "a+b");
    publish(3, "a b");
    publish(4, "\xC3\x84pfel");
    publish(5, "100%");
    publish(6, "x=y&amp;z");
  }
  void publish(int number, const std::string& term) {
    const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                              "</id><title>t" + std::to_string(number) + "</title><category term='" + term +
                              "'/></entry>";
    EXPECT_EQ(client_.post("/demo/events", entry).status, 201) << term;
  }
  // The numbers of the entries that a raw query finds, newest first; or the status where it is not 200.
  std::string found(const std::string& query) {
    const Reply reply = client_.get("/demo/events?" + query);
    if (reply.status != 200) return std::to_string(reply.status);
    std::string numbers;
    for (std::size_t at = reply.body.find("<id>urn:x:"); at != std::string::npos;
         at = reply.body.find("<id>urn:x:", at + 1)) {
      numbers += reply.body[at + 10];
    }
    return numbers;
  }
  std::string detail(const std::string& search) {
    const Reply reply = client_.get("/demo/events?search=" + percent_encode(search));
    EXPECT_EQ(reply.status, 400) << search;
    return reply.status == 400 ? std::string(json::parse(reply.body)["detail"]) : "";
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(FilterStatuses, EveryRefusalHasAtomHoppersWords) {
  const std::string empty = "Invalid Search Parameter: Parameter cannot be empty string.";
  const std::string begin = "Invalid Search Parameter: Search must begin with a '+' or a '(' character";
  const std::string form = "Invalid LDAP Search Parameter";
  const std::string attribute = "Invalid Search Parameter: LDAP attribute name must be 'cat'";
  for (const char* const search : {"", "+", "+a+", "++a", "(cat=)", "(AND(cat=))"}) EXPECT_EQ(detail(search), empty);
  for (const char* const search : {"a", " +a", "-a", ")", "cat=a", "%2Ba"}) EXPECT_EQ(detail(search), begin) << search;
  for (const char* const search : {"(", "()", "(cat=a", "(cat=a))", "(cat=a)(cat=b)", "(AND(cat=a)", "(OR)", "(NOT)",
                                   "(NOT(cat=a)(cat=b))", "(XOR(cat=a))", "(&(cat=a)x)", "(cat)"}) {
    EXPECT_EQ(detail(search), form) << search;
  }
  for (const char* const search : {"(dog=a)", "(=a)", "(AND(cat=a)(tag=b))", "(cat>=a)", "(AND cat=a)"}) {
    EXPECT_EQ(detail(search), attribute) << search;
  }
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "(NOT";
  EXPECT_NE(detail(deep + "(cat=a)" + std::string(40, ')')).find("32 deep"), std::string::npos);
  EXPECT_NE(detail("+" + std::string(4096, 'a')).find("4096 bytes"), std::string::npos);
  std::string many;
  for (int i = 0; i < 101; ++i) many += "+a";
  EXPECT_NE(detail(many).find("100 terms"), std::string::npos);
  EXPECT_NE(detail("+a\xFF").find("UTF-8"), std::string::npos);
  EXPECT_NE(detail(std::string("+a\0b", 4)).find("UTF-8"), std::string::npos);
}

// For clients that take XML and not JSON the words stand in Atom Hopper's own form.
TEST_F(FilterStatuses, RefusalsHaveAtomHoppersFormForItsClients) {
  const Reply reply = client_.get("/demo/events?search=a", "Accept: application/xml\r\n");
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(
      reply.body.find("<error xmlns=\"http://abdera.apache.org\"><code>400</code><message>Invalid Search Parameter: "
                      "Search must begin with a '+' or a '(' character</message></error>"),
      std::string::npos)
      << reply.body;
}

// "In queries `+` is a space and `%2B` a plus; of a repeated parameter the first counts; unknown parameters are
// ignored."
TEST_F(FilterStatuses, QueriesAreDecodedOnceAsForms) {
  EXPECT_EQ(found("search=%2Btid:1"), "1");
  EXPECT_EQ(found("search=%2Btid%3A1"), "1");
  EXPECT_EQ(found("search=%2BTID:1"), "1");
  EXPECT_EQ(found("search=+tid:1"), "400") << "a plus is a space";
  EXPECT_EQ(found("search=%2Ba+b"), "3") << "a plus within a term too";
  EXPECT_EQ(found("search=%2Ba%20b"), "3");
  EXPECT_EQ(found("search=(cat%3Da%2Bb)"), "2") << "a plus in the other form is itself";
  EXPECT_EQ(found("search=(cat=a%2Bb)"), "2") << "an '=' in a value needs no escape";
  EXPECT_EQ(found("search=%252Btid:1"), "400") << "decoded once";
  EXPECT_EQ(found("search=%2B%C3%A4pfel"), "4");
  EXPECT_EQ(found("search=%2B100%25"), "5");
  EXPECT_EQ(found("search=%2B100%"), "400") << "a malformed triplet";
  EXPECT_EQ(found("search=%2Bx%3Dy%26z"), "6");
  EXPECT_EQ(found("search=(cat=x=y%26z)"), "6");
  EXPECT_EQ(found("search=%2Btid:1&search=%2B100%25"), "1");
  EXPECT_EQ(found("nonsense=1&search=%2Btid:1&more"), "1");
  EXPECT_EQ(found("search"), "400");
  EXPECT_EQ(found("search=(%26(cat=tid:1))"), "1");
  EXPECT_EQ(found("search=(%7C(cat=tid:1)(cat=100%25))"), "51");
  EXPECT_EQ(found("search=(!(cat=tid:1))"), "65432");
  EXPECT_EQ(found("search=(AND)"), "654321");
}

TEST_F(FilterStatuses, EveryFormOfAPageIsFiltered) {
  const std::string search = "search=%2Btid:1%2B100%25";
  const json feed = json::parse(client_.get("/demo/events?format=json&" + search).body);
  ASSERT_EQ(feed["items"].size(), 2U);
  EXPECT_EQ(feed["items"][0]["id"], "urn:x:5");
  EXPECT_EQ(feed["items"][1]["id"], "urn:x:1");
  const std::string rss = client_.get("/demo/events?format=rss&" + search).body;
  EXPECT_NE(rss.find("<title>t5</title>"), std::string::npos) << rss;
  EXPECT_NE(rss.find("<title>t1</title>"), std::string::npos);
  EXPECT_EQ(rss.find("<title>t4</title>"), std::string::npos);
  const json events = json::parse(client_.get("/demo/events?format=cloudevents&" + search).body);
  EXPECT_EQ(events.size(), 2U);
  const std::string html = client_.get("/demo/events?format=html&" + search).body;
  EXPECT_NE(html.find("t5"), std::string::npos);
  EXPECT_EQ(html.find("t4<"), std::string::npos);
  // The filter is carried along, percent-encoded, so that a link leads to what it says.
  const json first = json::parse(client_.get("/demo/events?format=json&limit=1&" + search).body);
  const std::string next = first["next_url"];
  const json second = json::parse(client_.get(next.substr(server_.url().size())).body);
  EXPECT_EQ(second["items"][0]["id"], "urn:x:1") << next;
  for (const char* const format : {"atom", "json", "rss", "html", "cloudevents"}) {
    EXPECT_EQ(client_.get("/demo/events?search=a&format=" + std::string(format)).status, 400) << format;
  }
}

}  // namespace
}  // namespace courant::test::filter_statuses_test
