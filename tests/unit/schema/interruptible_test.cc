// Reasonable grammars, and documents that libxml2 would judge for minutes or days: they are refused, nothing of them is
// left, and the next one is judged as ever.
#include "schema/interruptible.h"

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "schema/door.h"
#include "schema/grammar.h"
#include "tests/support/temporary_folder.h"

namespace courant::schema {
namespace {

constexpr const char* kRng =
    "xmlns='http://relaxng.org/ns/structure/1.0' "
    "datatypeLibrary='http://www.w3.org/2001/XMLSchema-datatypes'";

// Letters of a text that a pattern takes some seconds for. ThreadSanitizer, which makes them many more, tells of
// signals only when it has ended.
#ifdef __SANITIZE_THREAD__
constexpr std::size_t kMany = 1000;
#else
constexpr std::size_t kMany = 1800;
#endif

std::string repeated(int times, const std::string& text) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class Interruptible : public testing::Test {
 protected:
  Grammar grammar(const std::string& text) {
    std::ofstream(folder_.path() / "grammar.rng") << text;
    Result<Grammar> loaded = Grammar::load(Folder(folder_.path().string()), "grammar.rng");
    if (!loaded) throw std::runtime_error(loaded.fault().detail);
    return *std::move(loaded);
  }
  static std::string rule_of(const Grammar& grammar, const std::string& text) {
    const Result<Document> document = admit(text);
    if (!document) return document.fault().detail;
    const std::optional<Breach> breach = grammar.breach_of(*document);
    return breach ? breach->name + ": " + breach->rule : "good";
  }
  const std::string tired_ = "r: it takes more than 1s of the processor to judge it";
  const test::TemporaryFolder folder_;
};

// What has no memory to ask for while it goes back and forth.
TEST_F(Interruptible, PatternsThatCanBeReadInManyWays) {
  const std::string pattern = "[a-z]*[a-z0-9]*[a-z]*-";
  const Grammar rng = grammar("<element name='r' " + std::string(kRng) +
                              "><zeroOrMore><element name='v'><data type='string'><param name='pattern'>" + pattern +
                              "</param></data></element></zeroOrMore></element>");
  const Grammar xsd = grammar(
      "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='r'><xs:complexType><xs:sequence>"
      "<xs:element name='v' maxOccurs='unbounded'><xs:simpleType><xs:restriction base='xs:string'><xs:pattern value='" +
      pattern +
      "'/></xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:complexType></xs:element>"
      "</xs:schema>");
  const std::string hostile = "<r><v>" + std::string(kMany, 'a') + "</v></r>";
  for (const Grammar& judge : {rng, xsd}) {
    EXPECT_EQ(rule_of(judge, hostile), tired_);
    EXPECT_EQ(rule_of(judge, "<r><v>abc-</v></r>"), "good");
    EXPECT_NE(rule_of(judge, "<r><v>abc</v></r>"), "good");
  }
}

TEST_F(Interruptible, ElementsThatMayBeOneOrTheOtherAtEachLevel) {
  const auto either = [](const std::string& name, const std::string& attribute) {
    return "<define name='" + name + "'><element name='a'>" + attribute +
           "<zeroOrMore><choice><ref name='x'/><ref name='y'/></choice></zeroOrMore></element></define>";
  };
  const Grammar judge = grammar("<grammar " + std::string(kRng) +
                                "><start><element name='r'><choice><ref name='x'/><ref name='y'/></choice></element>"
                                "</start>" +
                                either("x", "<attribute name='k'><value>1</value></attribute>") +
                                either("y", "<optional><attribute name='k'/></optional>") + "</grammar>");
  const auto nested = [](int levels, const std::string& inside) {
    return "<r>" + repeated(levels, "<a k='1'>") + inside + repeated(levels, "</a>") + "</r>";
  };
  EXPECT_EQ(rule_of(judge, nested(60, "<b/>")), tired_);
  EXPECT_EQ(rule_of(judge, nested(4, "")), "good");
  EXPECT_NE(rule_of(judge, nested(4, "<b/>")), "good");
}

TEST_F(Interruptible, VeryManyElementsThatMayBeGroupedInManyWays) {
  const std::string a = "<element name='a'><empty/></element>";
  const Grammar judge =
      grammar("<element name='r' " + std::string(kRng) + "><zeroOrMore><choice><group>" + a + a + "</group>" + a +
              "</choice></zeroOrMore><element name='b'><empty/></element></element>");
  EXPECT_EQ(rule_of(judge, "<r>" + repeated(400'000, "<a/>") + "</r>"), tired_);
  EXPECT_EQ(rule_of(judge, "<r><a/><a/><a/><b/></r>"), "good");
}

TEST_F(Interruptible, WhatIsLeftHoldsNothingOfTheDocument) {
  const Grammar judge = grammar(
      "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='r'><xs:complexType><xs:sequence>"
      "<xs:element name='i' minOccurs='0' maxOccurs='unbounded'><xs:complexType><xs:attribute name='n' type='xs:ID'/>"
      "</xs:complexType></xs:element><xs:element name='v' minOccurs='0'><xs:simpleType><xs:restriction "
      "base='xs:string'>"
      "<xs:pattern value='[a-z]*[a-z0-9]*[a-z]*-'/></xs:restriction></xs:simpleType></xs:element></xs:sequence>"
      "</xs:complexType></xs:element></xs:schema>");
  const std::string hostile = "<r xml:id='top'><i n='a'/><i n='b'/><v>" + std::string(kMany, 'a') + "</v></r>";
  const Result<Document> document = admit(hostile);
  for (int again = 0; again < 2; ++again) {
    const std::optional<Breach> breach = judge.breach_of(*document);
    ASSERT_TRUE(breach);
    EXPECT_EQ(breach->name + ": " + breach->rule, tired_);
  }
  EXPECT_EQ(rule_of(judge, "<r><i n='a'/><i n='b'/></r>"), "good");
  EXPECT_NE(rule_of(judge, "<r><i n='a'/><i n='a'/></r>"), "good") << "an identifier stands for one element";
}

TEST_F(Interruptible, AFirstTryIsGivenUpAndTheNextOneHasItsTime) {
  const Grammar judge = grammar("<element name='r' " + std::string(kRng) +
                                "><data type='string'><param name='pattern'>[a-z]*[a-z0-9]*[a-z]*-</param></data>"
                                "</element>");
  const Result<Document> slow = admit("<r>" + std::string(300, 'a') + "</r>");
  EXPECT_THROW(judge.breach_of(*slow, kFirstTry), OutOfPatience);
  const std::optional<Breach> breach = judge.breach_of(*slow);
  ASSERT_TRUE(breach);
  EXPECT_NE(breach->name + ": " + breach->rule, tired_) << "it has come to its end";
  const Result<Document> quick = admit("<r>abc-</r>");
  EXPECT_FALSE(judge.breach_of(*quick, kFirstTry));
}

TEST_F(Interruptible, ThreadsAreLeftEachForItself) {
  const Grammar judge = grammar("<element name='r' " + std::string(kRng) +
                                "><data type='string'><param name='pattern'>[a-z]*[a-z0-9]*[a-z]*-</param></data>"
                                "</element>");
  std::vector<std::string> hostile(2);
  std::vector<std::string> honest(2);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] { hostile[i] = rule_of(judge, "<r>" + std::string(kMany, 'a') + "</r>"); });
    threads.emplace_back([&, i] {
      for (int times = 0; times < 1000; ++times) honest[i] = rule_of(judge, "<r>abc-</r>");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(hostile, std::vector<std::string>(2, tired_));
  EXPECT_EQ(honest, std::vector<std::string>(2, "good"));
}

}  // namespace
}  // namespace courant::schema
