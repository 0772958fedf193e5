// RSS 2.0 and JSON Feed 1.1 as we write them, held against the rules of their specifications, over entries of every
// kind. RSS 2.0: https://www.rssboard.org/rss-specification, and its Best Practices Profile for atom:link and
// dc:creator. JSON Feed: https://www.jsonfeed.org/version/1.1/.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "kernel/time.h"
#include "kernel/uri.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::form_rules_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class FormRulesTest : public testing::Test {
 protected:
  FormRulesTest() {
    for (int number = 1; number <= 40; ++number)
      publish("<title>t" + std::to_string(number) + "</title><content>c</content>");
    publish("<title/><content/>");
    publish(
        "<title type='html'>&lt;b&gt;bold&lt;/b&gt; &amp;amp; more</title><content "
        "type='html'>&lt;p&gt;x&lt;/p&gt;</content>"
        "<summary type='html'>&lt;i&gt;s&lt;/i&gt;</summary>");
    publish(
        "<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <b>b</b></div></title>"
        "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div></content>");
    publish("<title>x</title><content type='application/xml'><a xmlns='urn:a'>&lt;b&gt;</a></content>");
    publish("<title>x</title><content>&lt;b&gt; is text &amp;amp;</content>");
    publish("<title>x</title><summary>only a summary</summary><link rel='alternate' href='http://example.org/x'/>");
    publish(
        "<title>x</title><content type='image/png' src='http://example.org/a.png'/><summary>p</summary>"
        "<author><name>Ada</name></author><author><name>Bo</name></author><category term='a'/><category term='b'/>"
        "<link rel='enclosure' href='http://example.org/b' type='audio/ogg' length='12' title='Sound'/>"
        "<link rel='enclosure' href='http://example.org/c'/>");
  }

  void publish(const std::string& inside) {
    const Reply reply =
        client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'>" + inside + "</entry>");
    ASSERT_EQ(reply.status, 201) << reply.body;
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

void expect_url(const std::string& text, const std::string& where) {
  const std::optional<Uri> uri = parse_uri(text);
  EXPECT_TRUE(uri && (uri->scheme == "http" || uri->scheme == "https")) << where << ": " << text;
}

// RFC 822 with a year of four digits.
void expect_rss_date(const std::string& text) {
  EXPECT_TRUE(parse_http_date(text, SystemClock().now())) << text;
  EXPECT_THAT(text, testing::EndsWith(" GMT"));
}

using Counts = std::map<std::string, int>;
Counts count_children(const pugi::xml_node& parent) {
  Counts counts;
  for (const pugi::xml_node& child : parent.children()) ++counts[child.name()];
  return counts;
}

void expect_rss_item(const pugi::xml_node& item) {
  static const std::set<std::string> kElements = {"title",    "link",     "description", "author",
                                                  "category", "comments", "guid",        "enclosure",
                                                  "pubDate",  "source",   "dc:creator"};
  for (const auto& [name, count] : count_children(item)) {
    EXPECT_TRUE(kElements.contains(name)) << name;
    const bool may_repeat = name == "category" || name == "dc:creator";
    EXPECT_TRUE(may_repeat || count == 1) << name;
  }
  EXPECT_TRUE(item.child("title") || item.child("description")) << "one of them must be present";
  expect_url(item.child_value("link"), "link of an item");
  expect_rss_date(item.child_value("pubDate"));
  EXPECT_STREQ(item.child("guid").attribute("isPermaLink").value(), "false") << "it is an IRI, not a page";
  EXPECT_STRNE(item.child_value("guid"), "");
  if (const pugi::xml_node enclosure = item.child("enclosure")) {
    expect_url(enclosure.attribute("url").value(), "enclosure");
    EXPECT_STRNE(enclosure.attribute("length").value(), "");
    EXPECT_THAT(enclosure.attribute("type").value(), HasSubstr("/"));
  }
}

TEST_F(FormRulesTest, Rss) {
  for (const std::string target :
       {"/demo/events?format=rss", "/demo/events?format=rss&limit=5", "/demo/events?format=rss&marker=20",
        "/demo/events?format=rss&search=%2Ba", "/demo/events?format=rss&search=%2Bnone"}) {
    pugi::xml_document document;
    ASSERT_TRUE(document.load_string(client_.get(target).body.c_str())) << target;
    const pugi::xml_node rss = document.child("rss");
    EXPECT_STREQ(rss.attribute("version").value(), "2.0");
    EXPECT_EQ(count_children(rss), (Counts{{"channel", 1}})) << "subordinate to rss is a single channel";
    const pugi::xml_node channel = rss.child("channel");
    Counts counts = count_children(channel);
    for (const char* const required : {"title", "link", "description"}) {
      EXPECT_EQ(counts[required], 1) << required;
      EXPECT_STRNE(channel.child_value(required), "") << required;
    }
    expect_url(channel.child_value("link"), "link of the channel");
    expect_rss_date(channel.child_value("lastBuildDate"));
    static const std::set<std::string> kElements = {"title",         "link",      "description",
                                                    "lastBuildDate", "atom:link", "item"};
    for (const auto& [name, count] : counts) EXPECT_TRUE(kElements.contains(name)) << name;
    EXPECT_STREQ(rss.attribute("xmlns:atom").value(), "http://www.w3.org/2005/Atom");
    EXPECT_STREQ(rss.attribute("xmlns:dc").value(), "http://purl.org/dc/elements/1.1/");
    std::map<std::string, std::string> links;
    for (const pugi::xml_node& link : channel.children("atom:link")) {
      EXPECT_TRUE(links.emplace(link.attribute("rel").value(), link.attribute("href").value()).second);
      expect_url(link.attribute("href").value(), "atom:link");
    }
    EXPECT_THAT(links["self"], testing::StartsWith(server_.url() + "/demo/events?"))
        << "the address of this very document";
    EXPECT_THAT(links["self"], HasSubstr("format=rss"));
    EXPECT_STREQ(channel.find_child_by_attribute("atom:link", "rel", "self").attribute("type").value(),
                 "application/rss+xml");
    EXPECT_EQ(links["hub"], server_.url() + "/hub");
    std::set<std::string> ids;
    for (const pugi::xml_node& item : channel.children("item")) {
      expect_rss_item(item);
      EXPECT_TRUE(ids.insert(item.child_value("guid")).second) << "each once";
    }
  }
}

TEST_F(FormRulesTest, TextIsWrittenAsTheFormsHaveIt) {
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(client_.get("/demo/events?format=rss").body.c_str()));
  std::vector<pugi::xml_node> items;
  for (const pugi::xml_node& item : document.child("rss").child("channel").children("item")) items.push_back(item);
  ASSERT_GE(items.size(), 6U);
  EXPECT_STREQ(items[2].child_value("description"), "&lt;b&gt; is text &amp;amp;") << "a description is HTML";
  EXPECT_STREQ(items[3].child_value("description"), "<pre>&lt;a xmlns=\"urn:a\"&gt;&amp;lt;b&amp;gt;&lt;/a&gt;</pre>");
  EXPECT_STREQ(items[4].child_value("title"), "a b") << "a title is text";
  EXPECT_STREQ(items[5].child_value("title"), "bold & more");
  EXPECT_STREQ(items[5].child_value("description"), "<p>x</p>");
  const json feed = json::parse(client_.get("/demo/events?format=json").body);
  EXPECT_EQ(feed["items"][2]["content_text"], "<b> is text &amp;");
  EXPECT_EQ(feed["items"][4]["title"], "a b");
  EXPECT_EQ(feed["items"][5]["title"], "bold & more");
  EXPECT_EQ(feed["items"][5]["summary"], "s") << "a summary is plain text";
}

void expect_members(const json& object, const std::set<std::string>& known) {
  for (const auto& [name, value] : object.items()) {
    // "Custom objects": a name that begins with an underscore, and a letter behind it.
    const bool is_ours = name.size() > 1 && name[0] == '_' && std::isalpha(static_cast<unsigned char>(name[1])) != 0;
    EXPECT_TRUE(is_ours ? value.is_object() : known.contains(name)) << name;
  }
}

void expect_authors(const json& authors) {
  for (const json& author : authors) {
    expect_members(author, {"name", "url", "avatar"});
    EXPECT_FALSE(author.empty()) << "at least one of them must be there";
  }
}

void expect_json_item(const json& item) {
  expect_members(
      item, {"id", "url", "external_url", "title", "content_html", "content_text", "summary", "image", "banner_image",
             "date_published", "date_modified", "authors", "tags", "language", "attachments"});
  EXPECT_TRUE(item["id"].is_string() && item["id"] != "");
  EXPECT_TRUE(item.contains("content_html") || item.contains("content_text")) << "one must be present: " << item;
  for (const char* const text :
       {"url", "title", "content_html", "content_text", "summary", "date_published", "date_modified"}) {
    EXPECT_TRUE(!item.contains(text) || item[text].is_string()) << text;
  }
  expect_url(item["url"], "url of an item");
  for (const char* const date : {"date_published", "date_modified"}) {
    EXPECT_TRUE(parse_rfc3339(item[date].get<std::string>())) << item;
  }
  expect_authors(item["authors"]);
  if (item.contains("tags")) {
    for (const json& tag : item["tags"]) EXPECT_TRUE(tag.is_string());
  }
  if (!item.contains("attachments")) return;
  for (const json& attachment : item["attachments"]) {
    expect_members(attachment, {"url", "mime_type", "title", "size_in_bytes", "duration_in_seconds"});
    expect_url(attachment["url"], "attachment");
    EXPECT_THAT(attachment["mime_type"].get<std::string>(), HasSubstr("/"));
    EXPECT_TRUE(!attachment.contains("size_in_bytes") || attachment["size_in_bytes"].is_number());
  }
}

TEST_F(FormRulesTest, JsonFeed) {
  std::set<std::string> ids;
  std::string target = "/demo/events?limit=20&format=json";
  for (int pages = 0; !target.empty() && pages < 10; ++pages) {
    const Reply reply = client_.get(target);
    EXPECT_EQ(reply.header("Content-Type"), "application/feed+json");
    const json feed = json::parse(reply.body);
    expect_members(feed, {"version", "title", "home_page_url", "feed_url", "description", "user_comment", "next_url",
                          "icon", "favicon", "authors", "language", "expired", "hubs", "items"});
    EXPECT_EQ(feed["version"], "https://jsonfeed.org/version/1.1");
    EXPECT_TRUE(feed["title"].is_string() && feed["title"] != "");
    expect_url(feed["home_page_url"], "home_page_url");
    EXPECT_EQ(feed["feed_url"], server_.url() + target) << "the address of this very document";
    expect_authors(feed["authors"]);
    for (const json& hub : feed["hubs"]) {
      EXPECT_EQ(hub["type"], "WebSub");
      expect_url(hub["url"], "hub");
    }
    ASSERT_TRUE(feed["items"].is_array());
    for (const json& item : feed["items"]) {
      expect_json_item(item);
      EXPECT_TRUE(ids.insert(item["id"]).second) << "ids are unique, also over next_url";
    }
    const std::string next = feed.value("next_url", "");
    EXPECT_NE(next, feed["feed_url"]) << "next_url must not be the same as feed_url";
    target = next.empty() ? "" : next.substr(server_.url().size());
  }
  EXPECT_EQ(target, "") << "next_url ends";
  EXPECT_EQ(ids.size(), 47U) << "and leads to all";
}

}  // namespace
}  // namespace courant::test::form_rules_test
