#include "feeds/page.h"

#include <gtest/gtest.h>

#include "feeds/reader.h"
#include "kernel/problem.h"

namespace courant::feeds {
namespace {

int status_of(const Parameters& parameters) {
  try {
    parse_page_query(parameters, 25);
  } catch (const Problem& problem) {
    return problem.status();
  }
  return 200;
}

TEST(PageQuery, TakesTheFeedsPageSizeWhereNoLimitIsGiven) {
  EXPECT_EQ(parse_page_query({}, 40).limit, 40);
}

TEST(PageQuery, RefusesWordsAndNumbersThatMeanNothing) {
  EXPECT_EQ(status_of({{"limit", "0"}}), 400);
  EXPECT_EQ(status_of({{"limit", "1001"}}), 400);
  EXPECT_EQ(status_of({{"limit", "x"}}), 400);
  EXPECT_EQ(status_of({{"marker", "1"}, {"direction", "sideways"}}), 400);
  EXPECT_EQ(status_of({{"startingAt", "yesterday"}}), 400);
  EXPECT_EQ(status_of({{"startingAt", "2026-11-24T09:30:00Z"}, {"marker", "1"}}), 400);
}

TEST(PageQuery, IgnoresADirectionWithoutMarker) {
  EXPECT_EQ(status_of({{"direction", "sideways"}}), 200);
}

TEST(PageRange, OfTheHeadAreTheNewestEntries) {
  const PageRange range = head_range({.head = 60, .floor = 0}, 25);
  EXPECT_EQ(range.after, 35);
  EXPECT_EQ(range.upto, 60);
}

TEST(PageRange, ForwardIsExclusiveAndBackwardInclusive) {
  const LogBounds bounds{.head = 60, .floor = 0};
  EXPECT_EQ(forward_range(bounds, 10, 25).after, 10);
  EXPECT_EQ(forward_range(bounds, 10, 25).upto, 35);
  EXPECT_TRUE(forward_range(bounds, 10, 25).is_full);
  EXPECT_FALSE(forward_range(bounds, 50, 25).is_full);
  EXPECT_EQ(backward_range(bounds, 10, 4).after, 6);
  EXPECT_EQ(backward_range(bounds, 10, 4).upto, 10);
}

TEST(PageRange, RefusesMarkersBeyondTheHeadAndBehindRetention) {
  const LogBounds bounds{.head = 60, .floor = 25};
  EXPECT_THROW(forward_range(bounds, 61, 25), Problem);
  EXPECT_THROW(forward_range(bounds, 24, 25), Problem);
  EXPECT_NO_THROW(forward_range(bounds, 25, 25));
  EXPECT_THROW(backward_range(bounds, 25, 25), Problem);
  EXPECT_NO_THROW(backward_range(bounds, 26, 25));
}

// Whoever follows `previous` from an empty feed meets every position once, and never loses the place.
TEST(PageLinks, FollowingPreviousMeetsEveryPositionOnce) {
  std::int64_t marker = 0;
  std::int64_t seen = 0;
  for (std::int64_t head = 0; head <= 200; head += 7) {
    for (;;) {
      const LogBounds bounds{.head = head, .floor = 0};
      const PageRange range = forward_range(bounds, marker, 10);
      EXPECT_EQ(range.after, seen);
      seen = range.upto;
      PageQuery query;
      query.marker = std::to_string(marker);
      const std::string expected = "?marker=" + std::to_string(range.upto) + "&direction=forward";
      EXPECT_EQ(links_of(query, range, bounds).previous, expected);
      if (range.upto == marker) break;
      marker = range.upto;
    }
    EXPECT_EQ(seen, head);
  }
}

TEST(PageLinks, CarryLimitAndSearchPercentEncoded) {
  PageQuery query;
  query.limit = 5;
  query.limit_given = true;
  query.search = "+a b";
  const LogBounds bounds{.head = 20, .floor = 0};
  const PageLinks links = links_of(query, head_range(bounds, 5), bounds);
  EXPECT_EQ(links.self, "?limit=5&search=%2Ba%20b");
  EXPECT_EQ(links.previous, "?marker=20&direction=forward&limit=5&search=%2Ba%20b");
  EXPECT_EQ(links.next, "?marker=15&direction=backward&limit=5&search=%2Ba%20b");
  EXPECT_EQ(links.last, "?marker=last&limit=5&search=%2Ba%20b");
}

TEST(ArchiveRange, IsAFixedRangeOfPositions) {
  EXPECT_EQ(complete_pages(49, 25), 1);
  EXPECT_EQ(complete_pages(50, 25), 2);
  EXPECT_EQ(archive_range(2, 25).after, 25);
  EXPECT_EQ(archive_range(2, 25).upto, 50);
}

TEST(CanonicalQuery, TellsQueriesApart) {
  const auto canonical = [](Parameters parameters) { return canonical_query(parse_page_query(parameters, 25)); };
  EXPECT_EQ(canonical({{"marker", "7"}}), canonical({{"direction", "forward"}, {"marker", "7"}}));
  EXPECT_NE(canonical({{"marker", "7"}}), canonical({{"direction", "backward"}, {"marker", "7"}}));
  EXPECT_NE(canonical({}), canonical({{"limit", "25"}})) << "its links carry the limit along";
  EXPECT_NE(canonical({{"marker", "urn:x"}, {"search", "+a?+b"}}),
            canonical({{"marker", "urn:x?+a"}, {"search", "+b"}}));
}

TEST(HighestPosition, IsThatOfTheTagsInAList) {
  EXPECT_EQ(highest_position(""), 0);
  EXPECT_EQ(highest_position("*"), 0);
  EXPECT_EQ(highest_position("W/\"abc.12\", \"def.7\""), 12);
  EXPECT_EQ(highest_position("\"12\", \"a.b\", \"x.99999999999999999999\""), 0);
  EXPECT_EQ(highest_position(std::string(32'000, '"')), 0);
}

}  // namespace
}  // namespace courant::feeds
