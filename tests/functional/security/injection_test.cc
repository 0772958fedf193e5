// What strangers send becomes no header field, no markup and no script of ours.
#include <pugixml.hpp>

#include "kernel/uri.h"
#include "tests/functional/security/fixture.h"

namespace courant::test::injection_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class InjectionTest : public Security {
 protected:
  Reply post(const std::string& body, const std::string& fields = {}) {
    return client_.post("/news/events", body, bearer(all_) + kAtom + fields);
  }
};

// Encoded line ends, in all that is said again in a field of an answer: Link, Location, Allow, Content-Disposition,
// ETag.
TEST_F(InjectionTest, NothingSentBecomesAFieldOfTheAnswer) {
  const std::string evil = "%0d%0aX-Injected:%20yes%0d%0a%0d%0a<script>";
  for (const std::string& target : std::vector<std::string>{
           "/news/events?search=%2B" + evil, "/news/events?limit=" + evil, "/news/events?marker=" + evil,
           "/news/events?format=" + evil, "/news/events?startingAt=" + evil, "/news/events?wait=" + evil,
           "/news/events/entries/" + evil, "/news/events/media/" + evil, "/news/" + evil, "/" + evil,
           "/news/events/archive/" + evil, "/hub/s/" + evil, "/news/events?x=" + evil,
           "/news/events?search=%2Ba&" + evil + "=1", "/news/events/delivered?position=" + evil}) {
    for (const std::string accept : {"", "Accept: text/html\r\n", "Accept: application/xml\r\n"}) {
      const Reply reply = client_.get(target, accept);
      EXPECT_GE(reply.status, 200) << target;
      EXPECT_THAT(reply.head, Not(HasSubstr("\r\nX-Injected"))) << target;
      const bool is_json = reply.header("Content-Type").find("json") != std::string::npos;  // no markup, and nosniff
      if (!is_json) {
        EXPECT_THAT(reply.body, Not(HasSubstr("<script>"))) << target;
      }
      EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff") << target;
    }
  }
  const Reply media =
      client_.post("/news/events", "x",
                   bearer(all_) + "Content-Type: image/png\r\nSlug: a%0D%0AX-Injected:%20yes%22%3B%3Cscript%3E\r\n");
  ASSERT_EQ(media.status, 201);
  EXPECT_THAT(media.head, Not(HasSubstr("\r\nX-Injected")));
  const std::string entry_page = media.header("Location");
  const std::string source = media.body.substr(media.body.find("src=\"") + 5);
  const std::string url = source.substr(0, source.find('"'));
  const Reply bytes = client_.get(url.substr(server_.url().size()));
  EXPECT_EQ(bytes.status, 200);
  EXPECT_THAT(bytes.head, Not(HasSubstr("\r\nX-Injected")));
}

// Ids, titles, terms, authors and what stands in foreign markup, in every form that a feed has.
TEST_F(InjectionTest, NothingPublishedBecomesMarkupOfOurs) {
  const std::string evil = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&apos;&gt;]]&gt;&lt;/title&gt;&lt;/feed&gt;";
  const std::string id = "urn:x:%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
  ASSERT_EQ(post("<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>" + evil +
                 "</title><author><name>" + evil + "</name></author><category term=\"" + evil + "\" label=\"" + evil +
                 "\"/><summary>" + evil + "</summary><content type='html'>" + evil + "</content></entry>")
                .status,
            201);
  for (const std::string form : {"atom", "rss", "html", "json", "cloudevents"}) {
    const Reply page = client_.get("/news/events?format=" + form);
    ASSERT_EQ(page.status, 200) << form;
    if (form == "json" || form == "cloudevents") {
      EXPECT_THAT(page.header("Content-Type"), HasSubstr("json")) << form;
    } else {
      EXPECT_THAT(page.body, Not(HasSubstr("<script>alert"))) << form;
      pugi::xml_document document;
      if (form != "html") {
        EXPECT_TRUE(document.load_string(page.body.c_str())) << form << " is well-formed";
      }
    }
    EXPECT_THAT(page.header("Content-Security-Policy"), HasSubstr("default-src 'none'")) << form;
    EXPECT_EQ(page.header("X-Content-Type-Options"), "nosniff") << form;
  }
  const std::string stream = raw("GET /news/events?format=events&lastEventId=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(stream, HasSubstr("200"));
}

// XML that reads files, asks other servers, or grows.
TEST_F(InjectionTest, EntitiesAndIncludesAreNotFollowed) {
  const std::string end = "<entry xmlns='http://www.w3.org/2005/Atom'><title>&x;</title><content>c</content></entry>";
  for (const std::string& start : std::vector<std::string>{
           "<!DOCTYPE entry [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
           "<!DOCTYPE entry [<!ENTITY x SYSTEM '" + server_.url() + "/closed/events'>]>",
           "<!DOCTYPE entry SYSTEM '" + server_.url() + "/news/events'>",
           "<!DOCTYPE entry [<!ENTITY % y SYSTEM 'http://127.0.0.1:1/'> %y;]>",
           "<!DOCTYPE entry [<!ENTITY a 'aaaaaaaaaa'><!ENTITY x '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>"}) {
    const Reply reply = post(start + end);
    EXPECT_EQ(reply.status, 422) << start;
    EXPECT_THAT(reply.body, Not(HasSubstr("root:"))) << start;
  }
  const std::string include =
      "<entry xmlns='http://www.w3.org/2005/Atom' xmlns:xi='http://www.w3.org/2001/XInclude'><id>urn:x:inc</id>"
      "<title>t</title><content type='application/xml'><xi:include href='file:///etc/passwd' "
      "parse='text'/></content></entry>";
  EXPECT_EQ(post(include).status, 201) << "it is foreign markup, kept as it was sent";
  const std::string sheet = "<?xml-stylesheet type='text/xsl' href='http://evil.example/x.xsl'?>";
  EXPECT_NE(post(sheet + entry("urn:x:sheet", "t")).status, 500);
  for (const std::string form : {"atom", "rss", "html", "json"}) {
    EXPECT_THAT(client_.get("/news/events?format=" + form).body, Not(HasSubstr("root:"))) << form;
    EXPECT_THAT(client_.get("/news/events?format=" + form).body, Not(HasSubstr("evil.example/x.xsl"))) << form;
  }
}

// What stands in filters, names and ids is no SQL.
TEST_F(InjectionTest, NothingSentIsSql) {
  const std::string evil = "x'); drop table entries; --";
  const std::string encoded = percent_encode(evil);
  for (const std::string& target : std::vector<std::string>{
           "/news/events?search=%2B" + encoded, "/news/events?search=(cat=" + encoded + ")",
           "/news/events?marker=" + encoded, "/news/events/entries/" + encoded, "/news/events/media/" + encoded,
           "/news/" + encoded, "/" + encoded, "/news/events?search=%2B%24%5B*%5D%20%3F%20(%40%20%3D%3D%201)"}) {
    EXPECT_LT(client_.get(target).status, 500) << target;
  }
  EXPECT_EQ(
      post("<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:sql</id><title>" + evil + "</title><category term=\"" +
           evil + "\"/><category term=\"{a,b}\"/><category term='\\\\\"'/><content>" + evil + "</content></entry>")
          .status,
      201);
  EXPECT_THAT(client_.get("/news/events?search=%2B" + encoded).body, HasSubstr("urn:x:sql")) << "a term like any other";
  EXPECT_EQ(client_.get("/news/events").header("Feed-Position"), "2");
}

}  // namespace
}  // namespace courant::test::injection_test
