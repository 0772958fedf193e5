// Schemas and assertions of feeds, and the files and settings that they come from.
#include "tests/support/door.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/command.h"

namespace courant::test::door_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class DoorTest : public Door {};

TEST_F(DoorTest, ASchemaNamesLineColumnElementAndRule) {
  put("event.rng", kEventRng);
  serve("schema = [\"event.rng\"]");
  EXPECT_EQ(post(event("1")).status, 201);
  const Reply refused = post(
      "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title>\n<content type='application/xml'>"
      "<event xmlns='urn:example:event' tenant='7'>\n  <size>3</size><size>much</size></event>"
      "</content></entry>");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body,
              HasSubstr("the schema event.rng refuses the element size: Type integer doesn't allow value"));
  EXPECT_THAT(refused.body, HasSubstr("(line 3, column 17)"));
  EXPECT_THAT(post(event("2", "none")).body, HasSubstr("the element event: Type positiveInteger doesn't allow value"));
  EXPECT_EQ(post(entry("3", "<content>text is no matter for it</content>")).status, 201);
}

TEST_F(DoorTest, ABatchNamesEachEntryThatIsRefused) {
  put("event.rng", kEventRng);
  serve("schema = [\"event.rng\"]");
  const Reply refused = post("<feed xmlns='http://www.w3.org/2005/Atom'>\n" + event("1", "x") + "\n" + event("2") +
                             "\n" + event("3", "-1") + "</feed>");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("2 of 3 entries are not valid"));
  EXPECT_THAT(refused.body, HasSubstr("urn:x:1"));
  EXPECT_THAT(refused.body, Not(HasSubstr("urn:x:2")));
  EXPECT_THAT(refused.body, HasSubstr("(line 2, column"));
  EXPECT_THAT(refused.body, HasSubstr("(line 4, column"));
  EXPECT_EQ(client_->get("/demo/f").status, 404);  // what is refused makes no feed
}

TEST_F(DoorTest, ContentsAreJudgedByTheNamespaceOfTheirRoot) {
  put("event.rng", kEventRng);
  put("usage.xsd", kUsageXsd);
  serve("schema = [\"event.rng\", \"usage.xsd\"]");
  const auto usage = [](const std::string& bytes) {
    return entry("", "<content type='application/xml'><usage xmlns='urn:example:usage'><bytes>" + bytes +
                         "</bytes></usage></content>");
  };
  EXPECT_EQ(post(usage("3")).status, 201);
  EXPECT_EQ(post(event("1")).status, 201);
  const Reply refused = post(usage("-3"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("the schema usage.xsd refuses the element bytes"));
  const Reply unknown = post(entry("", "<content type='application/xml'><x xmlns='urn:x'/></content>"));
  EXPECT_EQ(unknown.status, 422);
  EXPECT_THAT(unknown.body, HasSubstr("no schema of this feed is for the content's element x in the namespace urn:x"));
  EXPECT_THAT(unknown.body, HasSubstr("urn:example:event, urn:example:usage"));
}

TEST_F(DoorTest, ASchemaOfEntriesJudgesTheWholeEntry) {
  put("entry.rng",
      R"(<element name="entry" xmlns="http://relaxng.org/ns/structure/1.0" ns="http://www.w3.org/2005/Atom">
      <zeroOrMore><choice><element name="title"><text/></element><element name="id"><text/></element>
      <element name="category"><attribute name="term"/></element></choice></zeroOrMore></element>)");
  serve("schema = [\"entry.rng\"]");
  EXPECT_EQ(post(entry("1", "<category term='a'/>")).status, 201);
  const Reply refused = post(entry("2", "<category term='a' label='b'/>"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("the schema entry.rng refuses the element category"));
}

TEST_F(DoorTest, AnAssertionIsTheSentenceOfWhoWroteIt) {
  serve("namespaces = [\"e=urn:example:event\"]",
        "[[workspaces.assert]]\nxpath = \"count(atom:category) <= 1\"\nmessage = \"One category at most\"\n"
        "[[workspaces.assert]]\nxpath = \"not(atom:content/e:event) or atom:content/e:event/@tenant < 10\"\n"
        "message = \"Tenants have one digit\"\n");
  EXPECT_EQ(post(event("1")).status, 201);
  const Reply two = post(event("2", "7", "<category term='a'/><category term='b'/>"));
  EXPECT_EQ(two.status, 422);
  EXPECT_THAT(two.body, HasSubstr("One category at most (line 1, column 1)"));
  EXPECT_THAT(post(event("3", "12")).body, HasSubstr("Tenants have one digit"));
}

TEST_F(DoorTest, WhatIsStoredAndWouldBeRefusedNowIsARetryAllTheSame) {
  serve("");
  const std::string batch = "<feed xmlns='http://www.w3.org/2005/Atom'>" + event("2") + event("3") + "</feed>";
  const Reply first = post(event("1"));
  EXPECT_EQ(post(batch).status, 200);
  configure("", "[[workspaces.feeds]]\nname = \"f\"\nassert = [[\"false()\", \"Nothing any more\"]]\n");
  reload("the configuration has been read again");
  const Reply retry = post(event("1"));
  EXPECT_EQ(retry.status, 200);
  EXPECT_EQ(retry.body, first.body);
  EXPECT_EQ(post(batch).header("Feed-Position"), "3");
  EXPECT_EQ(post(event("1", "8")).status, 422);
  EXPECT_EQ(post(event("4")).status, 422);
  EXPECT_EQ(post(event("")).status, 422);
}

TEST_F(DoorTest, MediaLinkEntriesPassTheDoor) {
  put("door.xsl", stylesheet("<category term='media:{$feed}'/>"));
  serve(
      "stylesheet = \"door.xsl\"\naccept = [\"application/atom+xml;type=entry\", \"image/*\"]\n"
      "assert = [[\"atom:title != 'secret'\", \"No secrets\"]]");
  const Reply stored = post("bytes", "Content-Type: image/png\r\nSlug: a picture\r\n");
  EXPECT_EQ(stored.status, 201) << stored.body;
  EXPECT_THAT(stored.body, HasSubstr("media:f"));
  EXPECT_THAT(stored.body, HasSubstr("<title>a picture</title>"));
  const Reply refused = post("bytes", "Content-Type: image/png\r\nSlug: secret\r\n");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("The media link entry of this resource: No secrets"));
}

TEST_F(DoorTest, AFeedSaysOtherwiseThanItsWorkspace) {
  put("event.rng", kEventRng);
  serve("schema = [\"event.rng\"]", "[[workspaces.feeds]]\nname = \"free\"\nschema = []\n");
  EXPECT_EQ(client_->post("/demo/free", event("1", "x"), kAtomType).status, 201);
  EXPECT_EQ(client_->post("/demo/other", event("1", "x"), kAtomType).status, 422);
}

TEST_F(DoorTest, FilesAreReadAgainOnSighup) {
  put("event.rng", kEventRng);
  serve("schema = [\"event.rng\"]");
  EXPECT_EQ(post(event("1", "x")).status, 422);
  std::string wide = kEventRng;
  wide.replace(wide.find("<data type=\"positiveInteger\"/>"), 30, "<text/>");
  put("event.rng", wide);
  EXPECT_EQ(post(event("1", "x")).status, 422);
  reload("the configuration has been read again");
  EXPECT_EQ(post(event("1", "x")).status, 201);
  put("event.rng", "<grammar");
  reload("the configuration is not taken over: all stays as it was");
  EXPECT_THAT(log(), HasSubstr("workspace demo: the schema event.rng cannot be used"));
  EXPECT_EQ(post(event("2", "y")).status, 201);
}

TEST_F(DoorTest, CheckConfigNamesTheFileThatCannotBeUsed) {
  put("event.rng", kEventRng);
  put("door.xsl", stylesheet(""));
  const auto check = [this] { return run_courant({"check-config", folder_ + "/courant.toml"}); };
  configure("schema = [\"event.rng\"]\nstylesheet = \"door.xsl\"");
  EXPECT_EQ(check().status, 0) << check().output;
  configure("schema = [\"gone.rng\"]");
  EXPECT_EQ(check().status, 1);
  EXPECT_THAT(check().output, HasSubstr("workspace demo: there is no file gone.rng"));
  EXPECT_THAT(run_courant({"doctor", "--config", folder_ + "/courant.toml", "--database", database_.url()}).output,
              HasSubstr("workspace demo: there is no file gone.rng"));
  configure("schema = [\"../event.rng\"]");
  EXPECT_EQ(check().status, 1);
  put("event.rnc", "element event { empty }");
  configure("schema = [\"event.rnc\"]");
  EXPECT_THAT(check().output, HasSubstr("trang event.rnc event.rng"));
  put("door.xsl",
      "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:template match='['/>"
      "</xsl:stylesheet>");
  configure("stylesheet = \"door.xsl\"");
  EXPECT_THAT(check().output, HasSubstr("workspace demo: the stylesheet door.xsl cannot be used"));
  configure("assert = [[\"count(\", \"m\"]]");
  EXPECT_THAT(check().output, HasSubstr("the assertion count( is no XPath 1.0 expression"));
  configure("assert = [\"count(atom:title)\"]");
  EXPECT_THAT(check().output, HasSubstr("with xpath and message, both texts"));
  configure("namespaces = [\"e\"]\nassert = [[\"true()\", \"m\"]]");
  EXPECT_THAT(check().output, HasSubstr("a namespace is bound as \"prefix=address\", not as e"));
}

TEST_F(DoorTest, SettingsAreExportedAndAppliedAgain) {
  put("event.rng", kEventRng);
  put("door.xsl", stylesheet(""));
  serve("schema = [\"event.rng\"]\nstylesheet = \"door.xsl\"\nreserved = [\"tid:\"]\nnamespaces = [\"e=urn:x\"]",
        "[[workspaces.assert]]\nxpath = \"atom:title = \\\"t\\\"\"\nmessage = \"A title, \\\"t\\\"\"\n");
  const auto exported = run_courant({"export", "--database", database_.url()});
  EXPECT_THAT(exported.output, HasSubstr("assert = [[\"atom:title = \\\"t\\\"\", \"A title, \\\"t\\\"\"]]"));
  EXPECT_THAT(exported.output, HasSubstr("reserved = [\"tid:\"]"));
  put("exported.toml", exported.output);
  const auto applied = run_courant({"apply", folder_ + "/exported.toml", "--database", database_.url(), "--yes"});
  EXPECT_EQ(applied.status, 0) << applied.output;
  EXPECT_THAT(applied.output, HasSubstr("There is nothing to change."));
  put("absent.toml", "[[workspaces]]\nname = \"demo\"\nschema = [\"gone.rng\"]\n");
  const auto refused = run_courant({"apply", folder_ + "/absent.toml", "--database", database_.url(), "--yes"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("there is no file gone.rng"));
}

// Another server's configuration has put it into the database; the file is not here.
TEST_F(DoorTest, AServerThatCannotUseASchemaStoresNothingThatMayBreakIt) {
  serve("");
  EXPECT_EQ(post(event("1", "x")).status, 201);
  const std::string elsewhere = folder_ + "/elsewhere";
  std::filesystem::create_directory(elsewhere);
  put("elsewhere/event.rng", kEventRng);
  put("elsewhere/courant.toml",
      "[[workspaces]]\nname = \"demo\"\nauto_create = true\n[[workspaces.feeds]]\nname = \"f\"\n"
      "schema = [\"event.rng\"]\n");
  const auto applied = run_courant({"apply", elsewhere + "/courant.toml", "--database", database_.url(), "--yes"});
  ASSERT_EQ(applied.status, 0) << applied.output;
  ASSERT_TRUE(wait_until([&] { return post(event("2", "7")).status == 503; }));
  const Reply refused = post(event("2", "7"));
  EXPECT_THAT(refused.body, HasSubstr("This server cannot use the schema or the stylesheet of the feed"));
  EXPECT_EQ(refused.header("Retry-After"), "60");
}

TEST_F(DoorTest, WhatASchemaWouldTakeForEverIsRefusedAndTheServerGoesOn) {
  put("name.rng", R"(<element name="name" ns="urn:example:name" xmlns="http://relaxng.org/ns/structure/1.0"
      datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
    <data type="string"><param name="pattern">[a-z]*[a-z0-9]*[a-z]*-</param></data></element>)");
  serve("schema = [\"name.rng\"]");
  const auto named = [](const std::string& id, const std::string& name) {
    return entry(id, "<content type='application/xml'><name xmlns='urn:example:name'>" + name + "</name></content>");
  };
  const Reply refused = post(named("1", std::string(1800, 'a')));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("the schema name.rng refuses the element name: it takes more than 1s of the "
                                      "processor to judge it"));
  EXPECT_EQ(post(named("1", "abc-")).status, 201);
}

// Of some thousand steps: more than is tried where the entry arrives.
TEST_F(DoorTest, WhatTakesLongIsJudgedWithPatience) {
  put("door.xsl", stylesheet("<category term='{count(//*[count(//*[count(//*) &gt; 0]) &gt; 0])}'/>"));
  serve("stylesheet = \"door.xsl\"\nassert = [[\"count(//*[count(//*[count(//*) > 0]) > 0]) > 20\", \"too few\"]]");
  std::string names;
  for (int i = 0; i < 20; ++i) names += "<e xmlns='urn:e'/>";
  const Reply made = post(entry("1", names));
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.body, HasSubstr("<category term=\"23\"></category>"));
  EXPECT_EQ(post(entry("2", "")).status, 422);
}

}  // namespace
}  // namespace courant::test::door_test
