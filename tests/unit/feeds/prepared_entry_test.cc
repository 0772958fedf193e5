#include "feeds/prepared_entry.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/contents.h"

namespace courant::feeds {
namespace {

const EntryRules kRules{.default_author = "Courant", .base = "http://feeds.example/demo/events/"};
constexpr std::string_view kTimes =
    "<published>2026-11-24T09:30:00.000000Z</published>"
    "<updated>2026-11-24T09:30:00.000000Z</updated>";

PreparedEntry read(const std::string& text) {
  Result<PreparedEntry> entry = read_entry(text, kRules);
  EXPECT_TRUE(entry) << text << (entry ? "" : entry.fault().detail);
  return entry ? *std::move(entry) : PreparedEntry();
}

std::string fault_of(const std::string& text) {
  const Result<PreparedEntry> entry = read_entry(text, kRules);
  return entry ? "accepted" : entry.fault().detail;
}

std::string entry_with(const std::string& children) {
  return "<entry xmlns=\"http://www.w3.org/2005/Atom\">" + children + "</entry>";
}

std::string stored(const PreparedEntry& entry) {
  return entry.before_times + std::string(kTimes) + entry.after_times;
}

TEST(ReadEntry, WritesAtomWithoutPrefixAndKeepsForeignMarkup) {
  const PreparedEntry entry = read(
      "<?xml version='1.0'?><!-- outside --><a:entry xmlns:a='http://www.w3.org/2005/Atom' xmlns='urn:x'>\n"
      "  <a:id>urn:example:1</a:id>\n  <a:title>T</a:title>\n"
      "  <a:content type='application/xml'><event b='2' a='1'/></a:content>\n</a:entry>");
  EXPECT_EQ(entry.id, "urn:example:1");
  EXPECT_EQ(stored(entry), "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:example:1</id>" + std::string(kTimes) +
                               "<author><name>Courant</name></author><title>T</title><content type=\"application/xml\">"
                               "<event xmlns=\"urn:x\" a=\"1\" b=\"2\"></event></content></entry>");
  EXPECT_FALSE(entry.canonical.has_value());
}

TEST(ReadEntry, KeepsElementsInNoNamespaceInNone) {
  const PreparedEntry entry = read(
      "<a:entry xmlns:a='http://www.w3.org/2005/Atom'><a:content type='text/xml'><x><y/></x>"
      "</a:content></a:entry>");
  EXPECT_NE(entry.after_times.find("<x xmlns=\"\"><y></y></x>"), std::string::npos) << entry.after_times;
}

TEST(ReadEntry, DigestDoesNotDependOnHowTheSameEntryIsWritten) {
  const PreparedEntry one = read(entry_with("<id>urn:a</id><title>T</title><content>x &amp; y</content>"));
  const PreparedEntry two = read(
      "<a:entry xmlns:a='http://www.w3.org/2005/Atom' xmlns:unused='urn:u'>\n <a:title>T</a:title>\n"
      " <a:content><![CDATA[x & y]]></a:content><a:updated>2020-01-01T00:00:00Z</a:updated>"
      "<a:link rel='self' href='http://x/'/><a:id>urn:other</a:id></a:entry>");
  EXPECT_EQ(one.content_digest, two.content_digest);
  EXPECT_NE(one.content_digest, read(entry_with("<title>T</title><content>x &amp; z</content>")).content_digest);
}

TEST(ReadEntry, WhatIsStoredReadsAsTheSameContent) {
  const PreparedEntry one =
      read(entry_with("<title>T</title><author><name>A</name></author><!-- c --><?pi x?>"
                      "<category term='tid:1'/><content type='xhtml'><div "
                      "xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div></content>"));
  EXPECT_EQ(read(stored(one)).content_digest, one.content_digest);
}

TEST(ReadEntry, KeepsADeclarationThatContentMayMean) {
  const PreparedEntry entry = read(
      "<entry xmlns='http://www.w3.org/2005/Atom' xmlns:xs='http://www.w3.org/2001/XMLSchema'><content "
      "type='application/xml'><v xmlns='urn:x' type='xs:string'>1</v></content></entry>");
  ASSERT_TRUE(entry.canonical.has_value());
  EXPECT_NE(entry.before_times.find("xmlns:xs="), std::string::npos);
  EXPECT_EQ(entry.canonical->before_times.find("xmlns:xs="), std::string::npos);
}

TEST(SetMedia, IsTheLastElementOfBothFormsAndPartOfTheDigest) {
  const MediaFacts facts{"text/plain; a=\"b\"", 3, sha256("one"), "0192f000-0000-7000-8000-000000000000"};
  PreparedEntry entry = read(
      "<entry xmlns='http://www.w3.org/2005/Atom' xmlns:xs='http://www.w3.org/2001/XMLSchema'>"
      "<v xmlns='urn:x' type='xs:string'>1</v></entry>");
  ASSERT_TRUE(entry.canonical.has_value());
  const Sha256 before = entry.content_digest;
  set_media(entry, facts);
  const std::string element =
      "<media xmlns=\"urn:courant:entry:1\" length=\"3\" "
      "sha256=\"7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\" "
      "type=\"text/plain; a=&quot;b&quot;\"></media></entry>";
  EXPECT_TRUE(entry.after_times.ends_with(element)) << entry.after_times;
  EXPECT_TRUE(entry.canonical->after_times.ends_with(element));
  EXPECT_NE(entry.content_digest, before);
  EXPECT_EQ(entry.content_type, facts.type);
}

TEST(ReadEntry, DropsWhatOnlyTheServerSays) {
  const PreparedEntry entry = read(entry_with(
      "<title>t</title><content>c</content><media xmlns='urn:courant:entry:1' sha256='00'/>"
      "<link rel='edit-media' href='http://x.example/'/><edited xmlns='http://www.w3.org/2007/app'>x</edited>"));
  EXPECT_EQ(entry.after_times, "<author><name>Courant</name></author><title>t</title><content>c</content></entry>");
  EXPECT_EQ(read(entry_with("<title>t</title><content>c</content>")).content_digest, entry.content_digest);
}

TEST(ReadEntry, OfAMediaLinkEntryTheContentIsTheServers) {
  EntryRules rules = kRules;
  rules.is_media_link = true;
  const Result<PreparedEntry> entry = read_entry(entry_with("<title>t</title><content>c</content>"), rules);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->after_times.find("content"), std::string::npos);
  EXPECT_NE(entry->after_times.find("<summary></summary>"), std::string::npos);
  EXPECT_FALSE(entry->needs_alternate);
}

TEST(ReadEntry, NotesTermsTypesAndWhatIsMissing) {
  const PreparedEntry entry = read(entry_with("<category term='b'/><category term='a'/><category term='b'/>"));
  EXPECT_EQ(entry.terms, (std::vector<std::string>{"b", "a"}));
  EXPECT_TRUE(entry.needs_alternate);
  EXPECT_TRUE(entry.id.empty());
  EXPECT_FALSE(read(entry_with("<link href='http://x/'/>")).needs_alternate);
}

TEST(ReadEntry, GivesRelativeReferencesABase) {
  const PreparedEntry entry = read(entry_with("<link href='other'/>"));
  EXPECT_NE(entry.before_times.find("xml:base=\"http://feeds.example/demo/events/\""), std::string::npos);
  EXPECT_EQ(entry.content_digest, read(entry_with("<link href='other'/>")).content_digest);
}

TEST(ReadEntry, RefusesWhatIsNoWellFormedXmlWithLineAndColumn) {
  const Result<PreparedEntry> broken =
      read_entry("<entry xmlns='http://www.w3.org/2005/Atom'>\n<title>x</entry>", kRules);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.fault().line, 2);
  EXPECT_GT(broken.fault().column, 0);
  for (const char* text :
       {"", " ", "x", "<entry", "<entry xmlns='http://www.w3.org/2005/Atom'/><x/>",
        "<entry xmlns='http://www.w3.org/2005/Atom'><p:x/></entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom'><x a='1' a='2'/></entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom' xmlns:p='urn:x' xmlns:q='urn:x'><x p:a='1' q:a='2'/></entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom'>&#1;</entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom'>&nbsp;</entry>",
        "<!DOCTYPE entry [<!ENTITY a 'b'>]><entry xmlns='http://www.w3.org/2005/Atom'/>",
        "<entry xmlns='http://www.w3.org/2005/Atom'>\xff</entry>",
        "<?xml version='1.0' encoding='ISO-8859-1'?><entry xmlns='http://www.w3.org/2005/Atom'/>",
        "<entry xmlns='http://www.w3.org/2005/Atom' xmlns:r='relative'><r:x/></entry>"}) {
    EXPECT_NE(fault_of(text), "accepted") << text;
  }
}

TEST(ReadEntry, RefusesWhatIsNoValidAtomEntry) {
  const std::vector<std::string> bad = {"<title>a</title><title>b</title>",
                                        "<title type='x'>a</title>",
                                        "<title>a<b/></title>",
                                        "<title other='x'>a</title>",
                                        "<id>relative</id>",
                                        "<id>urn:a</id><id>urn:b</id>",
                                        "<updated> </updated>",
                                        "<updated>yesterday</updated>",
                                        "<author/>",
                                        "<author><name>a</name><name>b</name></author>",
                                        "<author><name>a</name><email>nobody</email></author>",
                                        "<link/>",
                                        "<link href='http://x/'/><link href='http://y/' rel='alternate'/>",
                                        "<category/>",
                                        "<content src='http://x/'>text</content>",
                                        "<content src='http://x/'/>",
                                        "<content type='image/png'>AAAA</content>",
                                        "<content type='xhtml'>x</content>",
                                        "<content type='nonsense'>x</content>",
                                        "<content>a</content><content>b</content>",
                                        "<summary type='xhtml'><p xmlns='http://www.w3.org/1999/xhtml'/></summary>",
                                        "<entry/>",
                                        "<unknown/>",
                                        "<source><entry/></source>",
                                        "text"};
  for (const std::string& children : bad) EXPECT_NE(fault_of(entry_with(children)), "accepted") << children;
  EXPECT_NE(fault_of("<feed xmlns='http://www.w3.org/2005/Atom'/>"), "accepted");
  EXPECT_NE(fault_of("<entry/>"), "accepted");
  EXPECT_EQ(fault_of(entry_with("<updated/>")), "atom:updated is blank");
}

TEST(ReadEntry, TakesKindlyWhatAtomHoppersClientsSend) {
  EXPECT_TRUE(read(entry_with("<id/><published>never</published>")).id.empty());
  EXPECT_NE(read(entry_with("")).after_times.find("<title></title>"), std::string::npos);
  const EntryRules lenient{.default_author = "C", .base = "http://x/", .lenient = true};
  EXPECT_TRUE(read_entry(entry_with("<unknown/>"), lenient));
}

TEST(ReadEntry, StopsDeepAndWideDocuments) {
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "<x xmlns='urn:x'>";
  for (int i = 0; i < 200; ++i) deep += "</x>";
  EXPECT_NE(fault_of(entry_with("<content type='text/xml'>" + deep + "</content>")), "accepted");
  std::string terms;
  for (int i = 0; i < 201; ++i) terms += "<category term='" + std::to_string(i) + "'/>";
  EXPECT_NE(fault_of(entry_with(terms)), "accepted");
  EXPECT_NE(fault_of(entry_with("<id>urn:" + std::string(2048, 'x') + "</id>")), "accepted");
}

TEST(ReadEntry, TakesAllRealEvents) {
  const std::filesystem::path folder = COURANT_SOURCE_DIR "/../shared/data/cloudfeeds";
  if (!std::filesystem::exists(folder)) {
    std::cout << "the 183 real events are not here: only our own samples were read\n";
    return;
  }
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string text = test::contents_of(file.path());
    const PreparedEntry entry = read(text);
    const PreparedEntry again = read(stored(entry));
    EXPECT_EQ(stored(again), stored(entry)) << file.path();
    ++count;
  }
  EXPECT_EQ(count, 183);
}

}  // namespace
}  // namespace courant::feeds
