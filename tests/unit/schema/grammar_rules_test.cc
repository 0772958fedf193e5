// Grammars and assertions that documents are held against.
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "schema/assertion.h"
#include "schema/breach.h"
#include "schema/door.h"
#include "schema/grammar.h"
#include "tests/support/temporary_folder.h"

namespace courant::schema {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEventRng = R"(<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="urn:example:event"
    datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start><ref name="event"/></start>
  <define name="event"><element name="event">
    <attribute name="tenant"><data type="positiveInteger"/></attribute>
    <element name="region"><choice><value>LON</value><value>DFW</value></choice></element>
    <zeroOrMore><element name="size"><data type="integer"/></element></zeroOrMore>
  </element></define>
</grammar>)";

constexpr const char* kUsageXsd =
    R"(<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:usage"
    xmlns="urn:example:usage" elementFormDefault="qualified">
  <xs:element name="usage"><xs:complexType><xs:sequence>
    <xs:element name="bytes" type="xs:nonNegativeInteger" maxOccurs="unbounded"/>
  </xs:sequence><xs:attribute name="kind" use="required"><xs:simpleType><xs:restriction base="xs:string">
    <xs:enumeration value="in"/><xs:enumeration value="out"/></xs:restriction></xs:simpleType></xs:attribute>
  </xs:complexType></xs:element>
</xs:schema>)";

class GrammarRules : public testing::Test {
 protected:
  GrammarRules() {
    fs::create_directories(top_ / "folder/parts");
    put("folder/event.rng", kEventRng);
    put("folder/usage.xsd", kUsageXsd);
  }

  void put(const std::string& name, const std::string& text) { std::ofstream(top_ / name) << text; }
  Result<Grammar> load(const std::string& name) { return Grammar::load(Folder((top_ / "folder").string()), name); }
  std::string fault_of(const std::string& name) {
    const Result<Grammar> grammar = load(name);
    return grammar ? "" : grammar.fault().detail;
  }

  // "element: rule at line:column"; empty: it is as the grammar wants it.
  std::string judged(const std::string& name, const std::string& xml) {
    const Result<Grammar> grammar = load(name);
    if (!grammar) return grammar.fault().detail;
    const Result<Document> document = admit(xml);
    if (!document) return document.fault().detail;
    const std::optional<Breach> breach = grammar->breach_of(*document);
    if (!breach) return "";
    const Place place = place_of(xml, breach->element);
    return breach->name + ": " + breach->rule + " at " + std::to_string(place.line) + ":" +
           std::to_string(place.column);
  }

  const test::TemporaryFolder folder_;
  const fs::path& top_ = folder_.path();
};

TEST_F(GrammarRules, RelaxNgTellsTheInnermostElementItsLineAndColumn) {
  EXPECT_EQ(
      judged("event.rng", "<event xmlns='urn:example:event' tenant='7'><region>LON</region><size>3</size></event>"),
      "");
  EXPECT_EQ(judged("event.rng",
                   "<event xmlns='urn:example:event' tenant='7'>\n  <region>LON</region>\n  <size>3</size> <size>"
                   "much</size></event>"),
            "size: Type integer doesn't allow value 'much' at 3:18");
  const std::string wrong = judged("event.rng", "<event xmlns='urn:example:event' tenant='7'><colour/></event>");
  EXPECT_EQ(wrong, "colour: Did not expect element colour there at 1:45");
  EXPECT_EQ(judged("event.rng", "<event xmlns='urn:example:event'><region>LON</region></event>"),
            "event: Element event failed to validate attributes at 1:1");
}

TEST_F(GrammarRules, XmlSchemaDoesTheSame) {
  EXPECT_EQ(judged("usage.xsd", "<usage xmlns='urn:example:usage' kind='in'><bytes>3</bytes></usage>"), "");
  const std::string negative = judged(
      "usage.xsd", "<!-- <usage> --><usage xmlns='urn:example:usage' kind='in'>\n<bytes a='>'>-3</bytes></usage>");
  EXPECT_TRUE(negative.starts_with("bytes: ")) << negative;
  EXPECT_TRUE(negative.ends_with(" at 2:1")) << negative;
  const std::string kind = judged("usage.xsd", "<usage xmlns='urn:example:usage' kind='up'><bytes>3</bytes></usage>");
  EXPECT_NE(kind.find("enumeration"), std::string::npos) << kind;
}

TEST_F(GrammarRules, AGrammarSaysWhatItIsFor) {
  EXPECT_TRUE(load("event.rng")->is_for("urn:example:event"));
  EXPECT_FALSE(load("event.rng")->is_for("urn:example:usage"));
  EXPECT_TRUE(load("usage.xsd")->is_for("urn:example:usage"));
  put("folder/two.rng",
      R"(<grammar xmlns="http://relaxng.org/ns/structure/1.0" xmlns:a="urn:a"><include href="parts/p.rng"/>
      <start combine="choice"><element name="a:x"><empty/></element></start></grammar>)");
  put("folder/parts/p.rng", R"(<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="urn:b"><start combine="choice">
      <choice><ref name="p"/><ref name="q"/></choice></start>
      <define name="p"><element name="p"><empty/></element></define>
      <define name="q"><element><name ns="urn:c">q</name><text/></element></define></grammar>)");
  EXPECT_EQ(load("two.rng")->namespaces(), "urn:a, urn:b, urn:c");
  put("folder/any.rng", R"(<element xmlns="http://relaxng.org/ns/structure/1.0"><anyName/><text/></element>)");
  EXPECT_TRUE(load("any.rng")->is_for_any());
}

TEST_F(GrammarRules, AnElementInsideIsJudgedAsADocument) {
  const std::string xml =
      "<entry xmlns='http://www.w3.org/2005/Atom' xmlns:e='urn:example:event'><content type='application/xml'>"
      "<e:event tenant='7'><e:region>LON</e:region><e:size>x</e:size></e:event></content></entry>";
  const Result<Document> document = admit(xml);
  const Element content = Element::root_of(*document).children().front();
  const std::optional<Breach> breach = load("event.rng")->breach_of(content.children().front());
  ASSERT_TRUE(breach);
  EXPECT_EQ(breach->name, "size");
  EXPECT_EQ(breach->element, 2U);
  EXPECT_EQ(content.children().front().number(), 2U);
}

TEST_F(GrammarRules, WhatCannotBeUsedIsAFaultThatNamesTheFile) {
  EXPECT_NE(fault_of("absent.rng").find("there is no file absent.rng"), std::string::npos);
  put("folder/broken.rng",
      "<grammar xmlns='http://relaxng.org/ns/structure/1.0'><start><ref name='gone'/></start></grammar>");
  EXPECT_NE(fault_of("broken.rng").find("broken.rng"), std::string::npos) << fault_of("broken.rng");
  put("folder/compact.rnc", "start = element a { text }");
  EXPECT_NE(fault_of("compact.rnc").find("trang compact.rnc compact.rng"), std::string::npos)
      << fault_of("compact.rnc");
  put("folder/other.xml", "<other/>");
  EXPECT_NE(fault_of("other.xml").find("neither"), std::string::npos);
  put("folder/type.xsd",
      "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a' type='gone'/></xs:schema>");
  EXPECT_NE(fault_of("type.xsd").find("gone"), std::string::npos);
}

TEST_F(GrammarRules, NothingIsReadOutsideOfTheFolderAndNothingFetched) {
  put("secret.rng",
      "<grammar xmlns='http://relaxng.org/ns/structure/1.0'><define name='x'><empty/></define></grammar>");
  for (const std::string& href : {std::string("../secret.rng"), (top_ / "secret.rng").string(),
                                  std::string("http://127.0.0.1:1/x.rng"), std::string("/etc/passwd")}) {
    put("folder/out.rng", "<grammar xmlns='http://relaxng.org/ns/structure/1.0'><include href='" + href +
                              "'/><start><element name='a'><empty/></element></start></grammar>");
    EXPECT_NE(fault_of("out.rng"), "") << href;
    put("folder/out.xsd", "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:include schemaLocation='" + href +
                              "'/><xs:element name='a'/></xs:schema>");
    EXPECT_NE(fault_of("out.xsd"), "") << href;
  }
  put("folder/entities.rng",
      "<!DOCTYPE grammar [<!ENTITY e 'x'>]><element name='&e;' "
      "xmlns='http://relaxng.org/ns/structure/1.0'><empty/></element>");
  EXPECT_NE(fault_of("entities.rng").find("DOCTYPE"), std::string::npos);
}

// A document could name a schema of its own, which would be loaded into the one that all threads share.
TEST_F(GrammarRules, ADocumentCannotNameItsSchema) {
  put("folder/own.xsd",
      "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' targetNamespace='urn:own'>"
      "<xs:element name='own'/></xs:schema>");
  const std::string xml =
      "<own xmlns='urn:own' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
      "xsi:schemaLocation='urn:own " +
      (top_ / "folder/own.xsd").string() + "'/>";
  EXPECT_NE(judged("usage.xsd", xml), "");
}

TEST_F(GrammarRules, ThreadsShareAGrammar) {
  for (const std::string& name : {std::string("event.rng"), std::string("usage.xsd")}) {
    const Result<Grammar> grammar = load(name);
    ASSERT_TRUE(grammar);
    const std::string good = name == "event.rng"
                                 ? "<event xmlns='urn:example:event' tenant='7'><region>LON</region></event>"
                                 : "<usage xmlns='urn:example:usage' kind='in'><bytes>3</bytes></usage>";
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&grammar, &good] {
        for (int i = 0; i < 300; ++i) {
          const Result<Document> right = admit(good);
          const Result<Document> wrong = admit("<x xmlns='urn:x'/>");
          EXPECT_FALSE(grammar->breach_of(*right));
          EXPECT_TRUE(grammar->breach_of(*wrong));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

std::string asserted(const std::string& xpath, const std::string& xml, const Prefixes& prefixes = {}) {
  const Result<Assertions> assertions = Assertions::compile({{xpath, "it must be so"}}, prefixes);
  if (!assertions) return assertions.fault().detail;
  const Result<Document> document = admit(xml);
  return assertions->broken_by(*document).value_or("");
}

TEST(AssertionRules, HoldOrHaveTheirSentence) {
  const std::string xml = "<entry xmlns='http://www.w3.org/2005/Atom'><category term='a'/><e xmlns='urn:e'/></entry>";
  EXPECT_EQ(asserted("count(atom:category) = 1", xml), "");
  EXPECT_EQ(asserted("/atom:entry/atom:category/@term = 'b'", xml), "it must be so");
  EXPECT_EQ(asserted("e:e", xml, {{"e", "urn:e"}}), "");
}

TEST(AssertionRules, WhatIsNoExpressionIsAFault) {
  EXPECT_NE(asserted("count(", "<a/>").find("count( is no XPath 1.0 expression"), std::string::npos);
  EXPECT_NE(asserted("no:thing", "<a/>").find("is no XPath 1.0 expression"), std::string::npos);
  EXPECT_NE(asserted("unknown-function()", "<a/>").find("is no XPath 1.0 expression"), std::string::npos);
  EXPECT_FALSE(Assertions::compile({{"true()", ""}}, {}));
}

TEST(AssertionRules, WhatTakesTooManyStepsDoesNotHold) {
  std::string xml = "<a>";
  for (int i = 0; i < 3000; ++i) xml += "<b/>";
  EXPECT_EQ(asserted("count(//b[count(//b[count(//b) > 0]) > 0]) > 0", xml + "</a>"), "it must be so");
}

TEST(AssertionRules, AFirstTryIsGivenUpWithoutAVerdict) {
  std::string xml = "<a>";
  for (int i = 0; i < 60; ++i) xml += "<b/>";
  const Result<Document> document = admit(xml + "</a>");
  const Result<Assertions> assertions = Assertions::compile({{"count(//b[count(//b) > 0]) = 60", "it must be so"}}, {});
  EXPECT_THROW(assertions->broken_by(*document, kFirstTry), OutOfPatience);
  EXPECT_FALSE(assertions->broken_by(*document));
}

TEST(Places, AreOfStartTagsInTheBytes) {
  EXPECT_EQ(place_of("<a><b/></a>", 1).column, 4);
  EXPECT_EQ(place_of("<a>\n\xC3\xA9<c/></a>", 1).line, 2);
  EXPECT_EQ(place_of("<a>\n\xC3\xA9<c/></a>", 1).column, 2);
  EXPECT_EQ(place_of("<!-- <x> --><a b='>'><![CDATA[<y>]]><c/></a>", 1).column, 37);
  EXPECT_EQ(place_of("<a/>", 3).line, 0);
}

}  // namespace
}  // namespace courant::schema
