#include "feeds/filtered.h"

#include <algorithm>
#include <future>
#include <random>

#include <gtest/gtest.h>

#include "feeds/writer.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kEntries = 12'000;  // more than one page may look at

// A feed whose entries have categories of very different frequency, walked by filtered pages both ways; what they show
// is held against the filter's evaluation in memory.
class FilteredPages : public testing::Test {
 protected:
  void SetUp() override {
    database_.with_session([&](sql::Session& session) {
      feed_ = directory_.create(session, {"demo", "events", 25, {}, clock_.now()}, clock_.now());
    });
    Writer writer({}, database_, clock_, metrics_, [](const std::vector<Advance>&) {});
    std::vector<std::shared_ptr<const PreparedEntry>> batch;
    for (std::int64_t position = 1; position <= kEntries; ++position) {
      terms_.push_back(categories(position));
      batch.push_back(entry(position, terms_.back()));
      if (position % 500 != 0) continue;
      std::promise<void> stored;
      writer.submit_batch(feed_->facts().key, batch, true, Change::kAnywhere,
                          [&](const std::vector<Published>& results) {
                            for (const Published& result : results) ASSERT_EQ(result.outcome, PublishOutcome::kCreated);
                            stored.set_value();
                          });
      stored.get_future().get();
      batch.clear();
    }
  }

  std::vector<std::string> categories(std::int64_t position) {
    std::vector<std::string> terms = {"all"};
    if (pick(2) == 0) terms.push_back("half");
    if (pick(2) == 0) terms.push_back("other-half");
    if (pick(10) == 0) terms.push_back("tenth");
    if (pick(300) == 0) terms.push_back("rare");
    if (position == 9'000) terms.push_back("once");
    if (position <= 6'000) terms.push_back("old");
    if (position > 6'000) terms.push_back("new");
    return terms;
  }

  static std::shared_ptr<const PreparedEntry> entry(std::int64_t position, const std::vector<std::string>& terms) {
    PreparedEntry prepared;
    prepared.id = "urn:x:" + std::to_string(position);
    prepared.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + prepared.id + "</id>";
    prepared.after_times = "<title></title></entry>";
    prepared.content_digest = sha256(prepared.id);
    prepared.terms = terms;
    return std::make_shared<const PreparedEntry>(std::move(prepared));
  }

  std::vector<std::int64_t> expected(const Filter& filter) const {
    std::vector<std::int64_t> positions;
    for (std::int64_t position = 1; position <= kEntries; ++position) {
      if (filter.matches(terms_[static_cast<std::size_t>(position - 1)])) positions.push_back(position);
    }
    return positions;
  }

  // All that is shown from one end to the other, oldest first. Each page must come nearer to the end.
  std::vector<std::int64_t> walk(const Filter& filter, std::int64_t limit, bool is_forward) {
    PageQuery query;
    query.filter = filter;
    query.limit = limit;
    query.direction = is_forward ? PageQuery::Direction::kForward : PageQuery::Direction::kBackward;
    std::vector<std::int64_t> shown;
    std::optional<std::int64_t> marker;
    if (is_forward) marker = 0;
    while (!marker || (is_forward ? *marker < kEntries : *marker > 0)) {
      FilteredSlice slice;
      database_.with_session([&](sql::Session& session) {
        if (marker) query.marker = std::to_string(*marker);
        slice = read_filtered(session, *feed_, query, marker, 16 << 20);
      });
      EXPECT_LE(static_cast<std::int64_t>(slice.entries.size()), limit);
      for (const StoredEntry& one : slice.entries) shown.push_back(one.position);
      const std::int64_t next = is_forward ? slice.range.upto : slice.range.after;
      if (marker && (is_forward ? next <= *marker : next >= *marker)) {
        ADD_FAILURE() << "the walk stands still at " << *marker;
        break;
      }
      marker = next;
    }
    std::sort(shown.begin(), shown.end());
    return shown;
  }

  // All that pushes from the beginning to `upto` would hold, oldest first.
  std::vector<std::int64_t> push_all(const Filter& filter, std::int64_t limit, std::int64_t upto) {
    std::vector<std::int64_t> pushed;
    for (std::int64_t after = 0; after < upto;) {
      MatchingPiece piece;
      database_.with_session([&](sql::Session& session) {
        piece = read_matching(session, feed_->facts().key, filter, after, upto, limit, 16 << 20);
      });
      EXPECT_LE(static_cast<std::int64_t>(piece.entries.size()), limit);
      for (auto entry = piece.entries.rbegin(); entry != piece.entries.rend(); ++entry)
        pushed.push_back(entry->position);
      if (piece.upto <= after || piece.upto > upto) {
        ADD_FAILURE() << "pushes stand still at " << after << ", or go to " << piece.upto;
        break;
      }
      after = piece.upto;
    }
    return pushed;
  }

  std::string form(int depth) {
    static const std::vector<std::string> kTerms = {"all",  "half", "other-half", "tenth", "rare",
                                                    "once", "old",  "new",        "never"};
    const int kind = depth == 0 ? 3 : pick(5);
    if (kind >= 3) return "(cat=" + kTerms[static_cast<std::size_t>(pick(static_cast<int>(kTerms.size())))] + ")";
    if (kind == 2) return "(NOT" + form(depth - 1) + ")";
    std::string out = kind == 0 ? "(AND" : "(OR";
    for (int i = 1 + pick(3); i > 0; --i) out += form(depth - 1);
    return out + ")";
  }
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  test::TestDatabase test_;
  sql::Database database_{test_.options()};
  SystemClock clock_;
  Metrics metrics_;
  Directory directory_{16};
  std::shared_ptr<LiveFeed> feed_;
  std::vector<std::vector<std::string>> terms_;  // by position - 1
  std::minstd_rand random_{20261125};
};

TEST_F(FilteredPages, ShowEveryMatchOnceInBothDirectionsAsPushesDo) {
  std::vector<std::string> searches = {"+all",
                                       "+rare",
                                       "+once",
                                       "+never",
                                       "+old+rare",
                                       "(AND(cat=half)(cat=other-half)(cat=rare))",
                                       "(AND(cat=old)(cat=new))",
                                       "(NOT(cat=all))",
                                       "(AND)",
                                       "(AND(cat=half)(NOT(cat=tenth)))",
                                       "(AND(cat=once)(cat=all))",
                                       "(AND(cat=new)(OR(cat=once)(cat=rare)))"};
  for (int i = 0; i < 12; ++i) searches.push_back(form(3));
  for (const std::string& search : searches) {
    const Filter filter = Filter::parse(search);
    const std::int64_t limit = 1 + pick(1000);
    EXPECT_EQ(walk(filter, limit, true), expected(filter)) << search;
    EXPECT_EQ(walk(filter, limit, false), expected(filter)) << search;
    const std::int64_t upto = pick(2) == 0 ? kEntries : 1 + pick(static_cast<int>(kEntries));
    std::vector<std::int64_t> wanted = expected(filter);
    std::erase_if(wanted, [upto](std::int64_t position) { return position > upto; });
    EXPECT_EQ(push_all(filter, 200 + pick(800), upto), wanted) << search << " pushed up to " << upto;
  }
}

TEST_F(FilteredPages, LookNoFurtherThanTheirBudgetAndSayHowFar) {
  PageQuery query;
  query.filter = Filter::parse("(AND(cat=old)(cat=new))");
  query.limit = 25;
  database_.with_session([&](sql::Session& session) {
    const FilteredSlice slice = read_filtered(session, *feed_, query, std::nullopt, 16 << 20);
    EXPECT_TRUE(slice.entries.empty());
    EXPECT_EQ(slice.range.upto, kEntries);
    EXPECT_LE(slice.range.after, 6'000) << "no entry older than that is new: one set alone decides";
    query.filter = Filter::parse("(NOT(cat=all))");
    const FilteredSlice none = read_filtered(session, *feed_, query, std::nullopt, 16 << 20);
    EXPECT_TRUE(none.entries.empty());
    EXPECT_GT(none.range.after, 0) << "its links go on from there";
    EXPECT_LT(none.range.after, kEntries - 1'000);

    const FeedKey key = feed_->facts().key;
    const MatchingPiece piece = read_matching(session, key, *query.filter, 0, kEndless, 1000, 16 << 20);
    EXPECT_TRUE(piece.entries.empty());
    EXPECT_GT(piece.upto, 1'000);
    EXPECT_LT(piece.upto, kEntries) << "the rest is looked at by the next call";
    const Filter all = Filter::parse("+all");
    EXPECT_EQ(read_matching(session, key, all, 10, kEndless, 1000, 1).upto, 11) << "one entry fits always";
    EXPECT_EQ(read_matching(session, key, all, kEntries, kEndless, 10, 1 << 20).upto, kEntries);
  });
}

}  // namespace
}  // namespace courant::feeds
