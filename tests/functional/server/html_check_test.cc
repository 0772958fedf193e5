// Every HTML page that the server makes, held against HTML Tidy (Debian's package tidy), which knows HTML 5.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"

namespace courant::test::html_check_test {
namespace {

constexpr const char* kHtml = "Accept: text/html\r\n";

class HtmlCheckTest : public testing::Test {
 protected:
  void publish(const std::string& feed, const std::string& inside) {
    const Reply reply =
        client_.post("/demo/" + feed, "<entry xmlns='http://www.w3.org/2005/Atom'>" + inside + "</entry>");
    ASSERT_EQ(reply.status, 201) << reply.body;
  }
  void check(const std::string& target, int status = 200) {
    const Reply page = client_.get(target, kHtml);
    ASSERT_EQ(page.status, status) << target;
    ASSERT_EQ(page.header("Content-Type"), "text/html; charset=utf-8") << target;
    const std::string file = scratch("checked.html");
    std::ofstream(file, std::ios::binary) << page.body;
    // Tidy's table of attributes is older than Subresource Integrity.
    const Ran ran = run_command({"/usr/bin/tidy", "-quiet", "-errors", "--drop-empty-elements", "no",
                                 "--warn-proprietary-attributes", "no", file});
    EXPECT_EQ(ran.output, "") << target << "\n" << page.body;
    EXPECT_EQ(ran.status, 0) << target;
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(HtmlCheckTest, EveryPageIsValid) {
  check("/");
  check("/demo");
  for (int number = 1; number <= 30; ++number) {
    publish("events", "<id>urn:x:" + std::to_string(number) + "</id><title>t &amp; &lt;" + std::to_string(number) +
                          "&gt;</title><content>c</content><category term='a&amp;b' label='&quot;A&quot;'/>");
  }
  publish(
      "events",
      "<id>urn:y:1</id><title type='html'>&lt;b&gt;bold&lt;/b&gt;</title><summary type='html'>s &amp;amp; t</summary>"
      "<content type='html'>&lt;h1&gt;H&lt;/h1&gt;&lt;p title='x&amp;amp;y'&gt;One&lt;br&gt;two &lt;a "
      "href='https://example.org/?a=1&amp;amp;b=2'&gt;link&lt;/a&gt; &lt;img src='https://example.org/x.png' "
      "alt='a cat'&gt;&lt;/p&gt;&lt;table&gt;&lt;tr&gt;&lt;td "
      "colspan=2&gt;cell&lt;/table&gt;&lt;ul&gt;&lt;li&gt;item&lt;/ul&gt;"
      "</content><link rel='enclosure' href='https://example.org/a.ogg' type='audio/ogg' title='Sound'/>");
  publish("events",
          "<id>urn:y:2</id><title/><content type='application/xml'><a xmlns='urn:a'><b c='1'/></a></content>");
  publish("events",
          "<id>urn:y:3</id><title>elsewhere</title><content type='image/png' src='https://example.org/x.png'/>"
          "<summary>a picture</summary>");
  publish("events",
          "<id>urn:y:4</id><title>x</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>a "
          "<em>b</em></p></div></content>");
  for (const std::string target :
       {"/", "/demo", "/demo/events", "/demo/events?format=html", "/demo/events?search=%2Ba%26b",
        "/demo/events?search=%2Bnone", "/demo/events?marker=5&direction=backward&limit=3", "/demo/events?marker=34",
        "/demo/events/entries/urn:y:1", "/demo/events/entries/urn:y:2", "/demo/events/entries/urn:y:3",
        "/demo/events/entries/urn:y:4", "/demo/events/archive", "/demo/events/archive/1?format=html"}) {
    check(target);
  }
  check("/nowhere", 404);
  check("/demo/none", 404);
  check("/demo/events?limit=0", 400);
}

TEST_F(HtmlCheckTest, ThePageOfASubscriptionIsValid) {
  publish("events", "<title>t</title><content>c</content>");
  Subscriber subscriber([](const SinkRequest&) { return SinkReply{.status = 500}; });
  ASSERT_EQ(subscriber.ask(server_, "subscribe", server_.url() + "/demo/events"), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.verifications().empty(); }));
  publish("events", "<title>t</title><content>c</content>");
  ASSERT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
  const std::string page = subscriber.verifications().back().header("Subscription-Page").value_or("");
  ASSERT_NE(page, "");
  check(page.substr(server_.url().size()));
}

}  // namespace
}  // namespace courant::test::html_check_test
