// What of a feed a topic is: its query judged, and its one spelling.
#include "feeds/push.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kPageSize = 25;

std::string canonical(const Parameters& parameters) {
  return parse_push_view(parameters, kPageSize).canonical;
}

std::string canonical_of(const std::string& query) {
  return canonical(*parse_query(query.substr(query.starts_with('?') ? 1 : 0)));
}

int push_refusal(const Parameters& parameters) {
  try {
    parse_push_view(parameters, kPageSize);
  } catch (const Problem& problem) {
    return problem.status();
  }
  return 200;
}

TEST(PushView, TheFeedItselfIsAtomWithoutAFilter) {
  const PushView view = parse_push_view({}, kPageSize);
  EXPECT_EQ(view.offer->representation, Representation::kXml);
  EXPECT_FALSE(view.filter);
  EXPECT_FALSE(view.limit);
  EXPECT_EQ(view.canonical, "");
}

TEST(PushView, WhatSaysNoMoreThanTheFeedItselfIsLeftOut) {
  EXPECT_EQ(canonical({{"format", "atom"}}), "");
  EXPECT_EQ(canonical({{"limit", "25"}}), "");
  EXPECT_EQ(canonical({{"direction", "backward"}}), "") << "without a marker it means nothing";
  EXPECT_EQ(canonical({{"unknown", "1"}, {"wait", "30"}}), "");
}

TEST(PushView, FormLimitAndFilterStandInOneOrder) {
  const Parameters given = {{"search", "+b+A+b"}, {"limit", "010"}, {"format", "json"}};
  EXPECT_EQ(canonical(given), "?format=json&limit=10&search=%2Ba%2Bb");
  const PushView view = parse_push_view(given, kPageSize);
  EXPECT_EQ(view.offer->content_type, "application/feed+json");
  EXPECT_EQ(view.limit, 10);
  EXPECT_TRUE(view.filter->matches({"a"}));
}

TEST(PushView, OfAParameterThatIsRepeatedTheFirstCounts) {
  EXPECT_EQ(canonical({{"format", "rss"}, {"format", "json"}}), "?format=rss");
}

TEST(PushView, OnlyDocumentsOfTheHeadArePushed) {
  EXPECT_EQ(push_refusal({{"marker", "7"}}), 403);
  EXPECT_EQ(push_refusal({{"marker", "last"}}), 403);
  EXPECT_EQ(push_refusal({{"startingAt", "2026-11-24T09:30:00Z"}}), 403);
  EXPECT_EQ(push_refusal({{"format", "events"}}), 403);
  EXPECT_EQ(push_refusal({{"format", "html"}}), 200);
  EXPECT_EQ(push_refusal({{"format", "pdf"}}), 400);
  EXPECT_EQ(push_refusal({{"limit", "0"}}), 400);
  EXPECT_EQ(push_refusal({{"search", "a"}}), 400);
}

// Whatever is written in whatever way: the canonical form means the same and is its own canonical form.
class RandomQueries {
 public:
  std::string filter(int depth) {
    const int kind = depth == 0 ? 3 : pick(6);
    if (kind >= 3) return (pick(4) == 0 ? "( CAT =" : "(cat=") + term("+ &=|%") + ")";
    if (kind == 2) return (pick(2) == 0 ? "(NOT" : "(!") + filter(depth - 1) + ")";
    std::string out = kind == 0 ? (pick(2) == 0 ? "(AND" : "(&") : (pick(2) == 0 ? "(or" : "(|");
    for (int i = 1 + pick(3); i > 0; --i) out += filter(depth - 1);
    return out + ")";
  }
  std::string search() {
    if (pick(2) == 0) return filter(4);
    std::string out;
    for (int i = 1 + pick(4); i > 0; --i) out += "+" + term("( )&=|%");
    return out;
  }
  Parameters parameters() {
    static const std::vector<std::string> kFormats = {"atom", "html", "json", "rss", "cloudevents"};
    Parameters all;
    if (pick(3) > 0) all.emplace_back("search", search());
    if (pick(2) == 0) all.emplace_back("format", kFormats[static_cast<std::size_t>(pick(5))]);
    if (pick(2) == 0) all.emplace_back("limit", std::to_string(1 + pick(30)));
    if (pick(4) == 0) all.emplace_back("unknown", "?");
    std::shuffle(all.begin(), all.end(), random_);
    return all;
  }

 private:
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  std::string term(const std::string& special) {
    static const std::vector<std::string> kTerms = {"a", "B", "tid:1", "Ä", "x y"};
    std::string out = kTerms[static_cast<std::size_t>(pick(5))];
    if (pick(3) == 0) out += special[static_cast<std::size_t>(pick(static_cast<int>(special.size())))];
    return out;
  }
  std::minstd_rand random_{20261126};
};

std::vector<std::vector<std::string>> some_entries() {
  return {{}, {"a"}, {"b"}, {"a", "b"}, {"tid:1"}, {"ä", "x y"}, {"a+"}, {"b("}, {"a", "b", "tid:1", "ä", "x y"}};
}

TEST(PushView, ItsCanonicalFormIsItsOwnAndMeansTheSame) {
  RandomQueries queries;
  for (int i = 0; i < 5000; ++i) {
    const Parameters given = queries.parameters();
    const PushView view = parse_push_view(given, kPageSize);
    EXPECT_EQ(canonical_of(view.canonical), view.canonical);
    const PushView again =
        parse_push_view(*parse_query(view.canonical.substr(view.canonical.empty() ? 0 : 1)), kPageSize);
    EXPECT_EQ(again.offer, view.offer);
    EXPECT_EQ(again.limit, view.limit);
    ASSERT_EQ(again.filter.has_value(), view.filter.has_value()) << view.canonical;
    if (!view.filter) continue;
    for (const std::vector<std::string>& terms : some_entries()) {
      EXPECT_EQ(again.filter->matches(terms), view.filter->matches(terms)) << view.canonical;
    }
  }
}

}  // namespace
}  // namespace courant::feeds
