#include "feeds/filter.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

// The same filter in PostgreSQL and in memory, on random filters and entries; some terms are awkward in JSON, SQL and
// jsonpath.
class Agreement : public testing::Test {
 protected:
  bool in_postgres(const Filter& filter, const std::vector<std::string>& terms) {
    constexpr sql::Query kMatches{"test.matches", "select to_jsonb($1::text[]) @@ $2::jsonpath"};
    return session_.run(kMatches, sql::Parameters().add(terms).add(filter.jsonpath()))[0].boolean(0);
  }
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  const std::string& term() { return kTerms[static_cast<std::size_t>(pick(static_cast<int>(kTerms.size())))]; }

  std::string form(int depth) {
    const int kind = depth == 0 ? 3 : pick(4);
    if (kind == 3) return "(cat=" + term() + ")";
    if (kind == 2) return "(NOT" + form(depth - 1) + ")";
    std::string out = kind == 0 ? "(AND" : "(OR";
    for (int i = kind == 0 ? pick(4) : 1 + pick(3); i > 0; --i) out += form(depth - 1);
    return out + ")";
  }

  const std::vector<std::string> kTerms = {"a",  "b", "tid:1", "x\"y", "back\\slash", "$[*]", "@ == 1",
                                           "ü€", "😀", "it's",  "{},",  "null",        "\t",   "a b"};
  std::minstd_rand random_{20261124};
  test::TestDatabase database_;
  sql::Session session_{database_.url()};
};

TEST_F(Agreement, PostgresAndMemoryAgree) {
  int matching = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::string search = form(4);
    std::vector<std::string> terms;
    for (int i = pick(6); i > 0; --i) terms.push_back(term());
    const Filter filter = Filter::parse(search);
    const bool expected = filter.matches(terms);
    matching += expected;
    ASSERT_EQ(in_postgres(filter, terms), expected) << search;
    // What is required is in every match.
    if (!expected) continue;
    for (const std::vector<std::string>& set : filter.required()) {
      EXPECT_TRUE(std::any_of(set.begin(), set.end(), [&](const std::string& one) {
        return std::find(terms.begin(), terms.end(), one) != terms.end();
      })) << search;
    }
  }
  EXPECT_GT(matching, 500);
}

}  // namespace
}  // namespace courant::feeds
