// Every status that docs/API.md promises to publishers, and why it is given.
#include <fstream>

#include <gtest/gtest.h>

#include "http/gzip.h"
#include "kernel/uri.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"

namespace courant::test::publishing_statuses_test {
namespace {

constexpr const char* kConfig = R"(
[limits]
max_entry_bytes = "64KiB"
max_batch_bytes = "256KiB"
[[workspaces]]
name = "demo"
auto_create = true
[[workspaces]]
name = "lenient"
auto_create = true
lenient = true
[[workspaces]]
name = "strict"
auto_create = true
duplicates = "conflict"
[[workspaces]]
name = "final"
auto_create = true
edits = false
[[workspaces]]
name = "dated"
auto_create = true
client_updated = true
[[workspaces]]
name = "owned"
auto_create = true
entry_ids = "server"
[[workspaces]]
name = "closed"
[[workspaces.feeds]]
name = "nothing"
accept = []
[[workspaces.feeds]]
name = "events"
)";

class PublishingStatuses : public testing::Test {
 protected:
  static std::string config() {
    std::string path = scratch("publishing-statuses.toml");
    std::ofstream(path) << kConfig;
    return path;
  }
  static std::string entry(const std::string& inside) {
    return "<entry xmlns='http://www.w3.org/2005/Atom'>" + inside + "</entry>";
  }
  static std::string batch(const std::string& inside) {
    return "<feed xmlns='http://www.w3.org/2005/Atom'>" + inside + "</feed>";
  }
  static std::string value_in(const std::string& text, const std::string& element) {
    const std::size_t at = text.find("<" + element + ">");
    if (at == std::string::npos) return "none";
    const std::size_t begin = at + element.size() + 2;
    return text.substr(begin, text.find('<', begin) - begin);
  }
  Reply post(const std::string& body, const std::string& headers = "") {
    return client_.post("/demo/events", body, headers);
  }
  // A refusal must have a status, a word, and leave the feed as it was.
  void expect(const Reply& reply, int status, const std::string& word) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_NE(reply.body.find(word), std::string::npos) << reply.body << " does not say " << word;
  }
  std::string head(const std::string& feed = "/demo/events") {
    const Reply reply = client_.get(feed);
    return reply.status == 200 ? reply.header("Feed-Position") : std::to_string(reply.status);
  }

  TestDatabase database_;
  CourantServer server_{{"--database", database_.url(), "--config", config()}};
  HttpClient client_{server_.port()};
  const std::string kItem = "/demo/events/entries/urn:x:1";
  const std::string kOne = entry("<id>urn:x:1</id><content>c</content>");
};

TEST_F(PublishingStatuses, Of422SayWhatIsWrongAndWhere) {
  expect(post(""), 422, "empty");
  expect(post(" \n"), 422, "line");
  expect(post("hello"), 422, "line 1, column");
  expect(post("<entry xmlns='http://www.w3.org/2005/Atom'>\n<title>"), 422, "line 2, column");
  expect(post("<entry/>"), 422, "atom:entry");
  expect(post("<!DOCTYPE entry><entry xmlns='http://www.w3.org/2005/Atom'/>"), 422, "DOCTYPE");
  expect(post("\xFF\xFE<\0e"), 422, "");
  expect(post(entry("<title>\xC3(</title>")), 422, "UTF-8");
  expect(post(entry(std::string("<title>\0</title>", 16))), 422, "");
  expect(post(entry("<id>no iri</id>")), 422, "IRI");
  expect(post(entry("<id>/relative</id>")), 422, "absolute IRI");
  expect(post(entry("<id>urn:x:" + std::string(2048, 'x') + "</id>")), 422, "2048");
  expect(post(entry("<updated>yesterday</updated>")), 422, "updated");
  expect(post(entry("<category term='" + std::string(5000, 't') + "'/>")), 422, "term");
  expect(post(entry("<category/>")), 422, "term");
  expect(post(entry("<nonsense/>")), 422, "nonsense");
  expect(post(batch("")), 422, "no entry");
  expect(post(batch("<entry><nonsense/></entry>")), 422, "\"index\":0");
  expect(post("{\"json\": true}"), 422, "line 1");
  EXPECT_EQ(head(), "404") << "what is refused makes no feed";
}

// "Date override with a blank `updated`: 400."
TEST_F(PublishingStatuses, ABlankUpdatedIs400) {
  for (const char* const workspace : {"/demo/events", "/dated/events"}) {
    expect(client_.post(workspace, entry("<updated> </updated>")), 400, "atom:updated is blank");
    expect(client_.post(workspace, entry("<updated/>")), 400, "atom:updated is blank");
  }
  const Reply batched =
      post(batch("<entry><id>urn:b:1</id></entry><entry><updated/></entry><entry><updated> </updated></entry>"));
  expect(batched, 400, "2 of 3 entries are not valid");
  EXPECT_NE(batched.body.find("\"index\":1"), std::string::npos) << batched.body;
  EXPECT_EQ(post(batch("<entry><updated/></entry><entry><nonsense/></entry>")).status, 422) << "more is wrong";
  const Reply kept = client_.post("/dated/events", entry("<updated>2020-02-03T04:05:06Z</updated>"));
  EXPECT_EQ(kept.status, 201);
  EXPECT_EQ(value_in(kept.body, "updated"), "2020-02-03T04:05:06.000000Z");
  EXPECT_NE(value_in(post(entry("<updated>2020-02-03T04:05:06Z</updated>")).body, "updated").substr(0, 4), "2020");
}

// "Taken kindly, because Atom Hopper's clients send them."
TEST_F(PublishingStatuses, WhatIsTakenKindlyIs201) {
  const Reply empty_id = post(entry("<id/><title>t</title>"));
  EXPECT_EQ(empty_id.status, 201) << empty_id.body;
  EXPECT_EQ(value_in(empty_id.body, "id").substr(0, 9), "urn:uuid:");
  const Reply published = post(entry("<id> </id><published>2020-02-03T04:05:06Z</published>"));
  EXPECT_EQ(published.status, 201) << published.body;
  EXPECT_EQ(published.body.find("2020-02-03"), std::string::npos) << "the client's published is ignored";
  const Reply bare = post("<entry xmlns='http://www.w3.org/2005/Atom'/>");
  EXPECT_EQ(bare.status, 201);
  EXPECT_NE(bare.body.find("<title></title>"), std::string::npos);
  EXPECT_EQ(value_in(bare.body, "name"), "Courant");
  EXPECT_NE(value_in(bare.body, "updated"), "none");
  EXPECT_NE(bare.body.find("<link rel=\"alternate\" href=\"" + bare.header("Location") + "\""), std::string::npos)
      << bare.body;
  expect(post(entry("<later/>")), 422, "later");
  const Reply lenient = client_.post("/lenient/events", entry("<later>x</later><title>t</title>"));
  EXPECT_EQ(lenient.status, 201) << lenient.body;
  EXPECT_EQ(lenient.body.find("later"), std::string::npos) << "dropped where the workspace is lenient";
  const Reply owned = client_.post("/owned/events", kOne);
  EXPECT_EQ(owned.status, 201);
  EXPECT_EQ(value_in(owned.body, "id").substr(0, 9), "urn:uuid:") << "the server's own ids";
}

TEST_F(PublishingStatuses, OfTypesAndCodings415) {
  for (const char* const type : {"image/png", "text/plain", "application/json", "application/x-www-form-urlencoded",
                                 "multipart/form-data; boundary=x", "nonsense", "text/html"}) {
    expect(post(kOne, "Content-Type: " + std::string(type) + "\r\n"), 415, "application/atom+xml");
  }
  for (const char* const coding : {"br", "deflate", "gzip, gzip", "zstd"}) {
    const Reply reply = post(kOne, "Content-Encoding: " + std::string(coding) + "\r\n");
    expect(reply, 415, "send gzip or none");
    EXPECT_EQ(reply.header("Accept-Encoding"), "gzip");  // RFC 9110 12.5.3
  }
  EXPECT_EQ(client_.post("/closed/nothing", kOne).status, 415);
  EXPECT_EQ(client_.put("/closed/nothing/entries/urn:x:1", kOne).status, 415) << "nor may PUT create it there";
  EXPECT_EQ(client_.put(kItem, kOne, "Content-Type: image/png\r\n").status, 415);
  EXPECT_EQ(head(), "404");
  // "No type, application/atom+xml with or without parameters, application/xml, text/xml".
  int number = 0;
  for (const char* const type :
       {"", "Content-Type: application/atom+xml\r\n", "Content-Type: application/xml\r\n",
        "Content-Type: Text/XML; charset=utf-8\r\n",
        "Content-Type: application/atom+xml;type=entry;charset=\"utf-8\"\r\n", "Content-Encoding: identity\r\n"}) {
    EXPECT_EQ(post(entry("<id>urn:t:" + std::to_string(++number) + "</id>"), type).status, 201) << type;
  }
}

TEST_F(PublishingStatuses, TooLargeIs413BeforeItIsReadToItsEnd) {
  for (const char* const method : {"POST /demo/events", "PUT /demo/events/entries/urn:x:1"}) {
    RawClient raw(static_cast<std::uint16_t>(server_.port()));
    raw.send(std::string(method) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n<entry");
    EXPECT_EQ(raw.read_response().substr(0, 12), "HTTP/1.1 413") << method;
  }
  // One entry is not given a batch's room.
  for (const char* const type :
       {"application/atom+xml;type=entry", "Application/Atom+XML; charset=utf-8; Type=\"entry\"",
        "application/cloudevents+json"}) {
    RawClient raw(static_cast<std::uint16_t>(server_.port()));
    raw.send("POST /demo/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + std::string(type) +
             "\r\nContent-Length: 65537\r\n\r\n<");
    EXPECT_EQ(raw.read_response().substr(0, 12), "HTTP/1.1 413") << type;
  }
  RawClient chunked(static_cast<std::uint16_t>(server_.port()));
  chunked.send("POST /demo/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 5; ++i) chunked.send("10000\r\n" + std::string(0x10000, 'x') + "\r\n");
  EXPECT_EQ(chunked.read_response().substr(0, 12), "HTTP/1.1 413");
  expect(post(entry("<content>" + std::string(70'000, 'x') + "</content>")), 413, "65536");
  EXPECT_EQ(client_.put(kItem, entry("<content>" + std::string(70'000, 'x') + "</content>")).status, 413);
  const std::string bomb = http::gzip(entry("<content>" + std::string(50'000'000, 'x') + "</content>"));
  EXPECT_LT(bomb.size(), 200'000U);
  expect(post(bomb, "Content-Encoding: gzip\r\n"), 413, "inflated");
  EXPECT_EQ(post(http::gzip(kOne), "Content-Encoding: gzip\r\n").status, 201);
  EXPECT_EQ(post(http::gzip(kOne), "Content-Encoding: x-gzip\r\n").status, 200);
  expect(post(http::gzip(kOne).substr(0, 20), "Content-Encoding: gzip\r\n"), 400, "no whole gzip stream");
  expect(post("no gzip", "Content-Encoding: gzip\r\n"), 400, "no whole gzip stream");
}

// "Another digest: 409 naming the stored entry"; "`Idempotency-Key` (same key with other content: 409)".
TEST_F(PublishingStatuses, OtherContentUnderAnIdOrKeyIs409) {
  const Reply first = post(kOne);
  const Reply other = post(entry("<id>urn:x:1</id><content>other</content>"));
  expect(other, 409, "position 1");
  EXPECT_EQ(other.header("Location"), first.header("Location"));
  EXPECT_EQ(other.header("Feed-Position"), "") << "only a retry has one";
  EXPECT_EQ(post(kOne).status, 200);
  const Reply keyed = post(entry("<title>a</title>"), "Idempotency-Key: k\r\n");
  EXPECT_EQ(keyed.status, 201);
  const Reply again = post(entry("<title>a</title>"), "Idempotency-Key: k\r\n");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header("Location"), keyed.header("Location"));
  EXPECT_EQ(post(entry("<title>b</title>"), "Idempotency-Key: k\r\n").status, 409);
  EXPECT_EQ(post(entry("<id>urn:own</id>"), "Idempotency-Key: k\r\n").header("Location"),
            server_.url() + "/demo/events/entries/urn:own")
      << "a client's id wins over the key";
  expect(client_.put(kItem, entry("<id>urn:x:2</id>")), 409, "urn:x:2");
  EXPECT_EQ(head(), "3");
}

// "PUT: ... 409 when the body's id is not the URL's": also where the feed makes the ids, and then PUT makes none.
TEST_F(PublishingStatuses, WhereTheServerMakesTheIdsAPutOnlyRevises) {
  expect(client_.put("/owned/events/entries/urn:x:1", kOne), 404, "post the entry to the feed");
  EXPECT_EQ(head("/owned/events"), "404") << "what is refused makes no feed";
  const Reply posted = client_.post("/owned/events", kOne);
  ASSERT_EQ(posted.status, 201);
  const std::string item = posted.header("Location").substr(server_.url().size());
  expect(client_.put(item, kOne), 409, "urn:x:1");
  expect(client_.put("/owned/events/entries/urn:x:1", kOne), 404, "urn:x:1");
  EXPECT_EQ(client_.put("/owned/events/entries/urn:x:1", kOne, "If-None-Match: *\r\n").status, 404);
  EXPECT_EQ(head("/owned/events"), "1");
  EXPECT_EQ(client_.put(item, entry("<content>2</content>")).status, 200) << "an id may be missing";
  const std::string own = entry("<id>" + value_in(posted.body, "id") + "</id><content>3</content>");
  EXPECT_EQ(client_.put(item, own).status, 200);
  EXPECT_EQ(client_.remove(item).status, 204);
  EXPECT_EQ(client_.put(item, own).status, 410);
}

// "Content digest = SHA-256 over the canonical XML ... which no surrounding document can change ... of the entry as
// sent, without id, published, updated (kept where the feed takes the client's) and self/edit links."
TEST_F(PublishingStatuses, ARetryIsToldByItsContentHoweverItIsWritten) {
  ASSERT_EQ(post(kOne).status, 201);
  for (const char* const same :
       {"<a:entry xmlns:a='http://www.w3.org/2005/Atom'>\n<a:id>urn:x:1</a:id><a:content>c</a:content></a:entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom'><published>2020-01-01T00:00:00Z</published><id> urn:x:1 </id>"
        "<updated>2020-01-01T00:00:00Z</updated><content>&#99;</content></entry>",
        "<entry xmlns='http://www.w3.org/2005/Atom'><link rel='self' href='x'/><link rel='edit' href='y'/>"
        "<id>urn:x:1</id><content>c</content></entry>"}) {
    EXPECT_EQ(post(same).header("Feed-Position"), "1") << same;
  }
  const Reply batched =
      client_.post("/demo/events",
                   "<f:feed xmlns:f='http://www.w3.org/2005/Atom' xmlns:unused='urn:u'><f:title>x</f:title>"
                   "<f:entry><f:id>urn:x:1</f:id><f:content>c</f:content></f:entry></f:feed>");
  EXPECT_EQ(batched.status, 200) << batched.body;
  EXPECT_EQ(batched.header("Feed-Position"), "1");
  EXPECT_EQ(head(), "1");
  const auto dated = [](const std::string& year) {
    return entry("<id>urn:x:1</id><updated>" + year + "-01-01T00:00:00Z</updated>");
  };
  EXPECT_EQ(client_.post("/dated/events", dated("2020")).status, 201);
  EXPECT_EQ(client_.post("/dated/events", dated("2020")).status, 200);
  EXPECT_EQ(client_.post("/dated/events", dated("2021")).status, 409)
      << "where the client's updated is kept it is content";
}

// "(`duplicates = "conflict"` answers `409` to both, as Atom Hopper does.)" A retry is told by its Feed-Position.
TEST_F(PublishingStatuses, WhereDuplicatesConflictARetryIs409WithItsPosition) {
  ASSERT_EQ(client_.post("/strict/events", kOne).status, 201);
  const Reply same = client_.post("/strict/events", kOne);
  expect(same, 409, "already, at position 1");
  EXPECT_EQ(same.header("Feed-Position"), "1");
  EXPECT_EQ(same.header("Location"), server_.url() + "/strict/events/entries/urn:x:1");
  const Reply other = client_.post("/strict/events", entry("<id>urn:x:1</id>"));
  expect(other, 409, "other content");
  EXPECT_EQ(other.header("Feed-Position"), "");
  const std::string two = batch("<entry><id>urn:x:2</id></entry><entry><id>urn:x:3</id></entry>");
  ASSERT_EQ(client_.post("/strict/events", two).status, 200);
  EXPECT_EQ(client_.post("/strict/events", two).header("Feed-Position"), "3");
  const Reply mixed = client_.post("/strict/events", batch("<entry><id>urn:x:2</id></entry><entry/>"));
  expect(mixed, 409, "\"index\":0");
  EXPECT_EQ(mixed.header("Feed-Position"), "") << "not all of it is stored";
  EXPECT_EQ(head("/strict/events"), "3");
}

TEST_F(PublishingStatuses, ADeletedEntryIs410ForEverything) {
  ASSERT_EQ(post(kOne).status, 201);
  const Reply deleted = client_.remove(kItem);
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.header("Feed-Position"), "2");
  expect(post(kOne), 410, "was deleted");
  expect(client_.put(kItem, kOne), 410, "was deleted");
  EXPECT_EQ(client_.remove(kItem).status, 410);
  EXPECT_EQ(client_.get(kItem).status, 410);
  expect(post(batch("<entry><id>urn:x:1</id></entry>")), 409, "was deleted");
  expect(client_.remove("/demo/events/entries/urn:none"), 404, "urn:none");
  expect(client_.remove("/demo/none/entries/urn:none"), 404, "");
  EXPECT_EQ(head(), "2");
}

// RFC 9110 13.1.1, 13.1.2: "PUT/DELETE honour If-Match/If-None-Match; stale: 412", "never a weak one".
TEST_F(PublishingStatuses, ConditionsThatDoNotHoldAre412) {
  EXPECT_EQ(client_.put(kItem, kOne, "If-Match: *\r\n").status, 412);
  EXPECT_EQ(client_.put(kItem, kOne, "If-Match: \"1\"\r\n").status, 412);
  EXPECT_EQ(head(), "404") << "what is refused makes no feed";
  EXPECT_EQ(client_.put(kItem, kOne, "If-None-Match: *\r\n").status, 201);
  const std::string two = entry("<content>2</content>");
  for (const char* const condition :
       {"If-Match: \"9\"", "If-Match: W/\"1\"", "If-Match: 1", "If-Match: \"\"", "If-Match: \"1", "If-Match: ,",
        "If-Match: \"18446744073709551617\"", "If-Match: \"-1\"", "If-None-Match: *", "If-None-Match: \"1\"",
        "If-None-Match: W/\"1\"", "If-None-Match: \"7\", \"1-gzip\""}) {
    EXPECT_EQ(client_.put(kItem, two, std::string(condition) + "\r\n").status, 412) << condition;
    EXPECT_EQ(client_.remove(kItem, std::string(condition) + "\r\n").status, 412) << condition;
  }
  EXPECT_EQ(head(), "1");
  EXPECT_EQ(client_.put(kItem, two, "If-None-Match: \"7\"\r\n").status, 200);
  EXPECT_EQ(client_.put(kItem, entry("<content>3</content>"), "If-Match: \"7\", \"2\"\r\n").status, 200);
  for (const char* const expected :
       {"\"0\"", "\"4\"", "\"18446744073709551615\"", "\"18446744073709551614\"", "W/\"3\"", "\"nonsense\""}) {
    EXPECT_EQ(post(entry(""), "If-Match: " + std::string(expected) + "\r\n").status, 412) << expected;
  }
  const std::string two_more = batch("<entry><id>urn:b:1</id></entry><entry><id>urn:b:2</id></entry>");
  EXPECT_EQ(post(two_more, "If-Match: \"2\"\r\n").status, 412) << "of a batch too";
  EXPECT_EQ(head(), "3");
  EXPECT_EQ(post(two_more, "If-Match: \"3\"\r\n").status, 200);
  EXPECT_EQ(client_.post("/demo/new", kOne, "If-Match: \"5\"\r\n").status, 412);
  EXPECT_EQ(head("/demo/new"), "404") << "what is refused makes no feed";
  EXPECT_EQ(client_.post("/demo/new", kOne, "If-Match: \"0\"\r\n").status, 201) << "of a feed that is to begin";
  EXPECT_EQ(head(), "5");
}

// log.md: "A publisher whose connection died mid-reply just sends again" - with its conditions, which held then.
TEST_F(PublishingStatuses, WhatIsStoredAlreadyIsARetryWhateverItsConditions) {
  ASSERT_EQ(client_.post("/demo/events", kOne).status, 201);
  const std::string two = entry("<content>2</content>");
  EXPECT_EQ(client_.put(kItem, two, "If-Match: \"1\"\r\n").status, 200);
  const Reply again = client_.put(kItem, two, "If-Match: \"1\"\r\n");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header("Feed-Position"), "2");
  EXPECT_EQ(client_.put(kItem, entry("<content>3</content>"), "If-Match: \"1\"\r\n").status, 412);
  const std::string both = batch("<entry><id>urn:b:1</id></entry><entry><id>urn:b:2</id></entry>");
  EXPECT_EQ(post(both, "If-Match: \"2\"\r\n").status, 200);
  EXPECT_EQ(post(both, "If-Match: \"2\"\r\n").status, 200);
  const std::string one_more = batch("<entry><id>urn:b:1</id></entry><entry><id>urn:b:3</id></entry>");
  EXPECT_EQ(post(one_more, "If-Match: \"2\"\r\n").status, 412) << "part of it would be new";
  EXPECT_EQ(post(one_more, "If-Match: \"4\"\r\n").status, 200);
  EXPECT_EQ(head(), "5");
}

// Times that cannot be written or stored are refused, wherever they stand.
TEST_F(PublishingStatuses, TimesBeyondAllCalendarsAreRefused) {
  for (const char* const time : {"9999-12-31T23:59:60Z", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z",
                                 "0001-01-01T00:00:00+23:59", "10000-01-01T00:00:00Z"}) {
    const std::string field = time;
    EXPECT_EQ(client_.post("/demo/events", kOne, "Entry-Expires: " + field + "\r\n").status, 400) << time;
    EXPECT_EQ(post(entry("<x:expires xmlns:x='urn:courant:entry:1'>" + field + "</x:expires>")).status, 422) << time;
    EXPECT_EQ(post(entry("<updated>" + field + "</updated>")).status, 422) << time;
    ASSERT_EQ(client_.post("/demo/other", kOne).status / 100, 2);
    EXPECT_EQ(client_.get("/demo/other?startingAt=" + percent_encode(field)).status, 400) << time;
  }
  EXPECT_EQ(head(), "404");
}

TEST_F(PublishingStatuses, WhereEditsAreForbiddenIs405WithAllow) {
  ASSERT_EQ(client_.post("/final/events", kOne).status, 201);
  const std::string item = "/final/events/entries/urn:x:1";
  for (const Reply& reply :
       {client_.put(item, kOne), client_.remove(item), client_.put("/final/new/entries/urn:x:9", kOne)}) {
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(reply.header("Allow"), "GET, HEAD, OPTIONS");
  }
  for (const Reply& reply : {client_.put("/demo/events", kOne), client_.remove("/demo/events")}) {
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(reply.header("Allow"), "GET, HEAD, POST, OPTIONS");
  }
  EXPECT_EQ(client_.put(kItem, kOne).status, 201) << "PUT creates";
  EXPECT_EQ(client_.put(kItem, batch("<entry/>")).status, 422);
}

TEST_F(PublishingStatuses, WhatIsNotThereIs404) {
  expect(client_.post("/nobody/events", kOne), 404, "nobody");
  expect(client_.post("/closed/other", kOne), 404, "other");
  EXPECT_EQ(client_.put("/closed/other/entries/urn:x:1", kOne).status, 404);
  EXPECT_EQ(client_.post("/closed/events", kOne).status, 201);
  for (const char* const name : {"/demo/.hidden", "/demo/-x", "/demo/a%20b", "/demo/a%2Fb"}) {
    const int status = client_.post(name, kOne).status;
    EXPECT_TRUE(status == 400 || status == 404) << name << status;
  }
  EXPECT_EQ(client_.post("/demo/" + std::string(65, 'x'), kOne).status / 100, 4);
}

TEST_F(PublishingStatuses, ABadExpiryIs400AndMakesNoFeed) {
  for (const char* const expiry : {"soon", "-1", "99999999999999", "2026-13-01T00:00:00Z"}) {
    expect(post(kOne, "Entry-Expires: " + std::string(expiry) + "\r\n"), 400, "Entry-Expires");
  }
  EXPECT_EQ(head(), "404");
  EXPECT_EQ(post(kOne, "Entry-Expires: 60\r\n").status, 201);
}

// RFC 7240 2: a list of preferences, each with a value and parameters.
TEST_F(PublishingStatuses, ReturnMinimalMayStandAmongOtherPreferences) {
  int number = 0;
  const auto ask = [&](const std::string& fields) {
    return post(batch("<entry><id>urn:p:" + std::to_string(++number) + "</id></entry>"), fields);
  };
  for (const char* const fields : {"Prefer: return=minimal\r\n", "Prefer: respond-async, return=minimal\r\n",
                                   "Prefer: wait=5; x=\"a,b\" , Return=\"minimal\"; foo\r\n",
                                   "Prefer: respond-async\r\nPrefer: return=minimal\r\n"}) {
    const Reply reply = ask(fields);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("Preference-Applied"), "return=minimal") << fields;
    EXPECT_EQ(reply.header("Content-Type"), "application/json") << fields;
  }
  for (const char* const fields : {"", "Prefer: return=representation, return=minimal\r\n",
                                   "Prefer: x; return=minimal\r\n", "Prefer: foo=\"return=minimal\"\r\n"}) {
    EXPECT_EQ(ask(fields).header("Preference-Applied"), "") << fields;
  }
}

// Ids may be any IRI: its Location leads to it whatever stands in it.
TEST_F(PublishingStatuses, EveryIdHasAUrl) {
  for (const std::string id : {"urn:x:a/b?c=d#e%20f", "http://example.org/a?b=c&d=e",
                               "tag:example.org,2026:\xC3\xA4/\xE2\x82\xAC", "urn:x:100%25", "urn:x:a+b", "urn:x:..",
                               "urn:x:a;b=c", "urn:x:(a)'*!", "http://user@example.org:80/../x/./y/"}) {
    std::string escaped;
    for (const char c : id) escaped += c == '&' ? std::string("&amp;") : c == '\'' ? "&apos;" : std::string(1, c);
    const Reply created = post(entry("<id>" + escaped + "</id>"));
    ASSERT_EQ(created.status, 201) << id << created.body;
    const std::string target = created.header("Location").substr(server_.url().size());
    EXPECT_EQ(client_.get(target).body, created.body) << target;
    EXPECT_EQ(client_.get("/demo/events/entries/" + percent_encode(id)).body, created.body) << id;
    EXPECT_EQ(client_.put(target, entry("<id>" + escaped + "</id><content>2</content>")).status, 200) << id;
    EXPECT_EQ(client_.remove(target).status, 204) << id;
  }
  for (const char* const bad :
       {"/demo/events/entries/%", "/demo/events/entries/%zz", "/demo/events/entries/%00", "/demo/events/entries/%FF"}) {
    EXPECT_EQ(client_.get(bad).status, 400) << bad;
    EXPECT_EQ(client_.put(bad, kOne).status, 400) << bad;
  }
  EXPECT_EQ(client_.put("/demo/events/entries/no-iri", entry("")).status, 422);
  EXPECT_EQ(client_.put("/demo/events/entries/urn:x:" + std::string(2050, 'x'), entry("")).status, 422);
}

}  // namespace
}  // namespace courant::test::publishing_statuses_test
