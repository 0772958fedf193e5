// Entries in other forms than Atom: JSON Feed, RSS, CloudEvents in and out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::forms_test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kEvent = "Content-Type: application/cloudevents+json\r\n";
constexpr const char* kEvents = "Content-Type: application/cloudevents-batch+json; charset=utf-8\r\n";

class FormsTest : public testing::Test {
 protected:
  static std::string entry(int number, const std::string& more) {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) + "</id><title>t &amp; " +
           std::to_string(number) + "</title>" + more + "</entry>";
  }
  void publish(int number, const std::string& more = "<content>c</content>") {
    ASSERT_EQ(client_.post("/demo/events", entry(number, more)).status, 201) << more;
  }
  json get_json(const std::string& target) {
    const Reply reply = client_.get(target);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return json::parse(reply.body);
  }
  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(FormsTest, APageAsJsonFeed) {
  publish(1, "<summary>s</summary><content type='html'>&lt;b&gt;x&lt;/b&gt;</content><category term='Tid:1'/>");
  publish(2, "<content type='xhtml'><h:div xmlns:h='http://www.w3.org/1999/xhtml'>a <h:b>c</h:b></h:div></content>");
  publish(3,
          "<content type='application/xml'><x xmlns='urn:x'><title>no</title></x></content><title "
          "xmlns='urn:x'>no</title>");
  publish(4,
          "<content src='http://example.org/a.png' type='image/png'/><summary>p</summary>"
          "<link rel='enclosure' href='http://example.org/b' type='audio/ogg' length='12'/>");
  const Reply reply = client_.get("/demo/events?limit=4", "Accept: application/feed+json\r\n");
  EXPECT_EQ(reply.header("Content-Type"), "application/feed+json");
  EXPECT_EQ(client_.get("/demo/events", "Accept: application/json\r\n").header("Content-Type"),
            "application/feed+json");
  const json feed = json::parse(reply.body);
  const std::string url = server_.url() + "/demo/events";
  EXPECT_EQ(feed["version"], "https://jsonfeed.org/version/1.1");
  EXPECT_EQ(feed["title"], "events");
  EXPECT_EQ(feed["home_page_url"], url);
  EXPECT_EQ(feed["feed_url"], url + "?limit=4&format=json") << "its own URL means this form alone";
  EXPECT_EQ(feed["hubs"][0]["url"], server_.url() + "/hub");
  EXPECT_EQ(feed["_courant"]["previous"], url + "?marker=4&direction=forward&limit=4");
  ASSERT_EQ(feed["items"].size(), 4U);
  EXPECT_EQ(feed["items"][3]["id"], "urn:x:1");
  EXPECT_EQ(feed["items"][3]["title"], "t & 1");
  EXPECT_EQ(feed["items"][3]["content_html"], "<b>x</b>");
  EXPECT_EQ(feed["items"][3]["summary"], "s");
  EXPECT_EQ(feed["items"][3]["tags"], json::array({"Tid:1"}));
  EXPECT_EQ(feed["items"][3]["url"], url + "/entries/urn:x:1");
  EXPECT_EQ(feed["items"][3]["authors"][0]["name"], "Courant");
  EXPECT_EQ(feed["items"][3]["_courant"]["position"], 1);
  EXPECT_EQ(feed["items"][2]["content_html"], "a <b>c</b>");
  EXPECT_EQ(feed["items"][1]["content_text"], "<x xmlns=\"urn:x\"><title>no</title></x>");
  EXPECT_EQ(feed["items"][1]["title"], "t & 3");
  EXPECT_EQ(feed["items"][0]["attachments"][0]["url"], "http://example.org/b");
  EXPECT_EQ(feed["items"][0]["attachments"][0]["size_in_bytes"], 12);
  EXPECT_EQ(feed["items"][0]["attachments"][1]["mime_type"], "image/png");
}

// Whoever asks by the query keeps the form along the links.
TEST_F(FormsTest, LinksKeepTheForm) {
  for (int number = 1; number <= 5; ++number) publish(number);
  const json page = get_json("/demo/events?limit=2&format=json");
  EXPECT_EQ(page["next_url"], server_.url() + "/demo/events?marker=3&direction=backward&limit=2&format=json");
  const json next = get_json(std::string(page["next_url"]).substr(server_.url().size()));
  EXPECT_EQ(next["items"][0]["id"], "urn:x:3");
  EXPECT_THAT(client_.get("/demo/events?limit=2&format=rss").header("Link"),
              HasSubstr("direction=backward&limit=2&format=rss>; rel=\"next\""));
  EXPECT_EQ(client_.get("/demo/events?format=pdf").status, 400);
  EXPECT_THAT(client_.get("/demo/events?format=pdf").body,
              HasSubstr("format must be atom, html, json, rss, cloudevents or events, not pdf"));
  EXPECT_EQ(client_.get("/demo/events", "Accept: image/png\r\n").status, 406);
}

// Atom shows every revision; the other forms show what there is now, on every page and at once.
TEST_F(FormsTest, OnlyTheNewestRevisionIsShown) {
  for (int number = 1; number <= 4; ++number) publish(number);
  const Reply before = client_.get("/demo/events?marker=0&limit=3&format=json");
  EXPECT_EQ(before.header("Cache-Control"), "no-cache");
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry(1, "<content>new</content>")).status, 200);
  ASSERT_EQ(client_.remove("/demo/events/entries/urn:x:2").status, 204);
  const Reply after =
      client_.get("/demo/events?marker=0&limit=3&format=json", "If-None-Match: " + before.header("ETag") + "\r\n");
  ASSERT_EQ(after.status, 200);
  const json page = json::parse(after.body);
  ASSERT_EQ(page["items"].size(), 1U);
  EXPECT_EQ(page["items"][0]["id"], "urn:x:3");
  const json head = get_json("/demo/events?format=json");
  ASSERT_EQ(head["items"].size(), 3U);
  EXPECT_EQ(head["items"][0]["content_text"], "new");
  EXPECT_THAT(client_.get("/demo/events?format=html").body, Not(HasSubstr("deleted-entry")));
  EXPECT_THAT(client_.get("/demo/events?marker=0&limit=3").body, HasSubstr("urn:x:2</id>"));
}

TEST_F(FormsTest, APageAsRss) {
  publish(1,
          "<content type='html'>&lt;b&gt;x&lt;/b&gt;</content><category term='a'/>"
          "<link rel='enclosure' href='http://example.org/b' type='audio/ogg' length='12'/>");
  publish(2);
  const Reply reply = client_.get("/demo/events?limit=1&format=rss");
  EXPECT_EQ(reply.header("Content-Type"), "application/rss+xml;charset=utf-8");
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(client_.get("/demo/events", "Accept: application/rss+xml\r\n").body.c_str()));
  const pugi::xml_node channel = document.child("rss").child("channel");
  EXPECT_STREQ(document.child("rss").attribute("version").value(), "2.0");
  EXPECT_STREQ(channel.child_value("title"), "events");
  EXPECT_STREQ(channel.child_value("description"), "events");
  EXPECT_EQ(channel.child_value("link"), server_.url() + "/demo/events");
  const pugi::xml_node item = channel.child("item").next_sibling("item");
  EXPECT_STREQ(item.child_value("title"), "t & 1");
  EXPECT_STREQ(item.child_value("description"), "<b>x</b>");
  EXPECT_STREQ(item.child_value("guid"), "urn:x:1");
  EXPECT_STREQ(item.child("guid").attribute("isPermaLink").value(), "false");
  EXPECT_STREQ(item.child_value("category"), "a");
  EXPECT_STREQ(item.child_value("dc:creator"), "Courant");
  EXPECT_STREQ(item.child("enclosure").attribute("length").value(), "12");
  EXPECT_THAT(item.child_value("pubDate"), testing::EndsWith(" GMT"));
}

TEST_F(FormsTest, AnEventIsReadBackAsItWas) {
  const std::vector<std::string> events = {
      R"({"specversion":"1.0","id":"A-1","source":"/my context?a=b","type":"com.example.x","subject":"123",)"
      R"("time":"2026-04-05T17:31:00.123456+02:00","datacontenttype":"application/json","comexampleflag":true,)"
      R"("comexampleint":-7,"data":{"z":1,"a":[1.5,null,"\u0001\ufffe é"]}})",
      R"({"specversion":"1.0","id":"A-2","source":"urn:s","type":"t","datacontenttype":"text/xml","data":"<a>&amp; ]]></a>\r\n"})",
      R"({"specversion":"1.0","id":"A-3","source":"urn:s","type":"t","datacontenttype":"text/plain","data":"bell \u0007"})",
      R"({"specversion":"1.0","id":"A-4","source":"urn:s","type":"t","datacontenttype":"image/png","data_base64":"aGk="})",
      R"({"specversion":"1.0","id":"A-5","source":"urn:s","type":"t"})",
      R"({"specversion":"1.0","id":"A-6","source":"urn:s","type":"t","data":null})",
      R"({"specversion":"1.0","id":"A-7","source":"urn:s","type":"t","data":"  "})",
      R"({"specversion":"1.0","id":"A-8","source":"urn:s","type":"t","datacontenttype":"text/plain","data":" \n "})"};
  for (const std::string& event : events) {
    const Reply posted = client_.post("/demo/events", event, kEvent);
    ASSERT_EQ(posted.status, 201) << posted.body;
    const std::string target = posted.header("Location").substr(server_.url().size());
    EXPECT_EQ(get_json(target + "?format=cloudevents"), json::parse(event));
    EXPECT_EQ(client_.get(target, "Accept: application/cloudevents+json\r\n").header("Content-Type"),
              "application/cloudevents+json");
    EXPECT_EQ(client_.post("/demo/events", event, kEvent).status, 200) << "a retry";
  }
  const json page = get_json("/demo/events?format=cloudevents");
  ASSERT_EQ(page.size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(page[events.size() - 1 - i], json::parse(events[i]));

  const std::string atom = client_.get("/demo/events?search=%2B123").body;
  EXPECT_THAT(atom, HasSubstr("<id>urn:courant:cloudevent:%2Fmy%20context%3Fa%3Db:A-1</id>"));
  EXPECT_THAT(atom, HasSubstr("<title>com.example.x</title>"));
  EXPECT_THAT(atom, HasSubstr("<category scheme=\"urn:courant:cloudevents:1:type\" term=\"com.example.x\">"));
  EXPECT_EQ(
      client_.post("/demo/events", R"({"specversion":"1.0","id":"A-5","source":"urn:s","type":"u"})", kEvent).status,
      409)
      << "the same id with other content";
}

TEST_F(FormsTest, ABatchOfEventsIsStoredAsAWholeOrNotAtAll) {
  const Reply done = client_.post("/demo/events",
                                  R"([{"specversion":"1.0","id":"1","source":"urn:s","type":"t","data":1},)"
                                  R"({"specversion":"1.0","id":"2","source":"urn:s","type":"t","data":2}])",
                                  kEvents);
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.header("Feed-Position"), "2");
  const Reply bad = client_.post("/demo/events",
                                 R"([{"specversion":"1.0","id":"3","source":"urn:s","type":"t"},)"
                                 R"({"specversion":"1.0","id":"4","source":"urn:s"}])",
                                 kEvents);
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.body, HasSubstr("event 1: type must be a string that is not empty"));
  EXPECT_EQ(client_.get("/demo/events").header("Feed-Position"), "2");
}

TEST_F(FormsTest, WhatIsNoEventIsRefusedInPlainWords) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{", "this is not JSON: it breaks off or goes wrong at byte 2"},
      {"", "this is not JSON"},
      {"[]", "a CloudEvent is a JSON object"},
      {R"({"id":"1"})", "specversion must be"},
      {R"({"specversion":"0.3","id":"1","source":"s","type":"t"})", "specversion must be"},
      {R"({"specversion":"1.0","id":"","source":"s","type":"t"})", "id must be a string that is not empty"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"t","Big":1})", "the attribute name 'Big'"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"t","x":{}})", "the attribute x must be a string"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"t","time":"now"})", "time must be an instant"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"t","subject":""})", "subject must be a string"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":""})", "exclude each other"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"%"})", "data_base64 is not base64"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"a\u0001"})", "must not have control characters"},
      {R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":)" + std::string(100'000, '[') + "}",
       "nested more than 64 levels"},
      {std::string("{\"specversion\":\"1.0\",\"id\":\"\xff\",\"source\":\"s\",\"type\":\"t\"}"), "this is not JSON"},
  };
  for (const auto& [event, words] : cases) {
    const Reply reply = client_.post("/demo/none", event, kEvent);
    EXPECT_EQ(reply.status, 422) << event.substr(0, 200);
    EXPECT_THAT(reply.body, HasSubstr(words)) << event.substr(0, 200);
  }
  EXPECT_EQ(client_.get("/demo/none").status, 404) << "what is refused makes no feed";
}

// Anybody may publish what only looks as if it had come as an event.
TEST_F(FormsTest, ForgedEventsAreEntriesLikeOthers) {
  publish(1, "<content>c</content><e:event xmlns:e='urn:courant:cloudevents:1' data='json'>{not json</e:event>");
  publish(2,
          "<content>{no</content><e:event xmlns:e='urn:courant:cloudevents:1' data='json'>{\"specversion\":\"1.0\","
          "\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}</e:event>");
  publish(3, "<content>c</content><e:event xmlns:e='urn:courant:cloudevents:1'>7</e:event>");
  const json page = get_json("/demo/events?format=cloudevents");
  ASSERT_EQ(page.size(), 3U);
  for (const json& event : page) EXPECT_EQ(event["type"], "courant.entry");
  EXPECT_EQ(page[0]["id"], "urn:x:3");
  EXPECT_EQ(page[0]["source"], server_.url() + "/demo/events");
  EXPECT_THAT(std::string(page[0]["data"]), HasSubstr("<entry xmlns=\"http://www.w3.org/2005/Atom\">"));
}

}  // namespace
}  // namespace courant::test::forms_test
