// RFC 5023, The Atom Publishing Protocol, as far as Courant speaks it yet: creating entries and the service document.
#include "tests/conformance/server/fixture.h"

namespace courant::test {
namespace {

using Rfc5023 = Conformance;

// 5.3: "If the Member Resource was created successfully, the server responds with a status code of 201 and a Location
// header that contains the IRI of the newly created Entry Resource."
// 9.2: "When the server generates a response with a status code of 201 (Created), it SHOULD also return a response
// body, which MUST be an Atom Entry Document representing the newly created Resource."
TEST_F(Rfc5023, Section9_2CreatingAnswersWithTheMember) {
  const Reply reply = publish(1);
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.header("Location"), server_.url() + "/demo/events/entries/urn:x:1");
  // 9.2: "If the creation request contained an Atom Entry Document, and the subsequent response from the server
  // contains a Content-Location header that matches the Location header character-for-character, then the client is
  // authorized to interpret the response entity as being a complete representation of the newly created Entry."
  EXPECT_EQ(reply.header("Content-Location"), reply.header("Location"));
  EXPECT_STREQ(parsed(reply.body).child("entry").child_value("id"), "urn:x:1");
  EXPECT_TRUE(reply.header("Content-Type").starts_with("application/atom+xml;type=entry"));
}

// 5.1, 5.4: the Member URI answers GET with the representation.
TEST_F(Rfc5023, Section5_4TheMemberIsServedAtItsLocation) {
  const Reply created = publish(1);
  const Reply got = client_.get(target_of(created.header("Location")));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, created.body);
  EXPECT_EQ(got.header("ETag"), created.header("ETag"));
}

// 8.3.1: "app:service ... MUST contain one or more app:workspace elements"; 8.3.2: "MUST contain one
// "atom:title""; 8.3.3: "The "app:collection" element MUST contain an "href" attribute", "MUST contain one
// atom:title"; 8.3.4: the content of app:accept is a media range.
TEST_F(Rfc5023, Section8TheServiceDocumentNamesEveryCollection) {
  publish(1);
  const Reply reply = client_.get("/");
  EXPECT_EQ(reply.header("Content-Type"), "application/atomsvc+xml");
  const pugi::xml_document document = parsed(reply.body);
  const pugi::xml_node service = document.child("service");
  EXPECT_STREQ(service.attribute("xmlns").value(), "http://www.w3.org/2007/app");
  const pugi::xml_node workspace = service.child("workspace");
  EXPECT_STREQ(workspace.child_value("atom:title"), "Demo");
  const pugi::xml_node collection = workspace.child("collection");
  EXPECT_EQ(collection.attribute("href").value(), server_.url() + "/demo/events");
  EXPECT_TRUE(collection.child("atom:title"));
  EXPECT_STREQ(collection.child_value("accept"), "application/atom+xml;type=entry");
}

// 10: "Collection Resources MUST provide representations in the form of Atom Feed Documents", 10.1: partial lists carry
// a "next" link.
TEST_F(Rfc5023, Section10ACollectionIsAFeedInPieces) {
  publish_all(30);
  const Reply reply = client_.get("/demo/events");
  EXPECT_TRUE(reply.header("Content-Type").starts_with("application/atom+xml;type=feed"));
  EXPECT_FALSE(link_of(parsed(reply.body).child("feed"), "next").empty());
}

// 9.6, 5.3: a media type that the collection does not accept is 415 (RFC 9110 15.5.16).
TEST_F(Rfc5023, Section8_3_4WhatIsNotAcceptedIs415) {
  EXPECT_EQ(client_.post("/demo/events", "x", "Content-Type: image/png\r\n").status, 415);
}

// 8.3.3, 8.3.4: "A value of "application/atom+xml;type=entry" MAY appear in any app:accept list of media
// ranges"; 8.3.6: "The "app:categories" element provides a list of the categories that can be applied to the members of
// a Collection"; 7.2.1.1: "The app:categories element can contain an "href" attribute, whose value MUST be an IRI
// reference identifying a Category Document".
TEST_F(Rfc5023, Section7ACollectionNamesItsCategoryDocument) {
  ASSERT_EQ(publish(1, "<content>c</content><category term='Tid:2'/><category term='a&amp;b'/>").status, 201);
  ASSERT_EQ(publish(2, "<content>c</content><category term='tid:2'/><category term='zz'/>").status, 201);
  const pugi::xml_document service = parsed(client_.get("/").body);
  const std::string href =
      service.child("service").child("workspace").child("collection").child("categories").attribute("href").value();
  EXPECT_EQ(href, server_.url() + "/demo/events/categories");
  const Reply reply = client_.get(target_of(href));
  // 7.1: "Category Documents are identified with the "application/atomcat+xml" media type".
  EXPECT_EQ(reply.header("Content-Type"), "application/atomcat+xml");
  const pugi::xml_document document = parsed(reply.body);
  const pugi::xml_node categories = document.child("app:categories");
  EXPECT_STREQ(categories.attribute("fixed").value(), "no");
  std::vector<std::string> terms;
  for (const pugi::xml_node& category : categories.children("category"))
    terms.emplace_back(category.attribute("term").value());
  EXPECT_EQ(terms, (std::vector<std::string>{"a&b", "tid:2", "zz"}));
  EXPECT_EQ(client_.get("/demo/none/categories").status, 404);
}

// 10.2: "The app:edited element is a Date construct whose content indicates the last time an Entry was edited. ... Atom
// Entry elements in Collection Documents SHOULD contain one app:edited element, and MUST NOT contain more than one."
// "The server SHOULD change the value of this element every time an Entry Resource or an associated Media Resource has
// been edited."
TEST_F(Rfc5023, Section10_2EntriesSayWhenTheyWereEdited) {
  publish(1);
  const auto edited = [&] {
    const pugi::xml_document document = parsed(client_.get("/demo/events").body);
    const pugi::xml_node entry = document.child("feed").child("entry");
    EXPECT_FALSE(entry.child("app:edited").next_sibling("app:edited"));
    return std::string(entry.child_value("app:edited"));
  };
  const std::string first = edited();
  EXPECT_FALSE(first.empty());
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry(1, "<content>new</content>"), kEntryType).status, 200);
  EXPECT_GT(edited(), first);
}

// 11.1: "The value of "edit" specifies that the value of the href attribute is the IRI of an editable Member Entry.
// When appearing within an atom:entry, the href IRI can be used to retrieve, update, and delete the Resource
// represented by that Entry." 9.1: "the Member URI ... is the one with rel=edit".
TEST_F(Rfc5023, Section11_1TheEditLinkRetrievesUpdatesAndDeletes) {
  const Reply created = publish(1);
  const std::string edit = link_of(parsed(created.body).child("entry"), "edit");
  ASSERT_FALSE(edit.empty());
  // 5.4.2: "To edit a Member Resource, a client sends a PUT request to its Member URI and, as is true for all HTTP
  // requests, the server responds with an appropriate status code."
  EXPECT_EQ(client_.put(target_of(edit), entry(1, "<content>2</content>"), kEntryType).status, 200);
  EXPECT_NE(client_.get(target_of(edit)).body.find(">2</content>"), std::string::npos);
  // 5.4.3: "The client sends a DELETE request to the Member's Member URI."
  EXPECT_EQ(client_.remove(target_of(edit)).status, 204);
  EXPECT_EQ(client_.get(target_of(edit)).status, 410);
}

// 9.3: "To avoid unintentional loss of data when editing Member Entries or Media Link Entries, an Atom Protocol client
// SHOULD preserve all metadata that has not been intentionally modified, including unknown foreign markup"; 9.5: the
// server's part is the entity tag.
TEST_F(Rfc5023, Section9_5_1StaleEditsAreRefused) {
  const std::string etag = publish(1).header("ETag");
  const std::string target = "/demo/events/entries/urn:x:1";
  EXPECT_EQ(client_.put(target, entry(1, "<content>2</content>"), "If-Match: " + etag + "\r\n").status, 200);
  EXPECT_EQ(client_.put(target, entry(1, "<content>3</content>"), "If-Match: " + etag + "\r\n").status, 412);
}

// 4.4: "Unrecognized or foreign markup is preserved" is 6.2: "Atom Protocol processors ... MUST NOT stop processing or
// signal an error and MUST NOT change their behavior as a result" of foreign markup in our documents.
TEST_F(Rfc5023, Section6_2ForeignMarkupIsTakenAndKept) {
  const Reply reply = publish(1, "<content>c</content><x:y xmlns:x='urn:x' a='1'>z<x:w/></x:y>");
  EXPECT_EQ(reply.status, 201);
  EXPECT_NE(reply.body.find("<x:y xmlns:x=\"urn:x\" a=\"1\">z<x:w></x:w></x:y>"), std::string::npos) << reply.body;
}

// 9.2: a draft is only a request of the client's: "app:control ... the server MAY ignore".
TEST_F(Rfc5023, Section13_1_1ADraftIsTaken) {
  EXPECT_EQ(publish(1,
                    "<content>c</content><app:control xmlns:app='http://www.w3.org/2007/app'><app:draft>yes</app:draft>"
                    "</app:control>")
                .status,
            201);
}

}  // namespace
}  // namespace courant::test
