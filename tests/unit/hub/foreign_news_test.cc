#include "hub/foreign_news.h"

#include <chrono>

#include <gtest/gtest.h>

#include "kernel/digest.h"

namespace courant::hub {
namespace {

constexpr const char* kAtomType = "application/atom+xml;type=feed;charset=utf-8";
constexpr const char* kRssType = "application/rss+xml";

std::string atom_entry(const std::string& id, const std::string& content) {
  return "<entry><id>" + id + "</id><title>t</title><updated>2026-01-01T00:00:00Z</updated><content>" + content +
         "</content></entry>\n  ";
}
std::string atom(const std::string& entries, const std::string& more = {}) {
  return "<?xml version='1.0'?><?style x?>\n<feed xmlns='http://www.w3.org/2005/Atom'>\n  <id>urn:f</id>"
         "<title>F</title><updated>2026-01-01T00:00:00Z</updated>" +
         more + "\n  " + entries + "</feed>";
}
std::string rss(const std::string& items) {
  return "<rss version='2.0' xmlns:m='urn:m'><channel><title>T</title><link>http://x.example/</link>" + items +
         "</channel></rss>";
}

// A topic as it is fetched again and again.
class Fetching {
 public:
  explicit Fetching(std::string content_type) : content_type_(std::move(content_type)) {}
  ForeignNews fetch(const std::string& body) {
    const Result<ForeignNews> news = news_of(body, content_type_, known_);
    EXPECT_TRUE(news) << (news ? "" : with_place(news.fault()));
    if (!news) return {};
    known_ = news->known;
    return *news;
  }

 private:
  const std::string content_type_;
  std::optional<std::string> known_;
};

bool holds(const ForeignNews& news, const std::string& text) {
  return news.body.find(text) != std::string::npos;
}

TEST(ForeignNews, TheFirstFetchIsNoNews) {
  Fetching topic(kAtomType);
  const ForeignNews first = topic.fetch(atom(atom_entry("urn:1", "a")));
  EXPECT_EQ(first.entries, 0);
  EXPECT_EQ(first.body, "");
  EXPECT_EQ(topic.fetch(atom(atom_entry("urn:1", "a"))).entries, 0);
}

TEST(ForeignNews, NewAndChangedEntriesAreNewsInADocumentWithTheFeedsMetadata) {
  Fetching topic(kAtomType);
  topic.fetch(atom(atom_entry("urn:1", "a") + atom_entry("urn:2", "b")));
  const ForeignNews news =
      topic.fetch(atom(atom_entry("urn:3", "c") + atom_entry("urn:2", "edited") + atom_entry("urn:1", "a"),
                       "<link rel='hub' href='http://other.example/hub'/>"));
  EXPECT_EQ(news.entries, 2);
  EXPECT_FALSE(news.is_whole);
  EXPECT_EQ(news.content_type, kAtomType);
  EXPECT_EQ(news.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:f</id><title>F</title>"
            "<updated>2026-01-01T00:00:00Z</updated><link rel=\"hub\" href=\"http://other.example/hub\"/>"
            "<entry><id>urn:3</id><title>t</title><updated>2026-01-01T00:00:00Z</updated><content>c</content></entry>"
            "<entry><id>urn:2</id><title>t</title><updated>2026-01-01T00:00:00Z</updated>"
            "<content>edited</content></entry></feed>\n");
}

TEST(ForeignNews, WhatIsOnlyWrittenOtherwiseIsTheSame) {
  Fetching topic(kAtomType);
  topic.fetch("<feed xmlns='http://www.w3.org/2005/Atom'><entry a='1' b=\"2\"><id>urn:1</id></entry></feed>");
  EXPECT_EQ(topic
                .fetch("<a:feed xmlns:a='http://www.w3.org/2005/Atom'>\n<entry xmlns='http://www.w3.org/2005/Atom' "
                       "b='2'\n a='&#49;'><id>urn:1</id></entry></a:feed>")
                .entries,
            0);
}

TEST(ForeignNews, AnEntryThatIsChangedBackHasChanged) {
  Fetching topic(kAtomType);
  topic.fetch(atom(atom_entry("urn:1", "a")));
  EXPECT_EQ(topic.fetch(atom(atom_entry("urn:1", "b"))).entries, 1);
  EXPECT_EQ(topic.fetch(atom(atom_entry("urn:1", "a"))).entries, 1);
}

TEST(ForeignNews, AnEntryThatComesBackAsItWasIsNoNews) {
  Fetching topic(kAtomType);
  topic.fetch(atom(atom_entry("urn:1", "a") + atom_entry("urn:2", "b")));
  EXPECT_EQ(topic.fetch(atom("")).entries, 0) << "an origin that is empty for a moment";
  EXPECT_EQ(topic.fetch(atom(atom_entry("urn:1", "a") + atom_entry("urn:2", "b"))).entries, 0);
  EXPECT_EQ(topic.fetch(atom(atom_entry("urn:1", "a"))).entries, 0) << "nothing is deleted by leaving the feed";
}

// As a feed of Courant has them: every revision, and tombstones.
TEST(ForeignNews, RevisionsOfOneEntryAndTombstonesAreEntries) {
  Fetching topic(kAtomType);
  const std::string two = atom_entry("urn:1", "b") + atom_entry("urn:1", "a");
  topic.fetch(atom(two));
  EXPECT_EQ(topic.fetch(atom(two)).entries, 0);
  const std::string tombstone =
      "<at:deleted-entry xmlns:at='http://purl.org/atompub/tombstones/1.0' ref='urn:1' when='2026-01-01T00:00:00Z'/>";
  const ForeignNews news = topic.fetch(atom(tombstone + two));
  EXPECT_EQ(news.entries, 1);
  EXPECT_TRUE(holds(news, "deleted-entry"));
  EXPECT_FALSE(holds(news, "<entry>"));
  EXPECT_EQ(topic.fetch(atom(tombstone + two)).entries, 0);
}

TEST(ForeignNews, ItemsOfRssAreKnownByGuidElseByLinkElseByContent) {
  Fetching topic(kRssType);
  const std::string guid = "<item><guid>g1</guid><link>http://x.example/1</link><description>a</description></item>";
  const std::string link = "<item><link>http://x.example/2</link><description>b</description></item>";
  const std::string neither = "<item><description>c</description></item>";
  topic.fetch(rss(guid + link));
  const ForeignNews news = topic.fetch(rss(neither + guid + link));
  EXPECT_EQ(news.entries, 1);
  EXPECT_TRUE(holds(news, "<description>c</description>"));
  EXPECT_TRUE(holds(news, "<title>T</title>"));
  EXPECT_FALSE(holds(news, "g1"));
  EXPECT_EQ(news.content_type, kRssType);
  const std::string changed = "<item><link>http://x.example/2</link><description>B</description></item>";
  EXPECT_EQ(topic.fetch(rss(neither + guid + changed)).entries, 1);
  EXPECT_EQ(topic.fetch(rss(neither + guid + changed)).entries, 0);
}

TEST(ForeignNews, DeclarationsThatOnlyContentMeansAreKept) {
  Fetching topic(kRssType);
  topic.fetch(rss(""));
  EXPECT_TRUE(holds(topic.fetch(rss("<item><guid>1</guid><x type='m:name'/></item>")), "xmlns:m=\"urn:m\""));
}

TEST(ForeignNews, AnythingElseIsNewsAsAWholeWhereItsBytesChange) {
  for (const std::string type : {"application/json", "text/plain; charset=latin1", "application/octet-stream"}) {
    Fetching topic(type);
    EXPECT_EQ(topic.fetch("{\"a\":1}\xFF").entries, 0);
    EXPECT_EQ(topic.fetch("{\"a\":1}\xFF").entries, 0);
    const ForeignNews news = topic.fetch("<feed>\xFF");
    EXPECT_EQ(news.entries, 1);
    EXPECT_TRUE(news.is_whole);
    EXPECT_EQ(news.body, "<feed>\xFF");
    EXPECT_EQ(news.content_type, type);
  }
  EXPECT_EQ(news_of("{}", "application/json", news_of("{}", "text/plain", std::nullopt)->known)->entries, 1);
}

TEST(ForeignNews, XmlThatIsNoFeedIsRelayedAsItIs) {
  const std::string body = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:1</id></entry>";
  const Result<ForeignNews> news = news_of(body, "application/atom+xml;type=entry", "");
  ASSERT_TRUE(news);
  EXPECT_TRUE(news->is_whole);
  EXPECT_EQ(news->body, body);
  EXPECT_TRUE(news_of("<rdf xmlns='urn:rdf'/>", "text/xml", "")->is_whole);
  EXPECT_TRUE(news_of("<rss version='2.0'/>", "text/xml", "")->is_whole);
}

TEST(ForeignNews, AFeedIsFoundUnderAnyTypeOfXml) {
  for (const std::string type : {"application/xml", "text/xml; charset=UTF-8", "Application/Atom+XML"}) {
    const Result<ForeignNews> news = news_of(atom(atom_entry("urn:1", "a")), type, "");
    ASSERT_TRUE(news);
    EXPECT_FALSE(news->is_whole);
    EXPECT_EQ(news->content_type, type);
  }
}

// What is written anew is UTF-8 and says so.
TEST(ForeignNews, ACharsetIsBelievedBeforeTheBytes) {
  const std::string body = atom(atom_entry("urn:1", "&#233;"));
  EXPECT_EQ(news_of(body, "text/xml; charset=\"us-ascii\"", "")->content_type, "text/xml;charset=utf-8");
  EXPECT_FALSE(news_of(body, "text/xml; charset=iso-8859-1", ""));
}

TEST(ForeignNews, HostileFeedsAreRefused) {
  std::string laughs = "<!DOCTYPE feed [<!ENTITY a0 \"ha\">";
  for (int i = 1; i < 20; ++i) {
    const std::string one = "&a" + std::to_string(i - 1) + ";";
    laughs += "<!ENTITY a" + std::to_string(i) + " \"" + one + one + one + one + "\">";
  }
  laughs += "]><feed xmlns='http://www.w3.org/2005/Atom'><title>&a19;</title></feed>";
  const std::string external =
      "<!DOCTYPE feed [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
      "<feed xmlns='http://www.w3.org/2005/Atom'><title>&x;</title></feed>";
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<a>";
  std::string many = "<feed xmlns='http://www.w3.org/2005/Atom'>";
  for (int i = 0; i < 10'001; ++i) many += "<entry/>";
  for (const std::string& body :
       {laughs, external, std::string("<!DOCTYPE feed><feed xmlns='http://www.w3.org/2005/Atom'/>"),
        std::string("<feed xmlns='http://www.w3.org/2005/Atom'>"), std::string("<feed>\xE9</feed>"), std::string(),
        std::string("<?xml version='1.0' encoding='ISO-8859-1'?><feed/>"), std::string("\xFF\xFE<\0f\0/\0>\0", 10),
        std::string("<a:feed/>"), std::string("{}"), deep, many + "</feed>"}) {
    EXPECT_FALSE(news_of(body, kAtomType, "")) << body.substr(0, 60);
    EXPECT_FALSE(news_of(body, kAtomType, std::nullopt)) << body.substr(0, 60);
  }
}

// What is remembered is bounded, and the newest of it stays.
TEST(ForeignNews, AMillionEntriesAreNotRemembered) {
  std::optional<std::string> known = news_of(atom(""), kAtomType, std::nullopt)->known;
  for (int round = 0; round < 6; ++round) {
    std::string entries;
    for (int i = 0; i < 3000; ++i) entries += atom_entry("urn:" + std::to_string(round * 3000 + i), "x");
    const Result<ForeignNews> news = news_of(atom(entries), kAtomType, known);
    ASSERT_TRUE(news);
    EXPECT_EQ(news->entries, 3000);
    known = news->known;
  }
  EXPECT_EQ(known->size(), 10'000U * 32);
  EXPECT_EQ(news_of(atom(atom_entry("urn:9000", "x")), kAtomType, known)->entries, 0);
}

TEST(ForeignNews, WhateverIsRememberedDoesNoHarm) {
  for (const std::string& known : {std::string(), std::string("x"), std::string(31, 'x'), std::string(1000, '\0')}) {
    EXPECT_EQ(news_of(atom(atom_entry("urn:1", "a")), kAtomType, known)->entries, 1);
    EXPECT_EQ(news_of("{}", "application/json", known)->entries, 1);
  }
}

}  // namespace
}  // namespace courant::hub
