// Further forms of feeds, made by stylesheets of the operator: negotiated, cached, pushed, reloaded, and what fails.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::further_forms_test {
namespace {

using testing::HasSubstr;

std::string sheet(const std::string& inside) {
  return "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform' "
         "xmlns:a='http://www.w3.org/2005/Atom' exclude-result-prefixes='a'><xsl:output method='text'/>"
         "<xsl:param name='workspace'/><xsl:param name='feed'/>" +
         inside + "</xsl:stylesheet>";
}

std::string titles(const std::string& begin) {
  return sheet("<xsl:template match='/a:feed'><xsl:value-of select=\"concat('" + begin +
               " ', $workspace, '/', $feed, ':')\"/><xsl:for-each select='a:entry'><xsl:value-of "
               "select=\"concat(' ', a:title)\"/></xsl:for-each></xsl:template>");
}

class FurtherFormsTest : public testing::Test {
 protected:
  FurtherFormsTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::remove(log_);
    std::filesystem::create_directories(folder_);
    write("titles.xsl", titles("TITLES"));
    write("loop.xsl", sheet("<xsl:template match='/'><xsl:call-template name='l'/></xsl:template>"
                            "<xsl:template name='l'><xsl:call-template name='l'/></xsl:template>"));
    write("config.toml", R"(
[hub]
callback_allow = ["127.0.0.0/8"]
retry = ["0s", "100ms"]
[[workspaces]]
name = "demo"
auto_create = true
[[workspaces.representation]]
name = "titles"
media_type = "text/x-titles;charset=utf-8"
stylesheet = "titles.xsl"
[[workspaces.representation]]
name = "loop"
media_type = "text/x-loop"
stylesheet = "loop.xsl"
[[workspaces]]
name = "plain"
auto_create = true
)");
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", folder_ + "/config.toml"});
    for (const std::string title : {"one", "two"}) publish(title);
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::trunc) << text;
  }
  void publish(const std::string& title, const std::string& feed = "/demo/events") const {
    ASSERT_EQ(HttpClient(server_->port())
                  .post(feed, "<entry xmlns='http://www.w3.org/2005/Atom'><title>" + title +
                                  "</title><content>c</content></entry>")
                  .status,
              201);
  }
  Reply get(const std::string& target, const std::string& fields = {}) const {
    return HttpClient(server_->port()).get(target, fields);
  }
  std::string log() const { return contents_of(log_); }

  const std::string log_ = scratch("courant-under-test.log");
  const std::string folder_ = scratch("further-forms");
  TestDatabase database_;
  std::unique_ptr<CourantServer> server_;
};

TEST_F(FurtherFormsTest, AreNegotiatedAndCachedAsTheOthers) {
  const Reply by_name = get("/demo/events?format=titles");
  ASSERT_EQ(by_name.status, 200) << by_name.body;
  EXPECT_EQ(by_name.body, "TITLES demo/events: two one");
  EXPECT_EQ(by_name.header("Content-Type"), "text/x-titles;charset=utf-8");
  EXPECT_EQ(by_name.header("Vary"), "Accept, Accept-Encoding");
  EXPECT_THAT(by_name.header("Content-Security-Policy"), HasSubstr("sandbox"))
      << "it may hold whatever publishers sent";
  const Reply by_type = get("/demo/events", "Accept: text/x-titles\r\n");
  EXPECT_EQ(by_type.body, by_name.body);
  EXPECT_THAT(by_type.header("Link"), HasSubstr("/demo/events?format=titles>; rel=\"self\""));
  EXPECT_NE(by_type.header("ETag"), get("/demo/events").header("ETag"));
  const std::string known = "If-None-Match: " + by_type.header("ETag") + "\r\n";
  EXPECT_EQ(get("/demo/events", "Accept: text/x-titles\r\n" + known).status, 304);
  EXPECT_EQ(get("/demo/events", known).status, 200);
  publish("three");
  const Reply later = get("/demo/events", "Accept: text/x-titles\r\n" + known);
  EXPECT_EQ(later.status, 200);
  EXPECT_EQ(later.body, "TITLES demo/events: three two one");
  EXPECT_EQ(get("/demo/events").header("Content-Type"), "application/atom+xml;type=feed;charset=utf-8");
  publish("other", "/plain/events");
  EXPECT_EQ(get("/plain/events?format=titles").status, 400) << "it is the workspace's";
  EXPECT_THAT(get("/demo/events?format=none").body, HasSubstr("events, titles or loop, not none"));
}

TEST_F(FurtherFormsTest, ReadFilesAgainWhenToldTo) {
  const Reply before = get("/demo/events?format=titles");
  write("titles.xsl", titles("CHANGED"));
  EXPECT_EQ(get("/demo/events?format=titles").body, before.body);
  server_->process().signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return get("/demo/events?format=titles").body == "CHANGED demo/events: two one"; }));
  const Reply after = get("/demo/events?format=titles", "If-None-Match: " + before.header("ETag") + "\r\n");
  EXPECT_EQ(after.status, 200) << "another stylesheet is another entity tag";
  // What cannot be compiled is not taken up.
  write("titles.xsl", "<no stylesheet");
  server_->process().signal(SIGHUP);
  EXPECT_TRUE(wait_until([&] { return log().find("representation titles") != std::string::npos; })) << log();
  EXPECT_EQ(get("/demo/events?format=titles").body, "CHANGED demo/events: two one");
  const Ran checked = run_courant({"check-config", folder_ + "/config.toml"});
  EXPECT_NE(checked.status, 0);
  EXPECT_THAT(checked.output, HasSubstr("workspace demo, representation titles"));
}

TEST_F(FurtherFormsTest, AFailureIsItsOwn) {
  for (int i = 0; i < 3; ++i) {
    const Reply failed = get("/demo/events?format=loop");
    EXPECT_EQ(failed.status, 500);
    EXPECT_THAT(failed.body, HasSubstr("The form loop of this feed cannot be made: its stylesheet fails"));
  }
  const std::string said = log();
  const std::size_t first = said.find("a form of a feed cannot be made");
  ASSERT_NE(first, std::string::npos) << said;
  EXPECT_EQ(said.find("a form of a feed cannot be made", first + 1), std::string::npos) << "once: " << said;
  EXPECT_EQ(get("/demo/events?format=titles").status, 200);
  EXPECT_EQ(get("/demo/events").status, 200);
}

TEST_F(FurtherFormsTest, ArePushed) {
  const std::string topic = server_->url() + "/demo/events?format=titles";
  Subscriber subscriber([](const SinkRequest&) { return SinkReply{}; });
  ASSERT_EQ(subscriber.ask(*server_, "subscribe", topic), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.verifications().empty(); }));
  publish("pushed");
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const SinkRequest delivery = subscriber.deliveries().front();
  EXPECT_EQ(delivery.body, "TITLES demo/events: pushed");
  EXPECT_EQ(delivery.header("Content-Type"), "text/x-titles;charset=utf-8");
  EXPECT_THAT(delivery.header("Link").value_or(""), HasSubstr("<" + topic + ">; rel=\"self\""));
}

TEST_F(FurtherFormsTest, ConfigurationsAreJudged) {
  const auto check = [&](const std::string& form) {
    write("judged.toml", "[[workspaces]]\nname = \"demo\"\n[[workspaces.representation]]\n" + form);
    return run_courant({"check-config", folder_ + "/judged.toml"}).output;
  };
  EXPECT_THAT(check("name = \"a\"\nmedia_type = \"text/x\"\nstylesheet = \"titles.xsl\"\n"), HasSubstr("is good"));
  EXPECT_THAT(check("name = \"a\"\nmedia_type = \"text/x\"\n"), HasSubstr("with name, media_type and stylesheet"));
  EXPECT_THAT(check("name = \"rss\"\nmedia_type = \"text/x\"\nstylesheet = \"titles.xsl\"\n"),
              HasSubstr("there is a form called rss already"));
  EXPECT_THAT(check("name = \"a\"\nmedia_type = \"text/html\"\nstylesheet = \"titles.xsl\"\n"),
              HasSubstr("there is a form of the media type text/html already"));
  EXPECT_THAT(check("name = \"a\"\nmedia_type = \"text\"\nstylesheet = \"titles.xsl\"\n"),
              HasSubstr("is no media type"));
  EXPECT_THAT(check("name = \"A b\"\nmedia_type = \"text/x\"\nstylesheet = \"titles.xsl\"\n"),
              HasSubstr("a name must be"));
  EXPECT_THAT(check("name = \"a\"\nmedia_type = \"text/x\"\nstylesheet = \"../titles.xsl\"\n"),
              HasSubstr("representation a"));
  EXPECT_THAT(run_courant({"export", "--database", database_.url()}).output,
              HasSubstr(R"(representation = [["titles", "text/x-titles;charset=utf-8", "titles.xsl"])"));
}

}  // namespace
}  // namespace courant::test::further_forms_test
