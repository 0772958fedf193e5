#include "feeds/new_entries.h"

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

std::int64_t newest_match(const NewEntries& entries, const std::string& search) {
  return entries.newest_match(Filter::parse(search));
}

TEST(NewEntries, TheNewestThatMatchesIsFound) {
  const NewEntries entries({{11, {"gold", "heavy"}}, {12, {"lead", "heavy"}}, {15, {"gold"}}, {16, {}}});
  EXPECT_EQ(entries.last(), 16);
  EXPECT_EQ(newest_match(entries, "+gold"), 15);
  EXPECT_EQ(newest_match(entries, "+lead+tin"), 12);
  EXPECT_EQ(newest_match(entries, "(AND(cat=gold)(cat=heavy))"), 11);
  EXPECT_EQ(newest_match(entries, "(AND(cat=heavy)(NOT(cat=gold)))"), 12);
  EXPECT_EQ(newest_match(entries, "(NOT(cat=gold))"), 16) << "what has no category at all";
  EXPECT_EQ(newest_match(entries, "(AND)"), 16);
  EXPECT_EQ(newest_match(entries, "+tin"), 0);
  EXPECT_EQ(newest_match(entries, "(AND(cat=lead)(cat=gold))"), 0) << "one entry has to have both";
}

TEST(NewEntries, NothingMatchesWhereNothingIsNew) {
  const NewEntries entries({});
  EXPECT_EQ(entries.last(), 0);
  EXPECT_EQ(newest_match(entries, "+gold"), 0);
  EXPECT_EQ(newest_match(entries, "(NOT(cat=gold))"), 0);
}

TEST(NewEntries, TheyMayBeMany) {
  std::vector<NewEntries::Entry> many;
  for (std::int64_t position = 1; position <= 1000; ++position) {
    many.push_back({position, {"all", "of" + std::to_string(position % 300)}});
  }
  const NewEntries entries(many);
  EXPECT_EQ(newest_match(entries, "+of0"), 900);
  EXPECT_EQ(newest_match(entries, "+of99"), 999);
  EXPECT_EQ(newest_match(entries, "(AND(cat=all)(NOT(OR(cat=of100)(cat=of99))))"), 998);
}

}  // namespace
}  // namespace courant::feeds
