#include <algorithm>

#include <gtest/gtest.h>

#include "kernel/uri.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::filter_test {
namespace {

// 60 entries: every third has the category "three", every fifth "five", one "Rare"; all have "all".
class FilterTest : public testing::Test {
 protected:
  FilterTest() {
    for (int number = 1; number <= 60; ++number) {
      std::string categories = "<category term='all'/>";
      if (number % 3 == 0) categories += "<category term='Three'/>";
      if (number % 5 == 0) categories += "<category term='five'/>";
      if (number == 31) categories += "<category term='Rare'/>";
      const std::string entry = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                                "</id><title>t</title><content>c</content>" + categories + "</entry>";
      EXPECT_EQ(client_.post("/demo/events", entry).status, 201);
    }
  }

  static std::vector<int> positions_in(const std::string& page) {
    const std::string marker = "<c:log xmlns:c=\"urn:courant:log:1\" position=\"";
    std::vector<int> positions;
    for (std::size_t at = page.find(marker); at != std::string::npos; at = page.find(marker, at + 1)) {
      positions.push_back(std::stoi(page.substr(at + marker.size())));
    }
    return positions;
  }
  static std::string link_in(const std::string& page, const std::string& rel) {
    const std::string begin = "<link rel=\"" + rel + "\" href=\"";
    const std::size_t at = page.find(begin);
    if (at == std::string::npos) return {};
    std::string url = page.substr(at + begin.size(), page.find('"', at + begin.size()) - at - begin.size());
    for (std::size_t amp = url.find("&amp;"); amp != std::string::npos; amp = url.find("&amp;"))
      url.replace(amp, 5, "&");
    return url.substr(url.find('/', 8));
  }
  // All positions on the way along a link, oldest first.
  std::vector<int> walk(std::string target, const std::string& rel) {
    std::vector<int> seen;
    for (int pages = 0; !target.empty() && pages < 100; ++pages) {
      const Reply reply = client_.get(target);
      EXPECT_EQ(reply.status, 200) << target;
      const std::vector<int> found = positions_in(reply.body);
      seen.insert(seen.end(), found.begin(), found.end());
      const std::string next = link_in(reply.body, rel);
      if (rel == "previous" && next.find("marker=60&") != std::string::npos) break;
      target = next;
    }
    std::sort(seen.begin(), seen.end());
    return seen;
  }
  static std::vector<int> expected(bool (*wanted)(int)) {
    std::vector<int> numbers;
    for (int number = 1; number <= 60; ++number) {
      if (wanted(number)) numbers.push_back(number);
    }
    return numbers;
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(FilterTest, BothWaysShowEveryMatchOnce) {
  struct Case {
    std::string search;
    bool (*wanted)(int);
  };
  const std::vector<Case> cases = {
      {"+three", [](int n) { return n % 3 == 0; }},
      {"+three+five", [](int n) { return n % 3 == 0 || n % 5 == 0; }},
      {"(AND(cat=three)(cat=FIVE))", [](int n) { return n % 15 == 0; }},
      {"(AND(cat=all)(NOT(cat=three)))", [](int n) { return n % 3 != 0; }},
      {"(NOT(cat=three))", [](int n) { return n % 3 != 0; }},
      {"+rare", [](int n) { return n == 31; }},
      {"+nothing", [](int) { return false; }},
  };
  for (const Case& one : cases) {
    const std::string query = "limit=4&search=" + percent_encode(one.search);
    EXPECT_EQ(walk("/demo/events?" + query, "next"), expected(one.wanted)) << one.search;
    EXPECT_EQ(walk("/demo/events?marker=0&" + query, "previous"), expected(one.wanted)) << one.search;
  }
}

TEST_F(FilterTest, TheNewerLinkCarriesWhatWasLookedAt) {
  const Reply head = client_.get("/demo/events?search=%2Brare");
  EXPECT_EQ(head.header("Feed-Position"), "60");
  EXPECT_EQ(link_in(head.body, "previous"), "/demo/events?marker=60&direction=forward&search=%2Brare");
}

TEST_F(FilterTest, EntriesThatDoNotMatchLeaveTheTagAlone) {
  const std::string target = "/demo/events?search=%2Brare";
  const std::string etag = client_.get(target).header("ETag");
  EXPECT_EQ(client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'/>").status, 201);
  EXPECT_EQ(client_.get(target, "If-None-Match: " + etag + "\r\n").status, 304);
  EXPECT_EQ(
      client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><category term='rare'/></entry>").status,
      201);
  EXPECT_EQ(client_.get(target, "If-None-Match: " + etag + "\r\n").status, 200);
}

TEST_F(FilterTest, WhatIsNoFilterIs400) {
  EXPECT_EQ(client_.get("/demo/events?search=three").status, 400);
  EXPECT_EQ(client_.get("/demo/events?search=").status, 400);
}

}  // namespace
}  // namespace courant::test::filter_test
