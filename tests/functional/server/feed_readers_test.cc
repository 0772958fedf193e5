// What real feed readers make of a feed: Python's feedparser, newsboat and liferea, as Debian has them.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_database.h"

namespace courant::test::feed_readers_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class FeedReadersTest : public testing::Test {
 protected:
  void publish(int number, const std::string& more = "<content>plain &lt;text&gt; &amp;amp; more</content>") {
    const std::string id = std::to_string(number);
    const Reply reply =
        client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id +
                                         "</id><title>Title " + id + " &amp;amp; more</title>" + more + "</entry>");
    ASSERT_EQ(reply.status, 201) << reply.body;
  }
  json reader(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/feed_readers.py"});
    const Ran ran = run_command(arguments);
    EXPECT_EQ(ran.status, 0) << ran.output;
    return ran.status == 0 ? json::parse(ran.output) : json();
  }
  static std::vector<std::string> all(const json& seen, const std::string& name) {
    std::vector<std::string> values;
    for (const json& entry : seen["entries"]) values.push_back(entry[name]);
    return values;
  }
  static int unread(const json& seen) {
    int count = 0;
    for (const json& entry : seen["entries"]) count += entry["unread"].get<int>();
    return count;
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
  const std::string url_ = server_.url() + "/demo/events";
};

TEST_F(FeedReadersTest, FeedparserReadsAllForms) {
  publish(1);
  publish(2,
          "<author><name>Ada</name></author><category term='tid:1'/><category term='b'/>"
          "<content type='html'>&lt;p&gt;one &lt;b&gt;two&lt;/b&gt;&lt;/p&gt;</content>"
          "<link rel='enclosure' href='http://example.org/a.ogg' type='audio/ogg' length='12'/>");
  publish(3, "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <em>b</em></div></content>");
  for (const std::string form : {"atom", "rss"}) {
    const json seen = reader({"feedparser", url_ + "?format=" + form});
    EXPECT_FALSE(seen["bozo"]) << seen;
    EXPECT_EQ(seen["version"], form == "atom" ? "atom10" : "rss20");
    EXPECT_EQ(seen["title"], "events");
    EXPECT_EQ(seen["links"]["hub"], server_.url() + "/hub");
    EXPECT_EQ(all(seen, "id"), (std::vector<std::string>{"urn:x:3", "urn:x:2", "urn:x:1"})) << "newest first";
    const json& rich = seen["entries"][1];
    EXPECT_EQ(rich["title"], "Title 2 &amp; more") << form;
    EXPECT_EQ(rich["author"], "Ada") << form;
    EXPECT_EQ(rich["tags"], (json{"tid:1", "b"})) << form;
    EXPECT_EQ(rich["enclosures"], (json{"http://example.org/a.ogg"})) << form;
    // An entry with content needs no alternate link in Atom (RFC 4287 section 4.1.1): then feedparser takes its id.
    EXPECT_EQ(rich["link"], form == "atom" ? "urn:x:2" : url_ + "/entries/urn:x:2");
    EXPECT_TRUE(rich["published"].is_array()) << form;
    const auto content = [&](int place) {
      const json& entry = seen["entries"][static_cast<std::size_t>(place)];
      return form == "atom" ? entry["content"][0]["value"] : entry["summary"];
    };
    EXPECT_EQ(content(1), "<p>one <b>two</b></p>") << form;
    EXPECT_THAT(content(0).get<std::string>(), HasSubstr("a <em>b</em>")) << form;
    // RSS has HTML alone, so there a text has to be written as HTML.
    EXPECT_EQ(content(2), form == "atom" ? "plain <text> &amp; more" : "plain &lt;text&gt; &amp;amp; more") << form;
  }
}

TEST_F(FeedReadersTest, FeedparserGoesByTheEntityTag) {
  publish(1);
  const json first = reader({"feedparser", url_});
  ASSERT_TRUE(first["etag"].is_string()) << first;
  EXPECT_EQ(reader({"feedparser", url_, first["etag"]})["status"], 304);
  publish(2);
  const json second = reader({"feedparser", url_, first["etag"]});
  EXPECT_EQ(second["status"], 200);
  EXPECT_EQ(all(second, "id"), (std::vector<std::string>{"urn:x:2", "urn:x:1"}));
}

TEST_F(FeedReadersTest, TheArchiveLeadsToTheBeginning) {
  std::vector<std::string> ids;
  for (int number = 1; number <= 60; ++number) {
    publish(number);
    ids.insert(ids.begin(), "urn:x:" + std::to_string(number));
  }
  EXPECT_EQ(reader({"walk", url_}), json(ids)) << "each once, newest first";
}

TEST_F(FeedReadersTest, NewsboatKeepsWhatIsReadAndShowsWhatIsNew) {
  for (const std::string form : {"atom", "rss"}) {
    const TemporaryFolder folder;
    const std::string home = folder.path();
    const std::string feed = "/demo/" + form + "-of";
    const auto publish_in = [&](int number) {
      const std::string id = std::to_string(number);
      EXPECT_EQ(
          client_
              .post(feed, "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:n:" + id + "</id><title>Title " + id +
                              "</title><author><name>Ada</name></author><content type='html'>&lt;p&gt;text of " + id +
                              "&lt;/p&gt;</content></entry>")
              .status,
          201);
    };
    const std::string url = server_.url() + feed + "?format=" + form;
    for (int number = 1; number <= 3; ++number) publish_in(number);
    const json first = reader({"newsboat", home, url});
    EXPECT_EQ(first["entries"].size(), 3U) << form << first;
    EXPECT_EQ(unread(first), 3) << form;
    EXPECT_THAT(all(first, "id"), testing::UnorderedElementsAre("urn:n:1", "urn:n:2", "urn:n:3")) << form;
    for (const json& entry : first["entries"]) {
      const std::string number = entry["id"].get<std::string>().substr(6);
      EXPECT_EQ(entry["title"], "Title " + number);
      EXPECT_EQ(entry["author"], "Ada") << form;
      EXPECT_THAT(entry["content"].get<std::string>(), HasSubstr("<p>text of " + number + "</p>")) << form;
      EXPECT_GT(entry["date"].get<std::int64_t>(), 1'700'000'000) << form;
    }
    reader({"read", home});
    const json again = reader({"newsboat", home, url});
    EXPECT_EQ(unread(again), 0) << form << ": the entity tag says that nothing is new";
    EXPECT_EQ(again["entries"].size(), 3U) << form;
    publish_in(4);
    const json later = reader({"newsboat", home, url});
    EXPECT_EQ(unread(later), 1) << form << later;
    EXPECT_EQ(later["entries"].size(), 4U) << form;
  }
}

TEST_F(FeedReadersTest, LifereaSubscribesAndShowsWhatIsNew) {
  for (const std::string form : {"atom", "rss"}) {
    const TemporaryFolder folder;  // of each its own: what liferea has started may write for a moment after its end
    const std::string home = folder.path();
    const std::string feed = "/demo/" + form + "-of";
    const auto publish_in = [&](const std::string& number) {
      const std::string text = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:l:" + number + "</id><title>Title " +
                               number + "</title><content type='html'>&lt;p&gt;text of " + number +
                               "&lt;/p&gt;</content></entry>";
      EXPECT_EQ(client_.post(feed, text).status, 201);
    };
    const std::string url = server_.url() + feed + "?format=" + form;
    publish_in("1");
    publish_in("2");
    const json first = reader({"liferea", home, url, "2"});
    EXPECT_THAT(all(first, "id"), testing::UnorderedElementsAre("urn:l:1", "urn:l:2")) << form << first;
    EXPECT_EQ(unread(first), 2) << form;
    for (const json& entry : first["entries"]) {
      const std::string number = entry["id"].get<std::string>().substr(6);
      EXPECT_EQ(entry["title"], "Title " + number) << form;
      EXPECT_THAT(entry["content"].get<std::string>(), HasSubstr("<p>text of " + number + "</p>")) << form;
      EXPECT_GT(entry["date"].get<std::int64_t>(), 1'700'000'000) << form;
    }
    publish_in("3");
    const json later = reader({"liferea", home, url, "3"});
    EXPECT_THAT(all(later, "id"), testing::UnorderedElementsAre("urn:l:1", "urn:l:2", "urn:l:3")) << form << later;
  }
}

}  // namespace
}  // namespace courant::test::feed_readers_test
