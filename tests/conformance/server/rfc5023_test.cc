// RFC 5023, The Atom Publishing Protocol.
#include <algorithm>
#include <fstream>
#include <set>

#include "tests/conformance/server/fixture.h"
#include "tests/support/scratch.h"

namespace courant::test::rfc5023_test {
namespace {

using Rfc5023 = Conformance;

// 5.3: "If the Member Resource was created successfully, the server responds with a status code of 201 and a Location
// header that contains the IRI of the newly created Entry Resource."
// 9.2: "When the Collection responds with a status code of 201, it SHOULD also return a response body, which MUST be an
// Atom Entry Document representing the newly created Resource."
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

// 5.4.1: the Member URI answers GET with the representation.
TEST_F(Rfc5023, Section5_4TheMemberIsServedAtItsLocation) {
  const Reply created = publish(1);
  const Reply got = client_.get(target_of(created.header("Location")));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, created.body);
  EXPECT_EQ(got.header("ETag"), created.header("ETag"));
}

// 8.3.1: "An app:service element MUST contain one or more app:workspace elements."; 8.3.2.1: "The app:workspace element
// MUST contain one "atom:title" element"; 8.3.3: "The app:collection element MUST contain one atom:title element.";
// 8.3.3.1: "The app:collection element MUST contain an "href" attribute"; 8.3.4: the content of app:accept is a media
// range.
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

// 9.2, 8.3.4: a media type that the collection does not accept is 415 (RFC 9110 15.5.16).
TEST_F(Rfc5023, Section8_3_4WhatIsNotAcceptedIs415) {
  EXPECT_EQ(client_.post("/demo/events", "x", "Content-Type: image/png\r\n").status, 415);
}

// 8.3.4: "A value of "application/atom+xml;type=entry" MAY appear in any app:accept list of media ranges"; 8.3.6: "The
// "app:categories" element provides a list of the categories that can be applied to the members of a Collection.";
// 7.2.1.1: "Alternatively, the app:categories element MAY contain an "href" attribute, whose value MUST be an IRI
// reference identifying a Category Document."
TEST_F(Rfc5023, Section7ACollectionNamesItsCategoryDocument) {
  ASSERT_EQ(publish(1, "<content>c</content><category term='Tid:2'/><category term='a&amp;b'/>").status, 201);
  ASSERT_EQ(publish(2, "<content>c</content><category term='tid:2'/><category term='zz'/>").status, 201);
  const pugi::xml_document service = parsed(client_.get("/").body);
  const std::string href =
      service.child("service").child("workspace").child("collection").child("categories").attribute("href").value();
  EXPECT_EQ(href, server_.url() + "/demo/events/categories");
  const Reply reply = client_.get(target_of(href));
  // 7: "Category Documents are identified with the "application/atomcat+xml" media type".
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

// 10.2: "The "app:edited" element is a Date construct (as defined by [RFC4287]), whose content indicates the last time
// an Entry was edited. ... Atom Entry elements in Collection Documents SHOULD contain one app:edited element, and MUST
// NOT contain more than one." "The server SHOULD change the value of this element every time an Entry Resource or an
// associated Media Resource has been edited."
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
// represented by that Entry." 9.1: "A Member Entry SHOULD contain such an atom:link element with a link relation of
// "edit", which indicates the Member URI."
TEST_F(Rfc5023, Section11_1TheEditLinkRetrievesUpdatesAndDeletes) {
  const Reply created = publish(1);
  const std::string edit = link_of(parsed(created.body).child("entry"), "edit");
  ASSERT_FALSE(edit.empty());
  // 5.4.2: "The client sends a PUT request to store a representation of a Member Resource." "If the request is
  // successful, the server responds with a status code of 200."
  EXPECT_EQ(client_.put(target_of(edit), entry(1, "<content>2</content>"), kEntryType).status, 200);
  EXPECT_NE(client_.get(target_of(edit)).body.find(">2</content>"), std::string::npos);
  // 5.4.3: "The client sends a DELETE request to the URI of a Member Resource."
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

// 6.2: "Processors that encounter foreign markup MUST NOT stop processing and MUST NOT signal an error. Clients SHOULD
// preserve foreign markup when transmitting such documents." In entries it is RFC 4287 that asks for it, 6.3: "MUST NOT
// change their behavior as a result of the markup's presence". We keep it.
TEST_F(Rfc5023, Section6_2ForeignMarkupIsTakenAndKept) {
  const Reply reply = publish(1, "<content>c</content><x:y xmlns:x='urn:x' a='1'>z<x:w/></x:y>");
  EXPECT_EQ(reply.status, 201);
  EXPECT_NE(reply.body.find("<x:y xmlns:x=\"urn:x\" a=\"1\">z<x:w></x:w></x:y>"), std::string::npos) << reply.body;
}

// 13.1.1: "The inclusion of the "app:draft" element represents a request by the client to control the visibility of a
// Member Resource. The app:draft element MAY be ignored by the server."
TEST_F(Rfc5023, Section13_1_1ADraftIsTaken) {
  EXPECT_EQ(publish(1,
                    "<content>c</content><app:control xmlns:app='http://www.w3.org/2007/app'><app:draft>yes</app:draft>"
                    "</app:control>")
                .status,
            201);
}

// 9.2: "When a Member Resource is created, its Member Entry URI MUST be returned in a Location header in the
// Collection's response." 9.1, 11.1: it is the one that the edit link names, and answers GET.
TEST_F(Rfc5023, Section9_2EveryCreationNamesTheMember) {
  const std::string anonymous = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title></entry>";
  const std::string put = "/demo/events/entries/urn:x:9";
  for (const Reply& created : {publish(1), client_.post("/demo/events", anonymous, kEntryType),
                               client_.post("/demo/other", anonymous), client_.put(put, entry(9), kEntryType)}) {
    ASSERT_EQ(created.status, 201) << created.body;
    const std::string location = created.header("Location");
    ASSERT_FALSE(location.empty());
    EXPECT_EQ(link_of(parsed(created.body).child("entry"), "edit"), location);
    EXPECT_EQ(client_.get(target_of(location)).body, created.body);
  }
}

// 4.1: identifiers are IRIs, and must be mapped to URIs before they are dereferenced (RFC 3987 3.1); in the Location
// field they already are.
TEST_F(Rfc5023, Section4_1LocationsAreUris) {
  const Reply created = client_.post(
      "/demo/events",
      "<entry xmlns='http://www.w3.org/2005/Atom'><id>tag:example.org,2026:\xC3\xA4 </id><title>t</title></entry>",
      kEntryType);
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string location = created.header("Location");
  EXPECT_TRUE(std::all_of(location.begin(), location.end(), [](char c) { return c > ' ' && c < 0x7F; })) << location;
  EXPECT_EQ(client_.get(target_of(location)).body, created.body);
}

// 5.2: "To list the Members of a Collection, the client sends a GET request to the URI of a Collection. An Atom Feed
// Document is returned whose Entries contain the IRIs of Member Resources."
TEST_F(Rfc5023, Section5_2AListLeadsToItsMembers) {
  publish_all(3);
  const pugi::xml_document list = parsed(client_.get("/demo/events").body);
  int seen = 0;
  for (const pugi::xml_node& member : list.child("feed").children("entry")) {
    const Reply got = client_.get(target_of(link_of(member, "edit")));
    EXPECT_EQ(got.status, 200);
    EXPECT_STREQ(parsed(got.body).child("entry").child_value("id"), member.child_value("id"));
    ++seen;
  }
  EXPECT_EQ(seen, 3);
}

// 5.5: "HTTP 4xx and 5xx response entities SHOULD include a human-readable explanation of the error."
TEST_F(Rfc5023, Section5_5RefusalsExplainThemselves) {
  publish(1);
  const std::string target = "/demo/events/entries/urn:x:1";
  for (const Reply& refused : {client_.get("/demo/nothing"), client_.post("/demo/events", "x", kEntryType),
                               client_.post("/demo/events", "x", "Content-Type: image/png\r\n"),
                               publish(1, "<content>other</content>"), client_.put(target, entry(2), kEntryType),
                               client_.put(target, entry(1, "<content>n</content>"), "If-Match: \"7\"\r\n"),
                               client_.remove("/demo/events"), client_.get("/demo/events?limit=0")}) {
    EXPECT_EQ(refused.status / 100, 4);
    const std::string begin = "\"detail\":\"";
    const std::size_t detail = refused.body.find(begin);
    ASSERT_NE(detail, std::string::npos) << refused.body;
    EXPECT_GT(refused.body.find('"', detail + begin.size()), detail + begin.size() + 10) << refused.body;
  }
}

// 6.2: "Processors that encounter foreign markup MUST NOT stop processing and MUST NOT signal an error." Elements of
// the protocol's own namespace that nobody knows yet are such markup too.
TEST_F(Rfc5023, Section6_2UnknownMarkupOfTheProtocolIsTaken) {
  EXPECT_EQ(publish(1, "<content>c</content><app:later xmlns:app='http://www.w3.org/2007/app' app:x='1'>y</app:later>")
                .status,
            201);
  EXPECT_EQ(publish(2, "<content x:later='1' xmlns:x='urn:x'>c</content><x:y xmlns:x='urn:x'>z</x:y>").status, 201);
}

// 7.2.1.1: "If the "href" attribute is provided, the app:categories element MUST be empty and MUST NOT have the "fixed"
// or "scheme" attributes." 7.2.1: "The root of a Category Document is the "app:categories" element."
TEST_F(Rfc5023, Section7_2_1ACategoryListIsNamedOrGivenNotBoth) {
  publish(1, "<content>c</content><category term='a'/>");
  const pugi::xml_document service = parsed(client_.get("/").body);
  int seen = 0;
  for (const pugi::xml_node& collection : service.child("service").child("workspace").children("collection")) {
    const pugi::xml_node categories = collection.child("categories");
    ASSERT_TRUE(categories.attribute("href"));
    EXPECT_FALSE(categories.first_child());
    EXPECT_FALSE(categories.attribute("fixed"));
    EXPECT_FALSE(categories.attribute("scheme"));
    const pugi::xml_document list = parsed(client_.get(target_of(categories.attribute("href").value())).body);
    const pugi::xml_node root = list.child("app:categories");
    ASSERT_TRUE(root);
    EXPECT_STREQ(root.attribute("xmlns:app").value(), "http://www.w3.org/2007/app");
    // 7.2.1.1: "a "fixed" attribute, with a value of either "yes" or "no"".
    EXPECT_STREQ(root.attribute("fixed").value(), "no");
    EXPECT_FALSE(root.attribute("href"));
    for (const pugi::xml_node& category : root.children("category")) EXPECT_TRUE(category.attribute("term"));
    ++seen;
  }
  EXPECT_EQ(seen, 1);
  // 8.3.6: a Collection whose set of categories is open "SHOULD NOT reject otherwise acceptable members" that have
  // others.
  EXPECT_EQ(publish(2, "<content>c</content><category term='not there'/>").status, 201);
}

// 8.3.1: "An app:service element MUST contain one or more app:workspace elements."; 8.3.2.1: "The app:workspace element
// MUST contain one "atom:title" element"; 8.3.3: "The app:collection element MUST contain one atom:title element.";
// 8.3.3.1: "The app:collection element MUST contain an "href" attribute, whose value gives the IRI of the Collection."
// 8.3.4: "If one app:accept element exists and is empty, clients SHOULD assume that the Collection does not support the
// creation of new Entries."
TEST(Rfc5023Service, Section8_3EveryWorkspaceAndCollectionIsWhole) {
  const std::string config = scratch("rfc5023.toml");
  std::ofstream(config) << "[[workspaces]]\nname = \"demo\"\n[[workspaces.feeds]]\nname = \"untitled\"\n"
                           "[[workspaces.feeds]]\nname = \"titled\"\ntitle = \"<A> & B\"\n"
                           "[[workspaces.feeds]]\nname = \"closed\"\naccept = []\n"
                           "[[workspaces]]\nname = \"empty\"\n";
  TestDatabase database;
  CourantServer server({"--database", database.url(), "--config", config});
  HttpClient client(server.port());
  const Reply whole = client.get("/");
  // 8: "Service Documents are identified with the "application/atomsvc+xml" media type".
  EXPECT_EQ(whole.header("Content-Type"), "application/atomsvc+xml");
  EXPECT_EQ(client.get("/", "If-None-Match: " + whole.header("ETag") + "\r\n").status, 304);
  EXPECT_EQ(client.get("/empty", "If-None-Match: " + whole.header("ETag") + "\r\n").status, 200);
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(whole.body.c_str()));
  int workspaces = 0;
  int collections = 0;
  for (const pugi::xml_node& workspace : document.child("service").children("workspace")) {
    ++workspaces;
    EXPECT_STRNE(workspace.child_value("atom:title"), "");
    EXPECT_FALSE(workspace.child("atom:title").next_sibling("atom:title"));
    for (const pugi::xml_node& collection : workspace.children("collection")) {
      ++collections;
      EXPECT_STRNE(collection.child_value("atom:title"), "");
      EXPECT_FALSE(collection.child("atom:title").next_sibling("atom:title"));
      const std::string href = collection.attribute("href").value();
      ASSERT_TRUE(href.starts_with(server.url()));
      const std::string target = href.substr(server.url().size());
      EXPECT_EQ(client.get(target).status, 200);
      // What app:accept says is what happens.
      const bool is_open = *collection.child_value("accept") != '\0';
      EXPECT_EQ(is_open, target != "/demo/closed");
      EXPECT_EQ(client.post(target, "<entry xmlns='http://www.w3.org/2005/Atom'/>").status, is_open ? 201 : 415);
    }
  }
  EXPECT_EQ(workspaces, 2);
  EXPECT_EQ(collections, 3);
  EXPECT_TRUE(document.find_node([](const pugi::xml_node& node) {
    return std::string(node.name()) == "atom:title" && std::string(node.child_value()) == "<A> & B";
  }));
}

// 9.7: a Slug is a request that the server may ignore; 9.7.1: "The field value is the percent-encoded value of the
// UTF-8 encoding of the character sequence". Whatever stands there, the entry is created.
TEST_F(Rfc5023, Section9_7ASlugIsOnlyARequest) {
  int number = 0;
  for (const char* const slug : {"The Beach", "The%20Beach", "%C3%A4", "%", "%zz", "../../x", ""}) {
    EXPECT_EQ(client_.post("/demo/events", entry(++number), std::string(kEntryType) + "Slug: " + slug + "\r\n").status,
              201)
        << slug;
  }
}

// 10.1: "The first such partial list returned MUST contain the most recently edited member Resources and MUST have an
// atom:link with a "next" relation whose "href" value is the URI of the next partial list of the Collection. This next
// partial list will contain the next most recently edited set of Member Resources". 10: "ordered by their "app:edited"
// property, with the most recently edited Entries coming first in the document order".
TEST_F(Rfc5023, Section10_1ListsBeginWithWhatWasEditedLast) {
  publish_all(30);
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry(1, "<content>new</content>"), kEntryType).status, 200);
  std::string target = "/demo/events?limit=7";
  std::vector<std::string> edited;
  std::vector<std::string> ids;
  while (!target.empty()) {
    const pugi::xml_document page = parsed(client_.get(target).body);
    for (const pugi::xml_node& member : page.child("feed").children("entry")) {
      edited.emplace_back(member.child_value("app:edited"));
      ids.emplace_back(member.child_value("id"));
    }
    const std::string next = link_of(page.child("feed"), "next");
    target = next.empty() ? "" : target_of(next);
  }
  EXPECT_EQ(ids.front(), "urn:x:1");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 30U);
  EXPECT_TRUE(std::is_sorted(edited.rbegin(), edited.rend()));
}

// 11.1: "An atom:entry MUST NOT contain more than one "edit" link relation."
TEST_F(Rfc5023, Section11_1ThereIsOneEditLink) {
  for (const char* const own :
       {"<link rel='edit' href='http://elsewhere.example/'/>", "<link rel='edit' href='a'/><link rel='edit' href='b'/>",
        "<link rel='http://www.iana.org/assignments/relation/edit' href='c'/>"}) {
    const std::string body =
        "<entry xmlns='http://www.w3.org/2005/Atom'><content>c</content>" + std::string(own) + "</entry>";
    const Reply created = client_.post("/demo/events", body, kEntryType);
    ASSERT_EQ(created.status, 201) << own;
    const pugi::xml_document document = parsed(created.body);
    int edits = 0;
    for (const pugi::xml_node& link : document.child("entry").children("link")) {
      if (!std::string(link.attribute("rel").value()).ends_with("edit")) continue;
      ++edits;
      EXPECT_EQ(link.attribute("href").value(), created.header("Location"));
    }
    EXPECT_EQ(edits, 1) << own;
  }
}

// 12.1: the "type" parameter of application/atom+xml is "feed" or "entry", after the document's root.
TEST_F(Rfc5023, Section12_1TheTypeParameterTellsEntriesFromFeeds) {
  const Reply created = publish(1);
  EXPECT_TRUE(created.header("Content-Type").starts_with("application/atom+xml;type=entry"));
  EXPECT_TRUE(client_.get("/demo/events").header("Content-Type").starts_with("application/atom+xml;type=feed"));
  EXPECT_TRUE(client_.get("/demo/events/entries/urn:x:1")
                  .header("Content-Type")
                  .starts_with("application/atom+xml;type=entry"));
}

// Media are posted where app:accept names them.
class Rfc5023Media : public Conformance {
 protected:
  Reply post(const std::string& bytes, const std::string& headers = "") {
    return client_.post("/media/pictures", bytes, "Content-Type: image/png\r\n" + headers);
  }
  // Where the bytes of a media link entry are.
  std::string media_of(const Reply& reply) const {
    return target_of(parsed(reply.body).child("entry").child("content").attribute("src").value());
  }
};

// 9.6: "A client can POST Media Resources as well as Entry Resources to a Collection. If a server accepts such a
// request, then it MUST create two new Resources -- one that corresponds to the entity sent in the request, called the
// Media Resource, and an associated Member Entry, called the Media Link Entry. Media Link Entries are represented as
// Atom Entries, and appear in the Collection."
TEST_F(Rfc5023Media, Section9_6APostMakesAMediaResourceAndAMediaLinkEntry) {
  const Reply reply = post("bytes");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(client_.get(media_of(reply)).body, "bytes");
  EXPECT_EQ(client_.get(media_of(reply)).header("Content-Type"), "image/png");
  const pugi::xml_document entry = parsed(reply.body);
  const pugi::xml_document collection = parsed(client_.get("/media/pictures").body);
  EXPECT_STREQ(collection.child("feed").child("entry").child_value("id"), entry.child("entry").child_value("id"));
  // "Successful responses to creation requests MUST include the URI of the Media Link Entry in the Location header."
  const std::string location = reply.header("Location");
  EXPECT_EQ(client_.get(target_of(location)).body, reply.body);
  // "The Media Link Entry SHOULD contain an atom:link element with a link relation of "edit-media" that contains the
  // Media Resource IRI. The Media Link Entry MUST have an atom:content element with a "src" attribute."
  EXPECT_EQ(target_of(link_of(entry.child("entry"), "edit-media")), media_of(reply));
  EXPECT_EQ(link_of(entry.child("entry"), "edit"), location);
  // "Implementers are asked to note that [RFC4287] specifies that Atom Entries MUST contain an atom:summary element."
  EXPECT_TRUE(entry.child("entry").child("summary"));
}

// 9.6: "The server can signal the media types it will accept using the app:accept element in the Service Document, as
// specified in Section 8.3.4."
TEST_F(Rfc5023Media, Section9_6TheServiceDocumentNamesTheMediaTypes) {
  ASSERT_EQ(post("bytes").status, 201);
  const pugi::xml_document document = parsed(client_.get("/media").body);
  const pugi::xml_node collection = document.child("service").child("workspace").child("collection");
  EXPECT_STREQ(collection.child_value("accept"), "image/*");
  EXPECT_EQ(client_.post("/media/pictures", "x", "Content-Type: video/mp4\r\n").status, 415);
}

// 9.6.1: the Media Link Entry is edited by a PUT to its edit URI, which does not touch the Media Resource.
TEST_F(Rfc5023Media, Section9_6_1TheMediaLinkEntryIsEditedAtItsEditUri) {
  const Reply created = post("bytes", "Slug: A picture\r\n");
  std::string changed = created.body;
  changed.replace(changed.find("A picture"), 9, "Ein Bild");
  const Reply put = client_.put(target_of(created.header("Location")), changed, kEntryType);
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_STREQ(parsed(put.body).child("entry").child_value("title"), "Ein Bild");
  EXPECT_EQ(client_.get(media_of(put)).body, "bytes");
}

// 9.7: "Servers MAY also use the value when creating the atom:id, or as the title of a Media Link Entry"; 9.7.1: "The
// field value is the percent-encoded value of the UTF-8 encoding of the character sequence to be included".
TEST_F(Rfc5023Media, Section9_7TheSlugIsTheTitle) {
  const auto title_for = [this](const std::string& slug) {
    return std::string(parsed(post("x" + slug, "Slug: " + slug + "\r\n").body).child("entry").child_value("title"));
  };
  EXPECT_EQ(title_for("The Beach at S%C3%A8te"), "The Beach at S\xC3\xA8te");
  EXPECT_EQ(title_for("100%25 <b>&amp;"), "100% <b>&amp;");
  // "Servers MAY choose to ignore the Slug entity-header."
  for (const char* const slug : {"100%", "%C3", "%00", "%EF%BF%BF"}) EXPECT_EQ(title_for(slug), "media.png") << slug;
}

// 11.2: "When appearing within an atom:entry, the value of the href attribute is an IRI that can be used to modify a
// Media Resource associated with that Entry."
TEST_F(Rfc5023Media, Section11_2TheEditMediaLinkModifiesTheBytes) {
  const Reply created = post("one");
  const std::string edit = target_of(link_of(parsed(created.body).child("entry"), "edit-media"));
  EXPECT_EQ(client_.put(edit, "two", "Content-Type: image/png\r\n").status, 204);
  const Reply entry = client_.get(target_of(created.header("Location")));
  EXPECT_EQ(client_.get(media_of(entry)).body, "two");
  // 10.2: "The server SHOULD change the value of this element every time an Entry Resource or an associated Media
  // Resource has been edited."
  EXPECT_GT(std::string(parsed(entry.body).child("entry").child_value("app:edited")),
            std::string(parsed(created.body).child("entry").child_value("app:edited")));
  EXPECT_EQ(client_.remove(edit).status, 204);
  EXPECT_EQ(client_.get(edit).status, 410);
}

// 10.2: "Atom Entry elements in Collection Documents SHOULD contain one app:edited element, and MUST NOT contain more
// than one": also of an entry that was read and put back.
TEST_F(Rfc5023, Section10_2AnEntryThatIsPutBackIsEditedOnce) {
  std::string entry = publish(1).body;
  entry.replace(entry.find(">c</content>"), 12, ">d</content>");
  const Reply reply = client_.put("/demo/events/entries/urn:x:1", entry, kEntryType);
  ASSERT_EQ(reply.status, 200) << reply.body;
  const pugi::xml_document document = parsed(reply.body);
  const pugi::xml_node edited = document.child("entry").child("app:edited");
  EXPECT_TRUE(edited);
  EXPECT_FALSE(edited.next_sibling("app:edited"));
}

}  // namespace
}  // namespace courant::test::rfc5023_test
