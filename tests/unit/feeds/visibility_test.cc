#include "feeds/visibility.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feeds/push.h"
#include "kernel/problem.h"

namespace courant::feeds {
namespace {

access::Identity bound(const std::string& filter) {
  access::Grant grant;
  grant.number = 1;
  grant.scopes = access::Scopes::only(access::Scope::kRead);
  grant.on = *access::Pattern::parse_list("*");
  grant.filter = filter;
  return access::Identity::of_token(grant);
}

StoredEntry stored(const std::string& categories) {
  StoredEntry entry;
  entry.xml = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:x</id>" + categories + "</entry>";
  return entry;
}

PreparedEntry prepared(const std::string& id, std::vector<std::string> terms) {
  PreparedEntry entry;
  entry.id = id;
  entry.terms = std::move(terms);
  return entry;
}

TEST(Visibility, AQueryIsBoundBesideItsOwnFilter) {
  PageQuery query = parse_page_query({{"search", "+a"}}, 25);
  const std::string before = canonical_query(query);
  bind_to(query, access::Identity::anonymous());
  EXPECT_EQ(canonical_query(query), before);
  bind_to(query, bound("+t"));
  EXPECT_NE(canonical_query(query), before) << "another page in memory";
  EXPECT_TRUE(query.filter->matches({"a", "t"}));
  EXPECT_FALSE(query.filter->matches({"a"}));
  EXPECT_EQ(query.search, "+a") << "links say what was asked for";
  PageQuery bare = parse_page_query({}, 25);
  bind_to(bare, bound("+t"));
  EXPECT_TRUE(bare.filter->matches({"t"}));
  EXPECT_FALSE(bare.filter->matches({}));
}

TEST(Visibility, AnEntryIsSeenByItsCategoriesAndATombstoneByNobodyWhoSeesAPart) {
  EXPECT_TRUE(sees(bound("+t"), stored("<category term=\"T\"/>")));
  EXPECT_FALSE(sees(bound("+t"), stored("<category term=\"other\"/>")));
  EXPECT_FALSE(sees(bound("+t"), stored("")));
  EXPECT_TRUE(sees(access::Identity::anonymous(), stored("")));
  StoredEntry tombstone;
  tombstone.is_tombstone = true;
  EXPECT_FALSE(sees(bound("+t"), tombstone));
  EXPECT_TRUE(sees(access::Identity::anonymous(), tombstone));
}

TEST(Visibility, WhatIsOutsideIsNotPublishedAndNamed) {
  const std::vector<PreparedEntry> entries = {prepared("urn:1", {"T"}), prepared("urn:2", {"other"})};
  EXPECT_NO_THROW(require_within(access::Identity::anonymous(), entries));
  EXPECT_NO_THROW(require_within(bound("+t"), std::span(entries).first(1)));
  try {
    require_within(bound("+t"), entries);
    FAIL() << "it was let through";
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 403);
    EXPECT_THAT(problem.detail(), testing::HasSubstr("+t"));
    ASSERT_EQ(problem.entries().size(), 1U);
    EXPECT_EQ(problem.entries()[0].id, "urn:2");
  }
}

bool may_publish(const std::string& filter, const std::vector<std::string>& terms) {
  try {
    require_within(bound(filter), std::vector{prepared("urn:1", terms)});
    return true;
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 403);
    return false;
  }
}

// Nobody puts entries before the eyes of who is bound to another category of the same kind.
TEST(Visibility, WhatIsPublishedHasNoCategoryOfOthers) {
  EXPECT_TRUE(may_publish("+tid:1", {"tid:1", "rgn:dfw", "news"}));
  EXPECT_FALSE(may_publish("+tid:1", {"tid:1", "tid:2"}));
  EXPECT_FALSE(may_publish("+tid:1", {"TID:2", "tid:1"})) << "case tells nothing apart";
  EXPECT_TRUE(may_publish("+tid:1+tid:2", {"tid:1", "tid:2"}));
  EXPECT_FALSE(may_publish("+tid:1+tid:2", {"tid:2", "tid:3"}));
  EXPECT_FALSE(may_publish("(AND(cat=tid:1)(cat=rgn:dfw))", {"tid:1", "rgn:dfw", "rgn:lon"}));
  EXPECT_TRUE(may_publish("(AND(cat=tid:1)(NOT(cat=rgn:lon)))", {"tid:1", "rgn:dfw"}));
  EXPECT_TRUE(may_publish("+urn:t:1", {"urn:t:1", "urn:other:2"})) << "the kind is all before the last colon";
  EXPECT_FALSE(may_publish("+urn:t:1", {"urn:t:1", "urn:t:2"}));
  EXPECT_TRUE(may_publish("+news", {"news", "sport"})) << "of no kind";
}

TEST(Visibility, ATopicIsBoundInItsOneSpelling) {
  PushView view = parse_push_view({{"search", "+a"}}, 25);
  bind_to(view, "+t");
  EXPECT_EQ(view.filter->canonical(), "(AND(cat=a)(cat=t))");
  PushView again = parse_push_view({{"search", view.filter->canonical()}}, 25);
  EXPECT_EQ(again.canonical, view.canonical);
  bind_to(again, "+t");
  EXPECT_FALSE(again.filter->matches({"a"}));
  PushView bare = parse_push_view({}, 25);
  bind_to(bare, "+t");
  EXPECT_EQ(bare.canonical, "?search=%2Bt");
}

// Terms with parentheses come by the form with '+' alone: among others they could be taken for more than terms, and let
// nothing out of the bound all the same.
TEST(Visibility, NoTermLeadsOutOfTheBound) {
  int refused = 0;
  for (const char* const search :
       {"+a)(cat=b", "+x)(OR(cat=a", "+x))(OR(cat=a", "+)", "+x)(NOT(cat=a", "+z)(OR(cat=a)"}) {
    PushView view = parse_push_view({{"search", search}}, 25);
    try {
      bind_to(view, "+t");
      EXPECT_FALSE(view.filter->matches({"a", "b", "x", "z"})) << search;
      EXPECT_FALSE(parse_push_view({{"search", view.filter->canonical()}}, 25).filter->matches({"a", "b", "x", "z"}));
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), 400);
      ++refused;
    }
  }
  EXPECT_GE(refused, 3);
}

}  // namespace
}  // namespace courant::feeds
