#include "feeds/filter.h"

#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::feeds {
namespace {

std::string refusal_of(const std::string& search) {
  try {
    Filter::parse(search);
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 400);
    return problem.detail();
  }
  return "";
}

bool matches(const std::string& search, const std::vector<std::string>& terms) {
  return Filter::parse(search).matches(terms);
}

TEST(Filter, PlusMeansAnyOfTheTerms) {
  EXPECT_TRUE(matches("+a+b", {"b"}));
  EXPECT_TRUE(matches("+a+b", {"c", "a"}));
  EXPECT_FALSE(matches("+a+b", {"c"}));
  EXPECT_TRUE(matches("+tid:1234", {"tid:1234"}));
}

TEST(Filter, LdapFormNests) {
  const std::string search = "(AND(cat=a)(OR(cat=b)(NOT(cat=c))))";
  EXPECT_TRUE(matches(search, {"a", "b", "c"}));
  EXPECT_TRUE(matches(search, {"a"}));
  EXPECT_FALSE(matches(search, {"a", "c"}));
  EXPECT_FALSE(matches(search, {"b"}));
  EXPECT_EQ(Filter::parse("(&(cat=a)(|(cat=b)(!(cat=c))))").canonical(), Filter::parse(search).canonical());
}

TEST(Filter, HasOneSpellingInWhicheverFormItCame) {
  const auto canonical = [](const std::string& search) { return Filter::parse(search).canonical(); };
  EXPECT_EQ(canonical("+b+A+b"), "+a+b");
  EXPECT_EQ(canonical("(|(cat=b)(cat=A))"), "+a+b");
  EXPECT_EQ(canonical("(cat=a)"), "+a");
  EXPECT_EQ(canonical("(AND(cat=a))"), "+a");
  EXPECT_EQ(canonical("(OR(OR(cat=a)(cat=b)))"), "+a+b");
  EXPECT_EQ(canonical("(AND(cat=b)(OR(cat=a))(cat=b))"), "(AND(cat=a)(cat=b))");
  EXPECT_EQ(canonical("(cat=a+b)"), "(cat=a+b)") << "the other form would make two terms of it";
  EXPECT_EQ(canonical("+a(b)"), "+a(b)") << "the other form cannot say it";
  EXPECT_EQ(canonical("(!(|(cat=b)(cat=a)))"), "(NOT(OR(cat=a)(cat=b)))");
}

TEST(Filter, AndMayHaveOneOperandOrNone) {
  EXPECT_TRUE(matches("(AND(cat=a))", {"a"}));
  EXPECT_TRUE(matches("(AND)", {}));
  EXPECT_EQ(refusal_of("(OR)"), "Invalid LDAP Search Parameter");
  EXPECT_EQ(refusal_of("(NOT(cat=a)(cat=b))"), "Invalid LDAP Search Parameter");
}

TEST(Filter, TermsAreComparedWithoutCase) {
  EXPECT_TRUE(matches("+ÄB", {"äb"}));
  EXPECT_TRUE(matches("(cat=TID:1)", {"tid:1"}));
}

TEST(Filter, ErrorsHaveAtomHoppersWords) {
  EXPECT_EQ(refusal_of(""), "Invalid Search Parameter: Parameter cannot be empty string.");
  EXPECT_EQ(refusal_of("+"), "Invalid Search Parameter: Parameter cannot be empty string.");
  EXPECT_EQ(refusal_of("+a++b"), "Invalid Search Parameter: Parameter cannot be empty string.");
  EXPECT_EQ(refusal_of("(cat=)"), "Invalid Search Parameter: Parameter cannot be empty string.");
  EXPECT_EQ(refusal_of("a"), "Invalid Search Parameter: Search must begin with a '+' or a '(' character");
  EXPECT_EQ(refusal_of("(AND(cat=a)"), "Invalid LDAP Search Parameter");
  EXPECT_EQ(refusal_of("(cat=a))"), "Invalid LDAP Search Parameter");
  EXPECT_EQ(refusal_of("(XOR(cat=a))"), "Invalid LDAP Search Parameter");
  EXPECT_EQ(refusal_of("(dog=a)"), "Invalid Search Parameter: LDAP attribute name must be 'cat'");
}

TEST(Filter, DepthLengthAndTermsAreBounded) {
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "(NOT";
  EXPECT_NE(refusal_of(deep), "");
  EXPECT_NE(refusal_of("+" + std::string(5000, 'a')), "");
  std::string many;
  for (int i = 0; i < 101; ++i) many += "+t";
  EXPECT_NE(refusal_of(many), "");
}

TEST(Filter, SaysWhichTermsAMatchNeeds) {
  using Sets = std::vector<std::vector<std::string>>;
  EXPECT_EQ(Filter::parse("+b+a").required(), (Sets{{"a", "b"}}));
  EXPECT_EQ(Filter::parse("(AND(cat=a)(OR(cat=b)(cat=c))(NOT(cat=d)))").required(), (Sets{{"a"}, {"b", "c"}}));
  EXPECT_EQ(Filter::parse("(OR(cat=a)(AND(cat=b)(cat=c)))").required(), (Sets{{"a", "b"}}));
  EXPECT_TRUE(Filter::parse("(NOT(cat=a))").required().empty());
  EXPECT_TRUE(Filter::parse("(OR(cat=a)(NOT(cat=b)))").required().empty());
}

TEST(Filter, BothIsWhatMatchesEach) {
  const Filter both = Filter::both(Filter::parse("+a+b"), Filter::parse("+t"));
  EXPECT_TRUE(both.matches({"a", "t"}));
  EXPECT_FALSE(both.matches({"a"}));
  EXPECT_FALSE(both.matches({"t"}));
  EXPECT_EQ(both.required().size(), 2U);
  EXPECT_EQ(Filter::parse(both.canonical()).canonical(), both.canonical());
  EXPECT_EQ(Filter::both(Filter::parse("+t"), Filter::parse("(cat=T)")).canonical(), "+t");
}

}  // namespace
}  // namespace courant::feeds
