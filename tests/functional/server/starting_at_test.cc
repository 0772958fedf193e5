// startingAt: what was committed from an instant on (docs/API.md, "Reading").
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/database.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::starting_at_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Twelve entries that were recorded a minute apart, the first at 10:01:00; 8 and 9 at the same time, 10:08:00.25.
class StartingAtTest : public testing::Test {
 protected:
  StartingAtTest() {
    for (int number = 1; number <= 12; ++number) publish(number);
    sql::Session session(database_.url());
    session.execute_script(
        "update entries set recorded = '2026-03-01T10:00:00Z'::timestamptz + position * interval '1 minute'");
    session.execute_script("update entries set recorded = '2026-03-01T10:08:00.25Z' where position in (8, 9)");
  }

  void publish(int number) {
    const std::string term = number % 2 == 0 ? "even" : "odd";
    const Reply reply =
        client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                                         "</id><title>t</title><category term='" + term + "'/></entry>");
    EXPECT_EQ(reply.status, 201) << reply.body;
  }
  Reply get(const std::string& instant, const std::string& more = "&limit=3") {
    return client_.get("/demo/events?startingAt=" + instant + more);
  }
  // Oldest first.
  static std::vector<int> positions_in(const Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    constexpr std::string_view kBefore = "<c:log xmlns:c=\"urn:courant:log:1\" position=\"";
    std::vector<int> positions;
    for (std::size_t at = 0; (at = reply.body.find(kBefore, at)) != std::string::npos;) {
      at += kBefore.size();
      positions.insert(positions.begin(), std::stoi(reply.body.substr(at)));
    }
    return positions;
  }
  // The path and query of a link; empty: there is none.
  static std::string link_in(const Reply& reply, const std::string& rel) {
    const std::string before = "<link rel=\"" + rel + "\" href=\"";
    std::size_t begin = reply.body.find(before);
    if (begin == std::string::npos) return {};
    begin = reply.body.find('/', begin + before.size() + 8);
    std::string target = reply.body.substr(begin, reply.body.find('"', begin) - begin);
    for (std::size_t at = 0; (at = target.find("&amp;")) != std::string::npos;) target.replace(at, 5, "&");
    return target;
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(StartingAtTest, GivesTheOldestThatWereRecordedThenOrLater) {
  EXPECT_THAT(positions_in(get("2026-03-01T10:05:00Z")), ElementsAre(5, 6, 7)) << "the instant itself belongs to it";
  EXPECT_THAT(positions_in(get("2026-03-01T10:05:00.000001Z")), ElementsAre(6, 7, 8));
  EXPECT_THAT(positions_in(get("2026-03-01T10:04:59.999999Z")), ElementsAre(5, 6, 7));
  EXPECT_THAT(positions_in(get("2026-03-01T10:08:00.25Z")), ElementsAre(8, 9, 10)) << "all of the same instant";
  EXPECT_THAT(positions_in(get("2026-03-01T10:08:00.250001Z")), ElementsAre(10, 11, 12));
  EXPECT_THAT(positions_in(get("2026-03-01T10:12:00Z")), ElementsAre(12));
  EXPECT_EQ(positions_in(get("2026-03-01T10:05:00Z", "")).size(), 8U);
}

TEST_F(StartingAtTest, TakesAnyZone) {
  for (const char* const instant : {"2026-03-01T12:05:00%2B02:00", "2026-03-01T05:05:00-05:00", "2026-03-01t10:05:00z",
                                    "2026-03-02T00:35:00%2B14:30", "2026-03-01T10:05:00-00:00"}) {
    EXPECT_THAT(positions_in(get(instant)), ElementsAre(5, 6, 7)) << instant;
  }
}

TEST_F(StartingAtTest, GoesOnInBothDirectionsByLinksThatNeedNoInstant) {
  const Reply first = get("2026-03-01T10:05:00Z");
  EXPECT_EQ(first.header("Feed-Position"), "7");
  EXPECT_EQ(link_in(first, "self"), "/demo/events?marker=4&direction=forward&limit=3");
  EXPECT_EQ(link_in(first, "previous"), "/demo/events?marker=7&direction=forward&limit=3");
  EXPECT_EQ(link_in(first, "next"), "/demo/events?marker=4&direction=backward&limit=3");
  EXPECT_EQ(client_.get(link_in(first, "self")).body, first.body);
  EXPECT_THAT(positions_in(client_.get(link_in(first, "next"))), ElementsAre(2, 3, 4));
  const Reply second = client_.get(link_in(first, "previous"));
  EXPECT_THAT(positions_in(second), ElementsAre(8, 9, 10));
  const Reply third = client_.get(link_in(second, "previous"));
  EXPECT_THAT(positions_in(third), ElementsAre(11, 12));
  const Reply end = client_.get(link_in(third, "previous"));
  EXPECT_THAT(positions_in(end), IsEmpty());
  publish(13);
  EXPECT_THAT(positions_in(client_.get(link_in(end, "previous"))), ElementsAre(13));
}

TEST_F(StartingAtTest, BeforeTheFirstItBeginsAtTheFirst) {
  for (const char* const instant : {"2026-03-01T10:00:59Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"}) {
    const Reply reply = get(instant);
    EXPECT_THAT(positions_in(reply), ElementsAre(1, 2, 3)) << instant;
    EXPECT_EQ(link_in(reply, "next"), "");
  }
}

TEST_F(StartingAtTest, AfterTheLastItWaitsForWhatComes) {
  for (const char* const instant : {"2026-03-01T10:12:00.000001Z", "9999-12-30T23:59:59Z"}) {
    const Reply reply = get(instant);
    EXPECT_THAT(positions_in(reply), IsEmpty()) << instant;
    EXPECT_EQ(reply.header("Feed-Position"), "12");
    EXPECT_EQ(link_in(reply, "previous"), "/demo/events?marker=12&direction=forward&limit=3");
  }
}

TEST_F(StartingAtTest, GoesTogetherWithAFilter) {
  const Reply first = get("2026-03-01T10:05:00Z", "&limit=2&search=%2Beven");
  EXPECT_THAT(positions_in(first), ElementsAre(6, 8));
  const Reply second = client_.get(link_in(first, "previous"));
  EXPECT_THAT(positions_in(second), ElementsAre(10, 12));
}

TEST_F(StartingAtTest, ExcludesAMarker) {
  const Reply reply = get("2026-03-01T10:05:00Z", "&marker=3");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("startingAt and marker cannot be used together"));
  EXPECT_EQ(get("2026-03-01T10:05:00Z", "&marker=last").status, 400);
}

TEST_F(StartingAtTest, MustBeAnInstantWithItsZone) {
  for (const char* const text : {"",
                                 "yesterday",
                                 "5",
                                 "1772359500",
                                 "2026-03-01",
                                 "2026-03-01T10:05",
                                 "2026-03-01T10:05:00",
                                 "2026-03-01T10:05:00+02:00",  // '+' is a space here
                                 "2026-03-01%2010:05:00Z",
                                 "2026-02-29T10:05:00Z",
                                 "2026-13-01T10:05:00Z",
                                 "2026-03-01T24:05:00Z",
                                 "2026-03-01T10:60:00Z",
                                 "2026-03-01T10:05:00%2B25:00",
                                 "2026-03-01T10:05:00%2B02",
                                 "2026-03-01T10:05:00.Z",
                                 "2026-03-01T10:05:00Zx",
                                 "%00",
                                 "0000-01-01T00:00:00Z",
                                 "0001-01-01T00:00:00%2B14:00",
                                 "9999-12-31T23:59:60Z",
                                 "%27;select%201"}) {
    const Reply reply = get(text);
    EXPECT_EQ(reply.status, 400) << text;
    EXPECT_THAT(reply.body, HasSubstr("startingAt must be an ISO 8601 date and time with zone")) << text;
  }
}

}  // namespace
}  // namespace courant::test::starting_at_test
