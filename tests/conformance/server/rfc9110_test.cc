// RFC 9110, HTTP Semantics, and RFC 9457, Problem Details, of the program as a whole. RFC 9112's framing is tested with
// raw sockets in unit/http/server_test.cc.
#include <ctime>
#include <iomanip>
#include <sstream>

#include "kernel/text.h"
#include "kernel/time.h"
#include "sql/database.h"
#include "tests/conformance/server/fixture.h"
#include "tests/support/wait_until.h"

namespace courant::test::rfc9110_test {
namespace {

using Rfc9110 = Conformance;

// A media resource, closed archive pages, entries: one target of each kind.
class Rfc9110Targets : public Conformance {
 protected:
  Rfc9110Targets() {
    publish_all(60);
    const Reply media = client_.post("/media/files", "pixels", "Content-Type: image/png\r\n");
    EXPECT_EQ(media.status, 201) << media.body;
    const std::size_t at = media.body.find("src=\"") + 5;
    media_ = target_of(media.body.substr(at, media.body.find('"', at) - at));
    // As every reader learns, pages are closed at leisure.
    EXPECT_TRUE(wait_until([&] { return client_.get(archive_).status == 200; }));
  }
  std::string media_;
  const std::string archive_ = "/demo/events/archive/1";
};

// The status line and all fields, but for the time of the answer.
std::string head_of(const std::string& answer) {
  std::string head = answer.substr(0, answer.find("\r\n\r\n") + 2);
  const std::size_t date = head.find("\r\nDate: ");
  EXPECT_NE(date, std::string::npos) << head;
  if (date != std::string::npos) head.erase(date, head.find("\r\n", date + 2) - date);
  return head;
}

// 9.3.2: "The HEAD method is identical to GET except that the server MUST NOT send content in the response." "The
// server SHOULD send the same header fields in response to a HEAD request as it would have sent if the request method
// had been GET."
TEST_F(Rfc9110Targets, Section9_3_2HeadIsGetWithoutContent) {
  const std::string unchanged = "If-None-Match: *\r\n";
  const std::vector<std::pair<std::string, std::string>> asked = {
      {"/", ""},
      {"/demo", ""},
      {"/demo/events", ""},
      {"/demo/events", "Accept-Encoding: gzip\r\n"},
      {"/demo/events", unchanged},
      {"/demo/events?limit=2", ""},
      {"/demo/events?marker=3&direction=forward", ""},
      {"/demo/events?marker=3&direction=forward", unchanged},
      {"/demo/events?search=%2Bcategory", ""},
      {"/demo/events?format=json", ""},
      {"/demo/events?format=rss", ""},
      {"/demo/events", "Accept: text/html\r\n"},
      {"/demo/events/entries/urn:x:1", ""},
      {"/demo/events/entries/urn:x:1", unchanged},
      {"/demo/events/entries/urn:x:1?format=json", ""},
      {"/demo/events/archive", ""},
      {"/demo/events/archive/1", ""},
      {"/demo/events/archive/1", "Accept-Encoding: gzip\r\n"},
      {"/demo/events/archive/1", unchanged},
      {"/demo/events/archive/77", ""},
      {"/demo/events/categories", ""},
      {media_, ""},
      {"/-/style.css", ""},
      {"/-/health/live", ""},
      {"/-/health/ready", ""},
      {"/demo/nothing", ""},
      {"/demo/events?limit=x", ""},
      {"/demo/events/entries/urn:x:none", "Accept: text/html\r\n"},
  };
  for (const auto& [target, fields] : asked) {
    const std::string rest = " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + "\r\n";
    const auto answer_to = [&](const std::string& method) {
      RawClient raw(static_cast<std::uint16_t>(server_.port()));
      raw.send(method + rest);
      return raw.read_all();
    };
    const std::string head = answer_to("HEAD");
    EXPECT_EQ(head_of(head), head_of(answer_to("GET"))) << target << " " << fields;
    EXPECT_EQ(head.find("\r\n\r\n") + 4, head.size()) << target << " sends content";
  }
}

// 5.3: "a recipient MAY combine multiple field lines within a field section that have the same field name into one
// field line, without changing the semantics of the message"; 13.1.2: If-None-Match = "*" / #entity-tag.
TEST_F(Rfc9110Targets, Section5_3SeveralLinesOfEntityTagsAreOneList) {
  for (const std::string& target :
       {std::string("/demo/events"), std::string("/demo/events?marker=3&direction=forward"),
        std::string("/demo/events?format=json"), std::string("/demo/events/entries/urn:x:1"),
        std::string("/demo/events/archive"), archive_, media_, std::string("/-/style.css")}) {
    const std::string etag = client_.get(target).header("ETag");
    ASSERT_NE(etag, "") << target;
    const std::string other = "If-None-Match: \"a\"\r\n";
    EXPECT_EQ(client_.get(target, other + "If-None-Match: " + etag + "\r\n").status, 304) << target;
    EXPECT_EQ(client_.get(target, other + "If-None-Match: \"b\", " + etag + "\r\n").status, 304) << target;
    EXPECT_EQ(client_.get(target, other + "If-None-Match: \"b\"\r\n").status, 200) << target;
  }
}

// 13.1.1: "If the field value is a list of entity tags, the condition is true if any of the listed tags match the
// entity tag of the selected representation. Otherwise, the condition is false. An origin server MUST NOT perform the
// requested method if a received If-Match condition evaluates to false"; the comparison is the strong one.
TEST_F(Rfc9110Targets, Section13_1_1IfMatchHoldsForReadersToo) {
  for (const std::string& target : {std::string("/"), std::string("/demo/events"), std::string("/demo/events?limit=2"),
                                    std::string("/demo/events/entries/urn:x:1"), archive_, media_}) {
    for (int again = 0; again < 2; ++again) {
      const std::string etag = client_.get(target).header("ETag");
      ASSERT_NE(etag, "") << target;
      const auto matched = [&](const std::string& field) {
        return client_.get(target, "If-Match: " + field + "\r\n").status;
      };
      const bool is_strong = !etag.starts_with("W/");  // those of pages that may still grow are weak
      EXPECT_EQ(matched(etag), is_strong ? 200 : 412) << target;
      EXPECT_EQ(matched("\"x\", " + etag), is_strong ? 200 : 412) << target;
      EXPECT_EQ(matched("*"), 200) << target;
      EXPECT_EQ(matched("\"x\""), 412) << target;
      EXPECT_EQ(matched("W/" + etag), 412) << target;
      EXPECT_EQ(matched(etag + "\r\nIf-None-Match: " + etag), is_strong ? 304 : 412) << target;
    }
  }
  EXPECT_EQ(client_.get("/demo/nothing", "If-Match: *\r\n").status, 404);
}

// 13.1.2: "If the field value is "*", the condition is false if the origin server has a current representation" ...
// "the origin server MUST NOT perform the requested method if the condition evaluates to false; instead ... 304".
TEST_F(Rfc9110, Section13_1_2IfNoneMatch) {
  publish_all(2);
  const std::string etag = client_.get("/demo/events").header("ETag");
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: " + etag + "\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: \"a\", " + etag + "\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: *\r\n").status, 304);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: \"a\"\r\n").status, 200);
  publish(3);
  EXPECT_EQ(client_.get("/demo/events", "If-None-Match: " + etag + "\r\n").status, 200);
}

// With what was modified an hour ago, so that it is told.
class Rfc9110Dates : public Conformance {
 protected:
  Rfc9110Dates() {
    publish_all(2);
    sql::Session(database_.url())
        .execute_script(
            "update entries set recorded = recorded - interval '1 hour';"
            "update feeds set modified = modified - interval '1 hour';"
            "update log_facts set modified = modified - interval '1 hour'");
  }
  Reply get(const std::string& headers) { return client_.get("/demo/events", headers); }

  std::string date() { return get("").header("Last-Modified"); }
};

// 8.8.2: "An origin server SHOULD send Last-Modified for any selected representation for which a last modification date
// can be reasonably and consistently determined"; 8.8.2.1: "An origin server with a clock ... MUST NOT generate a
// Last-Modified date that is later than the server's time of message origination (Date, Section 6.6.1)."
TEST_F(Rfc9110Dates, Section8_8_2LastModified) {
  const Reply reply = get("");
  const Instant now = SystemClock().now();
  const std::optional<Instant> modified = parse_http_date(reply.header("Last-Modified"), now);
  ASSERT_TRUE(modified);
  EXPECT_LE(*modified, parse_http_date(reply.header("Date"), now));
}

// 13.1.3: where the condition is false "the origin server SHOULD NOT perform the requested method, and should instead
// respond with a 304 (Not Modified) status code".
TEST_F(Rfc9110Dates, Section13_1_3IfModifiedSince) {
  const Reply same = get("If-Modified-Since: " + date() + "\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("Last-Modified"), date());
  EXPECT_EQ(get("If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT\r\n").status, 200);
  const std::string known = date();
  publish(3);
  EXPECT_EQ(get("If-Modified-Since: " + known + "\r\n").status, 200);
}

// 13.1.3: "A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header field".
TEST_F(Rfc9110Dates, Section13_1_3EntityTagsGoBeforeDates) {
  const std::string etag = get("").header("ETag");
  EXPECT_EQ(get("If-None-Match: \"a\"\r\nIf-Modified-Since: " + date() + "\r\n").status, 200);
  const Reply same = get("If-None-Match: " + etag + "\r\nIf-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.header("ETag"), etag);
}

// 13.1.3: "A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid
// HTTP-date, the field value has more than one member, or if the request method is neither GET nor HEAD."
TEST_F(Rfc9110Dates, Section13_1_3WhatIsNoDateIsIgnored) {
  EXPECT_EQ(get("If-Modified-Since: today\r\n").status, 200);
  const std::string field = "If-Modified-Since: " + date();
  EXPECT_EQ(get(field + ", " + date() + "\r\n").status, 200);
  EXPECT_EQ(get(field + "\r\n" + field + "\r\n").status, 200);
  EXPECT_EQ(client_.post("/demo/events", entry(3), kEntryType + field + "\r\n").status, 201);
}

// 9.3.2: HEAD as GET.
TEST_F(Rfc9110Dates, Section9_3_2HeadIsConditionalToo) {
  RawClient raw(static_cast<std::uint16_t>(server_.port()));
  raw.send("HEAD /demo/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIf-Modified-Since: " + date() +
           "\r\n\r\n");
  EXPECT_EQ(raw.read_all().substr(0, 12), "HTTP/1.1 304");
}

// 5.6.7: "A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date formats."
TEST_F(Rfc9110Dates, Section5_6_7AllThreeForms) {
  const auto in_form = [time = std::chrono::system_clock::to_time_t(
                            parse_http_date(date(), SystemClock().now()).value())](const char* form) {
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::ostringstream text;
    text << "If-Modified-Since: " << std::put_time(&parts, form) << "\r\n";
    return text.str();
  };
  for (const char* const form : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    EXPECT_EQ(get(in_form(form)).status, 304) << in_form(form);
  }
}

// 15.4.5: the server "SHOULD NOT generate representation metadata other than the above listed fields unless said
// metadata exists for the purpose of guiding cache updates (e.g., Last-Modified might be useful if the response does
// not have an ETag field)": it is left out for who goes by tags.
TEST_F(Rfc9110Dates, Section15_4_5NotModifiedByTagHasNoDate) {
  for (const char* const target : {"/demo/events", "/demo/events?marker=0", "/demo/events/entries/urn:x:1"}) {
    const Reply reply = client_.get(target, "If-None-Match: *\r\n");
    EXPECT_EQ(reply.status, 304) << target;
    EXPECT_EQ(reply.header("Last-Modified"), "") << target;
  }
}

// 15.5.6: "The origin server MUST generate an Allow header field in a 405 response".
// 15.4.5: "The server generating a 304 response MUST generate any of the following header fields that would have been
// sent in a 200 (OK) response to the same request: Content-Location, Date, ETag, and Vary; Cache-Control and Expires".
// RFC 9111 section 3.2: a cache replaces what it has stored of each field that a 304 has, so Link must be the same,
// too, or a reader loses its way from the cached page.
void expect_same_fields(int port, const std::string& target, const std::string& accept) {
  HttpClient client(port);
  const std::string etag = client.get(target, accept).header("ETag");
  ASSERT_FALSE(etag.empty()) << target;
  // Whoever answers first, from the page or from where the feed stands.
  for (int i = 0; i < 3; ++i) {
    const Reply unchanged = client.get(target, accept + "If-None-Match: " + etag + "\r\n");
    const Reply whole = client.get(target, accept);
    ASSERT_EQ(unchanged.status, 304) << target;
    EXPECT_EQ(unchanged.body, "") << target;
    EXPECT_NE(unchanged.header("Date"), "") << target;
    for (const char* const field : {"Content-Location", "ETag", "Vary", "Cache-Control", "Expires", "Link"}) {
      EXPECT_EQ(unchanged.header(field), whole.header(field)) << target << " " << accept << field;
    }
  }
}

TEST_F(Rfc9110, Section15_4_5NotModifiedHasTheFieldsOfTheWhole) {
  publish_all(30);  // more than a page, so that there is a next one
  for (const char* const accept : {"", "Accept: text/html\r\n", "Accept: application/feed+json\r\n"}) {
    expect_same_fields(server_.port(), "/demo/events", accept);
  }
  for (const char* const target :
       {"/demo/events?format=json", "/demo/events?format=rss", "/demo/events?limit=7", "/demo/events?marker=3",
        "/demo/events?marker=9&direction=backward&limit=3", "/demo/events?marker=last", "/demo/events?search=%2Bnone",
        "/demo/events/archive/1", "/demo/events/archive", "/demo/events/entries/urn:x:3",
        "/demo/events/entries/urn:x:3?format=html"}) {
    expect_same_fields(server_.port(), target, "");
  }
  publish(31);
  expect_same_fields(server_.port(), "/demo/events", "");
}

// A server that nobody has asked for the page yet.
TEST_F(Rfc9110, Section15_4_5NotModifiedHasTheFieldsOfTheWholeOnAnotherServer) {
  publish_all(30);
  const Reply whole = client_.get("/demo/events");
  CourantServer other({"--database", database_.url(), "--public-url", server_.url()});
  const Reply unchanged =
      HttpClient(other.port()).get("/demo/events", "If-None-Match: " + whole.header("ETag") + "\r\n");
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.header("Link"), whole.header("Link"));
}

TEST_F(Rfc9110, Section15_5_6MethodNotAllowedNamesWhatIs) {
  publish(1);
  const Reply reply = client_.post("/demo/events/entries/urn:x:1", "x");
  EXPECT_EQ(reply.status, 405);
  EXPECT_NE(reply.header("Allow").find("GET"), std::string::npos);
  EXPECT_EQ(reply.header("Allow").find("POST"), std::string::npos);
}

// 12.5.5 / 15.4.5: representations that depend on Accept or Accept-Encoding say so by Vary.
TEST_F(Rfc9110, Section12_5_5NegotiatedAnswersVary) {
  publish_all(10);
  const Reply packed = client_.get("/demo/events", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.header("Vary"), "Accept, Accept-Encoding");
  EXPECT_EQ(client_.get("/demo/events", "Accept-Encoding: gzip;q=0\r\n").header("Content-Encoding"), "");
}

// 12.5.3: "the acceptable content coding with the highest non-zero qvalue is preferred"; a representation without
// content coding "is acceptable by default unless specifically excluded by the Accept-Encoding header field stating
// either "identity;q=0" or "*;q=0" without a more specific entry for "identity"".
TEST_F(Rfc9110, Section12_5_3ContentCodingsByWeight) {
  publish_all(10);
  const auto coding_for = [&](const std::string& accepted) {
    const Reply reply = client_.get("/demo/events", "Accept-Encoding: " + accepted + "\r\n");
    EXPECT_EQ(reply.status, 200) << accepted;
    return reply.header("Content-Encoding");
  };
  EXPECT_EQ(coding_for("gzip;q=0.5, identity;q=0.4"), "gzip");
  EXPECT_EQ(coding_for("gzip;q=0.4, identity;q=0.5"), "");
  EXPECT_EQ(coding_for("zstd;q=0.2, br;q=0.3, identity;q=0"), "br");
  EXPECT_EQ(coding_for("*;q=0, zstd"), "zstd");
  EXPECT_EQ(coding_for("*;q=0, identity"), "");
  // "An Accept-Encoding header field with a field value that is empty implies that the user agent does not want any
  // content coding in response."
  EXPECT_EQ(coding_for(""), "");
  // "If a non-empty Accept-Encoding header field is present in a request and none of the available representations for
  // the response have a content coding that is listed as acceptable, the origin server SHOULD send a response without
  // any content coding unless the identity coding is indicated as unacceptable."
  EXPECT_EQ(coding_for("compress, deflate"), "");
}

// 12.4.1: where nothing is acceptable "the origin server can either honor the header field by sending a 406 (Not
// Acceptable) response or disregard the header field": it is honoured where codings are negotiated, so that nobody gets
// what he has said he cannot read, and disregarded where there is nothing to choose from.
TEST_F(Rfc9110, Section12_4_1NothingAcceptableIs406) {
  publish_all(10);
  for (const char* const nothing : {"identity;q=0, *;q=0", "*;q=0", "deflate, identity;q=0"}) {
    const std::string accepted = "Accept-Encoding: " + std::string(nothing) + "\r\n";
    const Reply refused = client_.get("/demo/events", accepted);
    EXPECT_EQ(refused.status, 406) << nothing;
    EXPECT_EQ(refused.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(client_.get("/demo/events/entries/urn:x:1", accepted).status, 200);
  }
}

// 6.6.1: "An origin server with a clock ... MUST generate a Date header field in all 2xx (Successful), 3xx
// (Redirection), and 4xx (Client Error) responses".
TEST_F(Rfc9110, Section6_6_1EveryAnswerIsDated) {
  publish(1);
  const std::string etag = client_.get("/demo/events").header("ETag");
  EXPECT_FALSE(client_.get("/demo/events").header("Date").empty());
  EXPECT_FALSE(client_.get("/demo/events", "If-None-Match: " + etag + "\r\n").header("Date").empty());
  EXPECT_FALSE(client_.get("/demo/nothing").header("Date").empty());
}

// RFC 9457 3.1.5: "instance" is "a URI reference that identifies the specific occurrence of the problem": a path that
// is none is not told as one.
TEST_F(Rfc9110, Rfc9457WhatHasNoPathHasNoInstance) {
  const Reply known = client_.get("/demo/nothing");
  EXPECT_NE(known.body.find("\"instance\":\"/demo/nothing\""), std::string::npos) << known.body;
  for (const char* const path : {"/demo/%zz", "/demo/%ff", "/demo/%", "/demo//events"}) {
    const Reply refused = client_.get(path);
    EXPECT_EQ(refused.status, 400) << path;
    EXPECT_EQ(refused.body.find("\"instance\""), std::string::npos) << refused.body;
  }
}

// RFC 9457 3: "application/problem+json", members type, title, status, detail; 3.1.3: status equals the HTTP status.
TEST_F(Rfc9110, Rfc9457ErrorsAreProblemDocuments) {
  const Reply reply = client_.get("/demo/nothing");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.header("Content-Type"), "application/problem+json");
  EXPECT_NE(reply.body.find("\"status\":404"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find("\"title\":\"Not Found\""), std::string::npos);
  EXPECT_NE(reply.body.find("\"detail\":\""), std::string::npos);
  // Whoever accepts XML gets XML, whatever the path holds that XML cannot.
  for (const char* const path : {"/demo/a%01b", "/demo/a%EF%BF%BFb", "/demo/nothing"}) {
    const Reply as_xml = client_.get(path, "Accept: application/xml\r\n");
    EXPECT_EQ(as_xml.status, 404) << path;
    EXPECT_EQ(lacked_by_xml(as_xml.body), "") << as_xml.body;
  }
}

}  // namespace
}  // namespace courant::test::rfc9110_test
