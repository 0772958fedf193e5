// RFC 4287, The Atom Syndication Format: what our documents owe, and what is not let in. The grammar checks the rest of
// every document that tests see (tests/support/check_documents).
#include <algorithm>

#include "kernel/time.h"
#include "tests/conformance/server/fixture.h"

namespace courant::test::rfc4287_test {
namespace {

using Rfc4287 = Conformance;

// 2: "Atom Documents MUST be well-formed XML."
TEST_F(Rfc4287, Section2IllFormedDocumentsAreNotStored) {
  EXPECT_EQ(client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>", kEntryType).status, 422);
  EXPECT_EQ(client_.post("/demo/events", "<x:entry/>", kEntryType).status, 422) << "Namespaces in XML";
}

// 3.3: "A Date construct ... MUST conform to the "date-time" production in [RFC3339]." "Date values SHOULD be as
// accurate as possible"; the server stores its own times.
TEST_F(Rfc4287, Section3_3DatesAreRfc3339) {
  EXPECT_EQ(publish(1, "<content>c</content><updated>yesterday</updated>").status, 422);
  ASSERT_EQ(publish(2).status, 201);
  const std::string updated = parsed(client_.get("/demo/events").body).child("feed").child_value("updated");
  EXPECT_TRUE(parse_rfc3339(updated)) << updated;
  EXPECT_NE(updated.find('T'), std::string::npos);
}

// 4.1.1: "atom:feed elements MUST contain exactly one atom:id", "... atom:title", "... atom:updated", "MUST contain one
// or more atom:author elements, unless all of the ... atom:entry elements contain at least one", "SHOULD contain one
// atom:link element with a rel attribute value of "self"", "MUST NOT contain more than one atom:link element with a rel
// attribute value of "alternate" that has the same combination of type and hreflang".
TEST_F(Rfc4287, Section4_1_1AFeedHasWhatItMustHave) {
  publish_all(3);
  for (const char* const target : {"/demo/events", "/demo/events?marker=3", "/demo/events?marker=last&limit=1"}) {
    const pugi::xml_document document = parsed(client_.get(target).body);
    const pugi::xml_node feed = document.child("feed");
    EXPECT_STREQ(feed.attribute("xmlns").value(), "http://www.w3.org/2005/Atom");
    for (const char* const name : {"id", "title", "updated"}) {
      const auto children = feed.children(name);
      EXPECT_EQ(std::distance(children.begin(), children.end()), 1) << name;
    }
    EXPECT_TRUE(feed.child("author").child("name"));
    EXPECT_TRUE(link_of(feed, "self").starts_with(server_.url() + "/demo/events"));
    const auto links = feed.children("link");
    EXPECT_LE(std::count_if(links.begin(), links.end(),
                            [](const auto& link) { return std::string("alternate") == link.attribute("rel").value(); }),
              1);
  }
}

// 4.1.2: "atom:entry elements MUST contain exactly one atom:id element", "... one atom:title", "... one atom:updated",
// "MUST contain one or more atom:author elements, unless ... the atom:feed element contains an atom:author", "that
// contain no child atom:content element MUST contain at least one atom:link element with a rel attribute value of
// "alternate"".
TEST_F(Rfc4287, Section4_1_2AnEntryGetsWhatItLacks) {
  const Reply reply = client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'/>", kEntryType);
  ASSERT_EQ(reply.status, 201) << reply.body;
  const pugi::xml_document document = parsed(reply.body);
  const pugi::xml_node stored = document.child("entry");
  for (const char* const name : {"id", "title", "updated", "author"}) EXPECT_TRUE(stored.child(name)) << name;
  EXPECT_FALSE(link_of(stored, "alternate").empty());
}

// 4.1.2: entries "MUST contain exactly one" of id, title and updated, "MUST NOT contain more than one" of the others.
TEST_F(Rfc4287, Section4_1_2WhatMayStandOnceIsRefusedTwice) {
  for (const char* const name : {"id", "title", "updated", "published", "rights", "summary", "content"}) {
    const bool is_date = std::string(name) == "updated" || std::string(name) == "published";
    const std::string text = is_date ? "2026-01-01T00:00:00Z" : "urn:x:9";
    const std::string one = "<" + std::string(name) + ">" + text + "</" + name + ">";
    const std::string twice = "<entry xmlns='http://www.w3.org/2005/Atom'>" + one + one + "</entry>";
    EXPECT_EQ(client_.post("/demo/events", twice, kEntryType).status, 422) << name;
  }
}

// 4.2.6: "Its content MUST be an IRI". "When an Atom Document is relocated, migrated, syndicated, republished,
// exported, or imported, the content of its atom:id element MUST NOT change."
TEST_F(Rfc4287, Section4_2_6IdsAreIrisAndStay) {
  EXPECT_EQ(client_.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>no iri</id></entry>").status,
            422);
  ASSERT_EQ(publish(1).status, 201);
  const std::string before = parsed(client_.get("/demo/events").body).child("feed").child_value("id");
  server_.kill_and_restart();
  const pugi::xml_document after = parsed(HttpClient(server_.port()).get("/demo/events").body);
  EXPECT_EQ(after.child("feed").child_value("id"), before);
  EXPECT_STREQ(after.child("feed").child("entry").child_value("id"), "urn:x:1");
}

// 4.1.3.1: the value of type "MUST NOT be a composite type"; 4.1.3.2: "If the "src" attribute is present, atom:content
// MUST be empty."; 4.1.3.3: "If the value of "type" is "xhtml", the content of atom:content MUST be a single XHTML div
// element".
TEST_F(Rfc4287, Section4_1_3ContentIsWhatItsTypeSays) {
  EXPECT_EQ(publish(1, "<content type='multipart/mixed'>x</content>").status, 422);
  EXPECT_EQ(publish(2, "<content src='http://x.example/'>x</content>").status, 422);
  EXPECT_EQ(publish(3, "<content type='xhtml'>x</content>").status, 422);
  EXPECT_EQ(publish(4, "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>x</div></content>").status,
            201);
}

// 4.2.7.1: "atom:link elements MUST have an href attribute".
TEST_F(Rfc4287, Section4_2_7LinksLeadSomewhere) {
  EXPECT_EQ(publish(1, "<content>c</content><link rel='related'/>").status, 422);
}

// 6.3: "Atom Processors that encounter foreign markup in a location that is legal according to this specification MUST
// NOT stop processing or signal an error." It is kept as it is.
TEST_F(Rfc4287, Section6ForeignMarkupIsKept) {
  const Reply reply = publish(1, "<content>c</content><x:y xmlns:x='urn:other' z='1'>kept</x:y>");
  EXPECT_EQ(reply.status, 201);
  EXPECT_NE(reply.body.find("<x:y xmlns:x=\"urn:other\" z=\"1\">kept</x:y>"), std::string::npos) << reply.body;
}

}  // namespace
}  // namespace courant::test::rfc4287_test
