// A stylesheet that sees entries before they are stored, and the categories that it alone gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "tests/support/door.h"
#include "tests/support/tokens.h"

namespace courant::test::door_stylesheet_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class DoorStylesheetTest : public Door {};

TEST_F(DoorStylesheetTest, AStylesheetAddsWhatIsStored) {
  put("door.xsl",
      stylesheet(kTenant + "<category term='{$workspace}/{$feed}/{$identity}'/>"
                           "<category term='at:{substring($time, 1, 2)}'/>",
                 "<xsl:template match='a:title'><title>Event <xsl:value-of select='.'/></title></xsl:template>"));
  serve("stylesheet = \"door.xsl\"");
  const Reply stored = post(event("1"));
  EXPECT_EQ(stored.status, 201);
  EXPECT_THAT(stored.body, HasSubstr("<category term=\"tid:7\">"));
  EXPECT_THAT(stored.body, HasSubstr("<category term=\"demo/f/anonymous\">"));
  EXPECT_THAT(stored.body, HasSubstr("<category term=\"at:20\">"));
  EXPECT_THAT(stored.body, HasSubstr("<title>Event t</title>"));
  EXPECT_THAT(client_->get("/demo/f?search=%2Btid:7").body, HasSubstr("urn:x:1"));
  EXPECT_THAT(client_->get("/demo/f?search=%2Btid:8").body, Not(HasSubstr("urn:x:1")));
}

TEST_F(DoorStylesheetTest, ABatchAndAnEventPassTheStylesheetToo) {
  put("door.xsl", stylesheet("<category term='seen:{$feed}'/>"));
  serve("stylesheet = \"door.xsl\"");
  const Reply batch = post("<feed xmlns='http://www.w3.org/2005/Atom'>" + event("1") + event("2") + "</feed>");
  EXPECT_EQ(batch.status, 200);
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(batch.body.c_str()));
  EXPECT_EQ(document.select_nodes("//entry[category/@term='seen:f']").size(), 2U);
  const Reply cloud = post(R"({"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1}})",
                           "Content-Type: application/cloudevents+json\r\n");
  EXPECT_EQ(cloud.status, 201) << cloud.body;
  EXPECT_THAT(client_->get(cloud.header("Location")).body, HasSubstr("seen:f"));
}

TEST_F(DoorStylesheetTest, AStylesheetRefusesWithItsOwnWords) {
  put("door.xsl", stylesheet("<xsl:if test='a:content/e:event/@tenant = 13'><xsl:message terminate='yes'>"
                             "Tenant 13 is closed</xsl:message></xsl:if>"));
  serve("stylesheet = \"door.xsl\"");
  EXPECT_EQ(post(event("1")).status, 201);
  const Reply refused = post(event("2", "13"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("\"detail\":\"Tenant 13 is closed\""));
}

TEST_F(DoorStylesheetTest, AStylesheetThatFailsIsTheServersFaultAndTheServerGoesOn) {
  put("door.xsl",
      stylesheet(
          "<xsl:if test='a:content/e:event/@tenant = 1'><xsl:call-template name='endless'/></xsl:if>"
          "<xsl:if test='a:content/e:event/@tenant = 2'><xsl:copy-of select=\"document('/etc/passwd')\"/></xsl:if>"
          "<xsl:if test='a:content/e:event/@tenant = 3'><xsl:call-template name='growing'>"
          "<xsl:with-param name='t' select='$time'/></xsl:call-template></xsl:if>",
          "<xsl:template name='endless'><xsl:call-template name='endless'/></xsl:template>"
          "<xsl:template name='growing'><xsl:param name='t'/><xsl:call-template name='growing'>"
          "<xsl:with-param name='t' select='concat($t, $t)'/></xsl:call-template></xsl:template>"));
  serve("stylesheet = \"door.xsl\"");
  for (const char* const tenant : {"1", "2", "3"}) {
    const Reply failed = post(event(tenant, tenant));
    EXPECT_EQ(failed.status, 500) << tenant;
    EXPECT_THAT(failed.body, HasSubstr("The feed's stylesheet failed on this entry"));
    EXPECT_THAT(failed.body, Not(HasSubstr("passwd")));
    EXPECT_THAT(failed.body, Not(HasSubstr("door.xsl")));
    const std::string id = failed.header("X-Request-Id");
    EXPECT_NE(id, "");
    EXPECT_TRUE(wait_until([&] {
      return log().find("the feed's stylesheet failed, nothing is stored request=" + id + " ") != std::string::npos;
    })) << "whoever complains of an id leads to the reason";
    EXPECT_TRUE(wait_until([&] {
      return log().find("a request failed request=" + id + " error=\"The feed's stylesheet failed on this entry") !=
             std::string::npos;
    }));
  }
  EXPECT_THAT(post(event("3", "3")).body, HasSubstr("it made more than 67108864 bytes of nodes and texts"));
  EXPECT_THAT(log(), HasSubstr("the feed's stylesheet failed, nothing is stored"));
  EXPECT_EQ(post(event("4", "4")).status, 201);
}

TEST_F(DoorStylesheetTest, WhatComesOutPassesTheDoorAndTheSchemaAgain) {
  put("event.rng", kEventRng);
  put("door.xsl", stylesheet("<xsl:if test='a:content/e:event/@tenant = 1'><title>a second one</title></xsl:if>",
                             "<xsl:template match='e:event[@tenant = 2]'><e:event tenant='nobody'/></xsl:template>"));
  serve("schema = [\"event.rng\"]\nstylesheet = \"door.xsl\"");
  const Reply no_atom = post(event("1", "1"));
  EXPECT_EQ(no_atom.status, 422);
  EXPECT_THAT(no_atom.body,
              HasSubstr("what the feed's stylesheet makes of the entry cannot be stored: the entry has more "
                        "than one atom:title"));
  const Reply no_event = post(event("2", "2"));
  EXPECT_EQ(no_event.status, 422);
  EXPECT_THAT(no_event.body, HasSubstr("cannot be stored: the schema event.rng refuses the element event"));
  EXPECT_EQ(post(event("3", "3")).status, 201);
}

TEST_F(DoorStylesheetTest, ReservedCategoriesAreNotTheClients) {
  put("door.xsl", stylesheet(kTenant));
  serve("stylesheet = \"door.xsl\"\nreserved = [\"tid:\", \"{urn:example:scheme}\"]");
  EXPECT_EQ(post(event("1", "7", "<category term='other'/>")).status, 201);
  const Reply refused = post(event("2", "7", "<category term='TID:8'/>"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("the category TID:8 is one that only the feed itself gives: leave it out"));
  EXPECT_THAT(post(event("3", "7", "<category term='x' scheme='urn:example:scheme'/>")).body,
              HasSubstr("the category x"));
}

TEST_F(DoorStylesheetTest, AnEntryThatWasReadCanBePutBack) {
  put("door.xsl", stylesheet(kTenant));
  serve("stylesheet = \"door.xsl\"\nreserved = [\"tid:\"]");
  EXPECT_EQ(post(event("1")).status, 201);
  const std::string url = "/demo/f/entries/urn:x:1";
  std::string read = client_->get(url).body;
  ASSERT_THAT(read, HasSubstr("tid:7"));
  read.replace(read.find("<title>t<"), 9, "<title>u<");
  const Reply put_back = client_->put(url, read, kAtomType);
  EXPECT_EQ(put_back.status, 200) << put_back.body;
  EXPECT_THAT(put_back.body, HasSubstr("<title>u</title>"));
  const Reply other = client_->put(url, event("1", "8", "<category term='tid:7'/>"), kAtomType);
  EXPECT_EQ(other.status, 422);
  EXPECT_THAT(other.body,
              HasSubstr("the category tid:7 is one that only the feed itself gives, and it does not give it"));
}

TEST_F(DoorStylesheetTest, WhatIsPutIsJudgedAsWell) {
  put("event.rng", kEventRng);
  put("door.xsl", stylesheet(kTenant));
  serve("schema = [\"event.rng\"]\nstylesheet = \"door.xsl\"");
  const std::string url = "/demo/f/entries/urn:x:1";
  EXPECT_EQ(client_->put(url, event("1", "much"), kAtomType).status, 422);
  const Reply made = client_->put(url, event("1"), kAtomType);
  EXPECT_EQ(made.status, 201);
  EXPECT_THAT(made.body, HasSubstr("tid:7"));
  const Reply changed = client_->put(url, event("1", "8"), kAtomType);
  EXPECT_EQ(changed.status, 200);
  EXPECT_THAT(changed.body, HasSubstr("tid:8"));
  const Reply again = client_->put(url, event("1", "8"), kAtomType);
  EXPECT_EQ(again.header("Feed-Position"), changed.header("Feed-Position"));
}

// The digest is of what was sent.
TEST_F(DoorStylesheetTest, TheSameBytesAgainAreARetryWhateverTheStylesheetSaysByThen) {
  put("door.xsl", stylesheet("<category term='at:{$time}'/>"));
  serve("stylesheet = \"door.xsl\"");
  const Reply first = post(event("1"));
  EXPECT_EQ(first.status, 201);
  const Reply retry = post(event("1"));
  EXPECT_EQ(retry.status, 200);
  EXPECT_EQ(retry.body, first.body);
  put("door.xsl", stylesheet("<category term='another'/>"));
  reload("the configuration has been read again");
  const Reply later = post(event("1"));
  EXPECT_EQ(later.status, 200);
  EXPECT_EQ(later.body, first.body);
  EXPECT_EQ(post(event("1", "8")).status, 409);
  EXPECT_THAT(post(event("2")).body, HasSubstr("another"));
  const std::string batch = "<feed xmlns='http://www.w3.org/2005/Atom'>" + event("1") + event("2") + "</feed>";
  EXPECT_EQ(post(batch).header("Feed-Position"), "2");
}

TEST_F(DoorStylesheetTest, AStylesheetMayMakeTheId) {
  put("door.xsl", stylesheet("<id>urn:tenant:<xsl:value-of select='a:content/e:event/@tenant'/></id>",
                             "<xsl:template match='a:id'/>"));
  serve("stylesheet = \"door.xsl\"");
  EXPECT_THAT(post(event("")).body, HasSubstr("<id>urn:tenant:7</id>"));
  EXPECT_EQ(post(event("")).status, 200);
  EXPECT_EQ(post(event("mine", "8")).status, 201);
  EXPECT_EQ(post(event("mine", "8")).status, 200);
  EXPECT_EQ(client_->get("/demo/f/entries/urn:tenant:8").status, 200);
  EXPECT_EQ(client_->put("/demo/f/entries/urn:tenant:8", event("", "8", "<summary>s</summary>"), kAtomType).status,
            200);
  const Reply other = client_->put("/demo/f/entries/urn:tenant:8", event("", "9"), kAtomType);
  EXPECT_EQ(other.status, 409);
  EXPECT_THAT(other.body, HasSubstr("The entry's id is urn:tenant:9, the URL's is urn:tenant:8"));
}

TEST_F(DoorStylesheetTest, AnIdThatIsMadeOfTheTimeWouldHideRetries) {
  put("door.xsl", stylesheet("<id>urn:at:<xsl:value-of select='$time'/></id>", "<xsl:template match='a:id'/>"));
  serve("stylesheet = \"door.xsl\"");
  const Reply refused = post(event("1"));
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(refused.body, HasSubstr("The feed's stylesheet makes another id of the same entry each time"));
}

TEST_F(DoorStylesheetTest, WhatIsMadeTooLongIsRefused) {
  put("door.xsl",
      stylesheet("<summary><xsl:value-of select='a:content'/><xsl:value-of select='a:content'/></summary>"));
  serve("stylesheet = \"door.xsl\"", "[limits]\nmax_entry_bytes = \"4KiB\"\n");
  EXPECT_EQ(post(entry("1", "<content>" + std::string(1000, 'x') + "</content>")).status, 201);
  const Reply refused = post(entry("2", "<content>" + std::string(3000, 'x') + "</content>"));
  EXPECT_EQ(refused.status, 422) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("longer than 4096 bytes"));
}

// The filter holds for what is stored, not for what is sent.
TEST_F(DoorStylesheetTest, ABoundTokenIsHeldAgainstWhatTheStylesheetMakes) {
  put("door.xsl", stylesheet(kTenant));
  serve("stylesheet = \"door.xsl\"\nreserved = [\"tid:\"]", "", {"--access", "tokens"});
  const Tokens tokens(database_.url());
  const std::string seven = bearer(tokens.make("seven", "read,publish,edit", "*", {"--filter", "cat=tid:7"}));
  ASSERT_TRUE(wait_until([&] { return post(event("1"), kAtomType + seven).status == 201; }));
  const Reply foreign = post(event("2", "8"), kAtomType + seven);
  EXPECT_EQ(foreign.status, 403);
  EXPECT_THAT(foreign.body, HasSubstr("only entries whose categories match"));
  const std::string url = "/demo/f/entries/urn:x:1";
  EXPECT_EQ(client_->put(url, event("1", "8"), kAtomType + seven).status, 403);
  EXPECT_EQ(client_->put(url, event("1", "7", "<summary>s</summary>"), kAtomType + seven).status, 200);
}

// The same bytes are stored once; the stylesheet has given them to another part by then.
TEST_F(DoorStylesheetTest, ARetryDoesNotShowTheEntryOfAnotherPart) {
  put("door.xsl", stylesheet("<category term='part:1'/>"));
  serve("stylesheet = \"door.xsl\"", "", {"--access", "tokens"});
  const Tokens tokens(database_.url());
  const std::string first = bearer(tokens.make("first", "read,publish", "*", {"--filter", "cat=part:1"}));
  const std::string second = bearer(tokens.make("second", "read,publish", "*", {"--filter", "cat=part:2"}));
  ASSERT_TRUE(wait_until([&] { return post(event("1"), kAtomType + first).status == 201; }));
  EXPECT_EQ(post(event("1"), kAtomType + first).status, 200);
  put("door.xsl", stylesheet("<category term='part:2'/>"));
  reload("the configuration has been read again");
  const Reply met = post(event("1"), kAtomType + second);
  EXPECT_EQ(met.status, 409);
  EXPECT_THAT(met.body, Not(HasSubstr("part:1")));
  const Reply batch =
      post("<feed xmlns='http://www.w3.org/2005/Atom'>" + event("1") + event("2") + "</feed>", kAtomType + second);
  EXPECT_EQ(batch.status, 200);
  EXPECT_THAT(batch.body, HasSubstr("location"));
  EXPECT_THAT(batch.body, Not(HasSubstr("part:1")));
}

}  // namespace
}  // namespace courant::test::door_stylesheet_test
