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

}  // namespace
}  // namespace courant::test
