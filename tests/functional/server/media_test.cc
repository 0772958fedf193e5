// Media resources and their media link entries: posting, serving, changing, deleting, and when their bytes go.
#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "kernel/digest.h"
#include "sql/database.h"
#include "tests/support/any_query.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/memory.h"
#include "tests/support/patience.h"
#include "tests/support/program.h"
#include "tests/support/raw_client.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::media_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kPng = "Content-Type: image/png\r\n";

// Bytes of every value, different for each seed.
std::string bytes(std::size_t length, unsigned seed = 1) {
  std::string made;
  made.reserve(length);
  for (std::size_t i = 0; i < length; ++i) made += static_cast<char>((i * 31 + i / 251 + seed) & 0xFF);
  return made;
}

class MediaTest : public testing::Test {
 protected:
  void SetUp() override { serve(""); }

  // workspace: settings of the workspace demo, in TOML, beside its `accept`.
  void serve(const std::string& workspace, const std::string& limits = "") {
    server_.reset();
    const std::string config = scratch("media.toml");
    std::ofstream(config) << "[limits]\n"
                          << limits << "\n[hub]\ncallback_allow = ['127.0.0.0/8']\n"
                          << "[[workspaces]]\nname = 'demo'\nauto_create = true\npage_size = 5\n"
                          << "accept = ['application/atom+xml;type=entry', 'image/*', 'text/html', 'text/plain']\n"
                          << workspace << "\n"
                          << "[[workspaces]]\nname = 'entries'\nauto_create = true\n";
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config});
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  std::string target_of(const std::string& url) const { return url.substr(server_->url().size()); }
  // Posts a picture; where its bytes and its entry are.
  struct Posted {
    Reply reply;
    std::string entry;
    std::string media;
  };
  Posted post(const std::string& body, const std::string& headers = kPng) {
    Posted posted{client_->post("/demo/events", body, headers), "", ""};
    if (posted.reply.status != 201) return posted;
    posted.entry = target_of(posted.reply.header("Location"));
    posted.media = target_of(parsed(posted.reply).child("entry").child("content").attribute("src").value());
    return posted;
  }
  static pugi::xml_document parsed(const Reply& reply) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(reply.body.c_str())) << reply.body;
    return document;
  }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  std::int64_t pieces() { return number_of("select count(*) from media_pieces"); }
  Ran command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, {"--database", database_.url()});
    return run_courant(arguments);
  }
  void expect_verified() {
    const Ran ran =
        run_courant({"verify", server_->url() + "/demo/events", "--state", scratch("verified/media.json"), "--forget"});
    EXPECT_EQ(ran.status, 0) << ran.output;
    const Ran other = run_command(
        {"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/second_verifier.py", server_->url() + "/demo/events"});
    EXPECT_EQ(other.status, 0) << other.output;
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(MediaTest, APostMakesAMediaLinkEntry) {
  const std::string body = bytes(600'000);
  const Posted posted = post(body, std::string(kPng) + "Slug: The Beach at S%C3%A8te\r\n");
  ASSERT_EQ(posted.reply.status, 201) << posted.reply.body;
  EXPECT_EQ(posted.reply.header("Feed-Position"), "1");
  const pugi::xml_document document = parsed(posted.reply);
  const pugi::xml_node entry = document.child("entry");
  EXPECT_STREQ(entry.child_value("title"), "The Beach at S\xC3\xA8te");
  EXPECT_TRUE(entry.child("summary")) << "RFC 4287 wants one beside content that stands elsewhere";
  EXPECT_STREQ(entry.child("content").attribute("type").value(), "image/png");
  EXPECT_EQ(entry.find_child_by_attribute("link", "rel", "edit-media").attribute("href").value(),
            server_->url() + posted.media);
  const pugi::xml_node media = entry.child("media");
  EXPECT_STREQ(media.attribute("xmlns").value(), "urn:courant:entry:1");
  EXPECT_STREQ(media.attribute("length").value(), "600000");
  EXPECT_EQ(media.attribute("sha256").value(), to_hex(bytes_of(sha256(body))));
  EXPECT_EQ(pieces(), 3);

  const Reply got = client_->get(posted.media);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, body);
  EXPECT_EQ(client_->get("/demo/events").header("Feed-Position"), "1");
  expect_verified();
}

TEST_F(MediaTest, WhatAPublisherSentIsAnAttachmentThatRunsNowhere) {
  const std::string page = "<script>alert(1)</script>" + std::string(2000, ' ');
  const Posted posted = post(page, "Content-Type: text/html; charset=\"utf-8\"\r\nSlug: ../a%22b.html\r\n");
  const Reply got = client_->get(posted.media, "Accept: text/html\r\nAccept-Encoding: gzip\r\n");
  EXPECT_EQ(got.body, page) << "never compressed";
  EXPECT_EQ(got.header("Content-Type"), "text/html; charset=\"utf-8\"");
  EXPECT_EQ(got.header("Content-Disposition"), "attachment; filename=\"_a_b.html\"");
  EXPECT_EQ(got.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(got.header("Content-Security-Policy"), "default-src 'none'; sandbox");
  EXPECT_EQ(got.header("Content-Encoding"), "");
  EXPECT_EQ(got.header("Repr-Digest"), "sha-256=:" + to_base64(bytes_of(sha256(page))) + ":");
}

TEST_F(MediaTest, OnlyWhatTheFeedAcceptsIsTakenAndWhatIsRefusedMakesNoFeed) {
  EXPECT_EQ(client_->post("/demo/events", "x", "Content-Type: application/pdf\r\n").status, 415);
  EXPECT_EQ(client_->post("/entries/events", "x", kPng).status, 415);
  EXPECT_EQ(client_->post("/demo/events", "x", "Content-Type: image/*\r\n").status, 400);
  EXPECT_EQ(client_->post("/demo/events", "x", "Content-Type: image/png; a=\"\r\n").status, 400);
  EXPECT_EQ(client_->post("/nowhere/events", "x", kPng).status, 404);
  EXPECT_EQ(number_of("select count(*) from feeds"), 0);
  EXPECT_EQ(pieces(), 0);
}

TEST_F(MediaTest, ABodyThatIsTooLongIsRefusedBeforeItHasArrived) {
  serve("", "max_media_bytes = '300KiB'");
  EXPECT_EQ(post(bytes(300 * 1024)).reply.status, 201);
  for (const std::string framing : {"Content-Length: 307201\r\n", "Transfer-Encoding: chunked\r\n"}) {
    RawClient raw(static_cast<std::uint16_t>(server_->port()));
    raw.send("POST /demo/events HTTP/1.1\r\nHost: localhost\r\n" + std::string(kPng) + framing + "\r\n");
    if (framing.starts_with("T")) raw.send("4B001\r\n" + bytes(307'201));
    EXPECT_THAT(raw.read_response(), HasSubstr("HTTP/1.1 413 "));
  }
  EXPECT_EQ(number_of("select count(*) from " + kPublished), 1);
}

TEST_F(MediaTest, AnEmptyResourceIsOne) {
  const Posted posted = post("");
  ASSERT_EQ(posted.reply.status, 201) << posted.reply.body;
  const Reply got = client_->get(posted.media);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("Content-Length"), "0");
}

TEST_F(MediaTest, ConditionsHeadAndRanges) {
  const std::string body = bytes(600'000);
  const Posted posted = post(body);
  const std::string etag = client_->get(posted.media).header("ETag");
  ASSERT_TRUE(etag.starts_with("\"")) << "strong: " << etag;
  EXPECT_EQ(client_->get(posted.media, "If-None-Match: " + etag + "\r\n").status, 304);
  EXPECT_EQ(client_->get(posted.media, "If-Match: \"other\"\r\n").status, 412);
  RawClient raw(static_cast<std::uint16_t>(server_->port()));
  raw.send("HEAD " + posted.media + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string head = raw.read_bytes(100'000);
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 600000\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));

  const Reply part = client_->get(posted.media, "Range: bytes=262100-262200\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.header("Content-Range"), "bytes 262100-262200/600000");
  EXPECT_EQ(part.body, body.substr(262100, 101)) << "over the end of a piece";
  EXPECT_EQ(client_->get(posted.media, "Range: bytes=-5\r\nIf-Range: " + etag + "\r\n").body, body.substr(599'995));
  EXPECT_EQ(client_->get(posted.media, "Range: bytes=-5\r\nIf-Range: \"other\"\r\n").status, 200);
  EXPECT_EQ(client_->get(posted.media, "Range: bytes=0-1,5-6\r\n").status, 200);
  const Reply beyond = client_->get(posted.media, "Range: bytes=600000-\r\n");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.header("Content-Range"), "bytes */600000");
}

TEST_F(MediaTest, ARetryWithTheSameKeyAndBytesIsTheStoredEntry) {
  const std::string headers = std::string(kPng) + "Idempotency-Key: k1\r\nSlug: a.png\r\n";
  const std::string body = bytes(300'000);
  const Posted first = post(body, headers);
  const Reply again = client_->post("/demo/events", body, headers);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header("Location"), first.reply.header("Location"));
  EXPECT_EQ(again.header("Feed-Position"), "1");
  EXPECT_EQ(client_->post("/demo/events", bytes(300'000, 2), headers).status, 409);
  EXPECT_EQ(client_->post("/demo/events", body, "Content-Type: image/gif\r\nIdempotency-Key: k1\r\n").status, 409);
  EXPECT_EQ(number_of("select count(*) from " + kPublished), 1);
  EXPECT_TRUE(wait_until([&] { return pieces() == 2; })) << "what came to nothing is removed";
  EXPECT_EQ(client_->get(first.media).body, body);
}

TEST_F(MediaTest, APutReplacesTheBytesByARevision) {
  const Posted posted = post(bytes(300'000), std::string(kPng) + "Slug: a.png\r\n");
  const std::string before = client_->get(posted.media).header("ETag");
  // Markup whose stored form is not its canonical one: the revision must be made of it all the same.
  ASSERT_EQ(client_
                ->put(posted.entry,
                      "<entry xmlns='http://www.w3.org/2005/Atom' xmlns:xs='http://www.w3.org/2001/XMLSchema'>"
                      "<title>a.png</title><v xmlns='urn:x' type='xs:string'>1</v></entry>")
                .status,
            200);
  const std::string body = bytes(700, 2);
  const Reply put = client_->put(posted.media, body, "Content-Type: image/gif\r\n");
  EXPECT_EQ(put.status, 204) << put.body;
  EXPECT_EQ(put.header("Feed-Position"), "3");
  const Reply got = client_->get(posted.media);
  EXPECT_EQ(got.body, body);
  EXPECT_EQ(got.header("Content-Type"), "image/gif");
  EXPECT_EQ(got.header("ETag"), put.header("ETag"));
  EXPECT_NE(got.header("ETag"), before);
  const Reply entry = client_->get(posted.entry);
  EXPECT_THAT(entry.body, HasSubstr(to_hex(bytes_of(sha256(body)))));
  EXPECT_THAT(entry.body, HasSubstr("<title>a.png</title>"));
  EXPECT_THAT(entry.body, HasSubstr("<content type=\"image/gif\""));
  EXPECT_THAT(entry.body, HasSubstr("type=\"xs:string\""));
  EXPECT_TRUE(wait_until([&] { return pieces() == 1; })) << "the old bytes go";
  EXPECT_EQ(client_->put(posted.media, body, "Content-Type: image/gif\r\n").header("Feed-Position"), "3")
      << "the same bytes again change nothing";
  expect_verified();
}

TEST_F(MediaTest, AStalePutOrDeleteIsRefused) {
  const Posted posted = post("one");
  const std::string first = client_->get(posted.media).header("ETag");
  EXPECT_EQ(client_->put(posted.media, "two", std::string(kPng) + "If-Match: \"other\"\r\n").status, 412);
  EXPECT_EQ(client_->put(posted.media, "two", std::string(kPng) + "If-Match: W/" + first + "\r\n").status, 412);
  EXPECT_EQ(client_->put(posted.media, "two", std::string(kPng) + "If-None-Match: *\r\n").status, 412);
  EXPECT_EQ(client_->put(posted.media, "two", std::string(kPng) + "If-Match: " + first + "\r\n").status, 204);
  EXPECT_EQ(client_->put(posted.media, "three", std::string(kPng) + "If-Match: " + first + "\r\n").status, 412);
  EXPECT_EQ(client_->remove(posted.media, "If-Match: " + first + "\r\n").status, 412);
  EXPECT_EQ(client_->get(posted.media).body, "two");
  EXPECT_EQ(client_->put(posted.media, "x", "Content-Type: application/pdf\r\n").status, 415);
  EXPECT_EQ(client_->put(posted.media, "x").status, 415) << "nothing is no media type";
  EXPECT_EQ(client_->put("/demo/events/media/urn:x:9", "x", kPng).status, 404);
}

TEST_F(MediaTest, OfManyWhoReplaceTheSameBytesOneWins) {
  const Posted posted = post("one");
  const std::string etag = client_->get(posted.media).header("ETag");
  std::atomic<int> won{0}, lost{0}, served{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(server_->port());
      const int status =
          client.put(posted.media, bytes(300'000, i + 2), std::string(kPng) + "If-Match: " + etag + "\r\n").status;
      ++(status == 204 ? won : lost);
      EXPECT_TRUE(status == 204 || status == 412) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 5);
}

// Readers, replacers and editors of one resource at once: every answer is whole, and what is left fits together.
TEST_F(MediaTest, BytesAndEntryFitTogetherWhileBothAreChanged) {
  const Posted posted = post(bytes(300'000));
  std::atomic<bool> is_over{false};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      HttpClient client(server_->port());
      for (unsigned k = 0; k < 20; ++k) {
        const int status = client.put(posted.media, bytes(300'000, 2 + k * 2 + i), kPng).status;
        EXPECT_TRUE(status == 204 || status == 503) << status;
      }
      is_over = true;
    });
  }
  threads.emplace_back([&] {
    HttpClient client(server_->port());
    for (int k = 0; !is_over; ++k) {
      const std::string title =
          "<entry xmlns='http://www.w3.org/2005/Atom'><title>" + std::to_string(k) + "</title></entry>";
      const int status = client.put(posted.entry, title).status;
      EXPECT_TRUE(status == 200 || status == 503) << status;
    }
  });
  threads.emplace_back([&] {
    HttpClient client(server_->port());
    while (!is_over) {
      const Reply got = client.get(posted.media);
      EXPECT_EQ(got.status, 200) << got.body;
      EXPECT_EQ(got.header("Repr-Digest"), "sha-256=:" + to_base64(bytes_of(sha256(got.body))) + ":");
    }
  });
  for (std::thread& thread : threads) thread.join();
  const Reply got = client_->get(posted.media);
  EXPECT_THAT(client_->get(posted.entry).body, HasSubstr(to_hex(bytes_of(sha256(got.body)))));
  EXPECT_TRUE(wait_until([&] { return pieces() == 2; }));
}

TEST_F(MediaTest, AnEditOfTheEntryKeepsTheBytes) {
  const Posted posted = post("one", std::string(kPng) + "Slug: a.png\r\n");
  std::string edited = posted.reply.body;
  edited.replace(edited.find("a.png"), 5, "b.png");
  edited.replace(edited.find("<summary>"), 9, "<category term='beach'/><summary>on foot");
  const Reply put = client_->put(posted.entry, edited);
  ASSERT_EQ(put.status, 200) << put.body;
  const pugi::xml_document document = parsed(put);
  const pugi::xml_node entry = document.child("entry");
  EXPECT_STREQ(entry.child_value("title"), "b.png");
  EXPECT_STREQ(entry.child_value("summary"), "on foot");
  const auto count = [&entry](const char* name) {
    const auto children = entry.children(name);
    return std::distance(children.begin(), children.end());
  };
  for (const char* const name : {"content", "media", "app:edited", "c:log", "summary"})
    EXPECT_EQ(count(name), 1) << name;
  EXPECT_EQ(client_->get(posted.media).body, "one");
  EXPECT_EQ(client_->get(posted.media).header("Content-Disposition"), "attachment; filename=\"b.png\"");

  // What its bytes are is not the editor's to say.
  const Reply other = client_->put(posted.entry,
                                   "<entry xmlns='http://www.w3.org/2005/Atom'><title>c</title><content>mine</content>"
                                   "<media xmlns='urn:courant:entry:1' type='text/html' length='9' sha256='00'/>"
                                   "<link rel='edit-media' href='http://evil.example/'/></entry>");
  ASSERT_EQ(other.status, 200) << other.body;
  EXPECT_THAT(other.body, Not(HasSubstr("mine")));
  EXPECT_THAT(other.body, Not(HasSubstr("evil")));
  EXPECT_THAT(other.body, HasSubstr("length=\"3\""));
  EXPECT_EQ(client_
                ->put(posted.entry, "<entry xmlns='http://www.w3.org/2005/Atom'><title>d</title></entry>",
                      "If-None-Match: *\r\n")
                .status,
            412);
  EXPECT_EQ(pieces(), 1);
  EXPECT_EQ(number_of("select count(distinct media) from " + kPublished), 1);
  expect_verified();
}

TEST_F(MediaTest, AnEntryCannotPassItselfOffAsAMediaLinkEntry) {
  const Posted posted = post("one");
  const std::string forged =
      "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:1</id><title>t</title><content>c</content>"
      "<media xmlns='urn:courant:entry:1' type='image/png' length='3' sha256='" +
      to_hex(bytes_of(sha256("one"))) + "'/></entry>";
  const Reply reply = client_->post("/demo/events", forged);
  ASSERT_EQ(reply.status, 201);
  EXPECT_THAT(reply.body, Not(HasSubstr("media")));
  EXPECT_EQ(client_->get("/demo/events/media/urn:x:1").status, 404);
  EXPECT_EQ(client_->put("/demo/events/media/urn:x:1", "x", kPng).status, 404);
  EXPECT_EQ(client_->remove("/demo/events/media/urn:x:1").status, 404);
  // Copied to another feed, a media link entry is an entry whose content stands elsewhere.
  const Reply copy = client_->post("/entries/copies", posted.reply.body);
  ASSERT_EQ(copy.status, 201) << copy.body;
  EXPECT_THAT(copy.body, HasSubstr("src=\"" + server_->url() + posted.media));
  EXPECT_THAT(copy.body, Not(HasSubstr("sha256")));
  EXPECT_THAT(copy.body, Not(HasSubstr("edit-media")));
}

TEST_F(MediaTest, ADeletionOfEitherDeletesBoth) {
  for (const bool is_media : {false, true}) {
    const Posted posted = post(bytes(300'000));
    EXPECT_EQ(client_->remove(is_media ? posted.media : posted.entry).status, 204);
    EXPECT_EQ(client_->get(posted.media).status, 410);
    EXPECT_EQ(client_->get(posted.entry).status, 410);
    EXPECT_EQ(client_->put(posted.media, "x", kPng).status, 410);
    EXPECT_EQ(client_->remove(posted.media).status, 410);
    EXPECT_TRUE(wait_until([&] { return pieces() == 0; }));
  }
  expect_verified();
}

TEST_F(MediaTest, AFeedWithoutEditsHasNoEditLinks) {
  serve("edits = false");
  const Posted posted = post("one");
  ASSERT_EQ(posted.reply.status, 201);
  EXPECT_THAT(posted.reply.body, Not(HasSubstr("rel=\"edit")));
  for (const Reply& reply : {client_->put(posted.media, "two", kPng), client_->remove(posted.media)}) {
    EXPECT_EQ(reply.status, 405);
    EXPECT_EQ(reply.header("Allow"), "GET, HEAD, OPTIONS");
  }
  EXPECT_EQ(client_->get(posted.media).body, "one");
}

TEST_F(MediaTest, OtherFormsLinkToTheBytes) {
  const Posted posted = post("one", std::string(kPng) + "Slug: a.png\r\n");
  const std::string url = server_->url() + posted.media;
  const nlohmann::json feed = nlohmann::json::parse(client_->get("/demo/events?format=json").body);
  const nlohmann::json attachment = feed["items"][0]["attachments"][0];
  EXPECT_EQ(attachment["url"], url);
  EXPECT_EQ(attachment["mime_type"], "image/png");
  EXPECT_EQ(attachment["size_in_bytes"], 3);
  EXPECT_THAT(client_->get("/demo/events?format=rss").body,
              HasSubstr("<enclosure url=\"" + url + "\" length=\"3\" type=\"image/png\""));
  EXPECT_THAT(client_->get("/demo/events?format=html").body, HasSubstr("href=\"" + url + "\""));
  EXPECT_EQ(client_->get("/demo/events?format=cloudevents").status, 200);
  EXPECT_THAT(client_->get("/demo/events?search=(NOT(cat=x))").body, HasSubstr("src=\"" + url));
}

TEST_F(MediaTest, RetentionDropsBytesThatNoKeptRevisionNames) {
  serve("retain = '5 entries'");
  const Posted old = post("old");
  const Posted edited = post("edited");
  const auto publish = [&](int first, int last) {
    for (int i = first; i <= last; ++i) {
      const std::string id = "<id>urn:x:" + std::to_string(i) + "</id>";
      ASSERT_EQ(client_
                    ->post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'>" + id +
                                               "<title>t</title><content>c</content></entry>")
                    .status,
                201);
    }
  };
  publish(3, 5);
  ASSERT_EQ(client_->put(edited.entry, "<entry xmlns='http://www.w3.org/2005/Atom'><title>new</title></entry>").status,
            200);
  publish(7, 10);
  // Of this feed: what a changed configuration does is told in the audit feed.
  ASSERT_TRUE(wait_until([&] {
    return number_of(
               "select min(e.position) from entries e join feeds f using (lane, feed) where workspace = 'demo'") == 6;
  }));
  ASSERT_TRUE(wait_until([&] { return pieces() == 1; }));
  EXPECT_TRUE(wait_until([&] { return number_of("select count(*) from media_doubts where due = '-infinity'") == 0; }));
  EXPECT_EQ(client_->get(old.media).status, 404);
  EXPECT_EQ(client_->get(edited.media).body, "edited") << "a kept revision names the same bytes";
  publish(11, 15);
  ASSERT_TRUE(wait_until([&] { return pieces() == 0; }));
}

TEST_F(MediaTest, ARedactionErasesTheBytesAtOnce) {
  const Posted posted = post("secret one");
  ASSERT_EQ(client_->put(posted.media, "secret two", kPng).status, 204);
  const std::string id = "urn:uuid:" + posted.entry.substr(posted.entry.size() - 36);
  const Ran done = command({"redact", "demo/events", id});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_EQ(pieces(), 0) << "not left to the server";
  ASSERT_TRUE(wait_until([&] { return client_->get(posted.media).status == 410; }));
  expect_verified();
}

TEST_F(MediaTest, ADeletedFeedLosesItsBytes) {
  const Posted posted = post(bytes(300'000));
  ASSERT_EQ(command({"delete-feed", "demo/events", "--yes"}).status, 0);
  ASSERT_TRUE(wait_until([&] { return client_->get(posted.media).status == 404; }));
  ASSERT_TRUE(wait_until([&] { return pieces() == 0; }));
}

// Who reads slowly holds a piece, not the whole: many such readers do not shut the others out.
TEST_F(MediaTest, ReadersThatDoNotReadDoNotShutOutOthers) {
  const std::string body = bytes(16 << 20);
  const Posted posted = post(body);
  ASSERT_EQ(posted.reply.status, 201) << posted.reply.body;
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(std::make_unique<RawClient>(static_cast<std::uint16_t>(server_->port())));
    slow.back()->send("GET " + posted.media + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(slow.back()->has_answer_within(kPatience));
    EXPECT_EQ(slow.back()->read_bytes(12), "HTTP/1.1 200");
  }
  // Whoever was slow gets the rest, if it goes on reading before it is dropped as a reader that has stopped.
  const std::string late = slow.back()->read_response();
  EXPECT_TRUE(late.ends_with(body));
  const Reply whole = client_->get(posted.media);
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.body == body);
  // Parts begin and end anywhere.
  for (const auto& [first, length] : {std::pair<std::size_t, std::size_t>{262'143, 2},
                                      {262'144, 262'144},
                                      {1, 262'144},
                                      {262'140, 524'300},
                                      {16'777'215, 1}}) {
    const Reply part = client_->get(
        posted.media, "Range: bytes=" + std::to_string(first) + "-" + std::to_string(first + length - 1) + "\r\n");
    EXPECT_EQ(part.status, 206);
    EXPECT_TRUE(part.body == body.substr(first, length)) << first;
  }
}

// Neither taking it nor giving it holds a body twice.
TEST_F(MediaTest, ALargeBodyIsInMemoryOnce) {
  serve("", "max_media_bytes = '64MiB'");
  const std::size_t before = peak_memory(server_->process().id());
  const std::string body = bytes(is_sanitized() ? 8 << 20 : 64 << 20);
  const Posted posted = post(body);
  ASSERT_EQ(posted.reply.status, 201) << posted.reply.body;
  const Reply whole = client_->get(posted.media);
  EXPECT_TRUE(whole.body == body);
  const std::size_t grown = peak_memory(server_->process().id()) - before;
  EXPECT_LT(grown, body.size() * (is_sanitized() ? 100 : 3) / 2);
  EXPECT_GT(grown, body.size() * 3 / 4) << "it is measured indeed";
}

// What was promised cannot be had any more: the reader notices by the length.
TEST_F(MediaTest, ADeletionCutsOffWhoReadsSlowly) {
  const std::string body = bytes(is_sanitized() ? 8 << 20 : 16 << 20);  // more than sockets hold
  const Posted posted = post(body);
  ASSERT_EQ(posted.reply.status, 201);
  RawClient slow(static_cast<std::uint16_t>(server_->port()));
  slow.send("GET " + posted.media + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(slow.has_answer_within(kPatience));
  EXPECT_EQ(client_->remove(posted.media).status, 204);
  ASSERT_TRUE(wait_until([&] { return pieces() == 0; }));
  const std::string read = slow.read_all();
  EXPECT_EQ(read.substr(0, 12), "HTTP/1.1 200");
  EXPECT_LT(read.size(), body.size());
  EXPECT_EQ(client_->get(posted.media).status, 410);
}

// Pieces do not wait for the disk: a database that comes back without one of them has not taken the upload.
TEST_F(MediaTest, AnUploadOfWhichTheDatabaseLostAPieceIsNoResource) {
  ASSERT_EQ(post("first").reply.status, 201);
  session_.execute_script(
      "create function lose() returns trigger language plpgsql as $$ begin delete from media_pieces p where p.media = "
      "new.media and p.piece = 0; return null; end $$;"
      "create trigger lose after insert on media_pieces for each row when (new.piece = 1) execute function lose()");
  const Reply lost = post(bytes(600'000)).reply;
  EXPECT_EQ(lost.status, 503);
  EXPECT_EQ(lost.header("Retry-After"), "1");
  session_.execute_script("drop trigger lose on media_pieces");
  EXPECT_EQ(number_of("select count(*) from " + kPublished), 1);
  EXPECT_EQ(post(bytes(600'000)).reply.status, 201);
}

// The process dies when the bytes are there and their entry is not: nobody sees them, a retry stores them anew, and
// what no entry names is removed in the end.
TEST_F(MediaTest, ADeathBetweenBytesAndEntryLosesNothingAndLeavesNothing) {
  const std::string body = bytes(600'000);
  const std::string headers = std::string(kPng) + "Idempotency-Key: k1\r\n";
  ASSERT_EQ(post("first").reply.status, 201);
  {
    sql::Session blocker(database_.url());
    blocker.transaction([&] {
      blocker.run({"lock", "select lock_lane(lane) from feeds"});
      RawClient raw(static_cast<std::uint16_t>(server_->port()));
      raw.send("POST /demo/events HTTP/1.1\r\nHost: localhost\r\n" + headers + "Content-Length: 600000\r\n\r\n" + body);
      EXPECT_TRUE(wait_until([&] { return pieces() == 4; }));
      server_->process().signal(SIGKILL);
      server_->process().wait();
      // What the dead process left in the database must not go on when the lock is free.
      EXPECT_TRUE(wait_until([&] {
        return number_of(
                   "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() "
                   "and query like '%from publish%(%' and pid <> pg_backend_pid()") == 0;
      }));
    });
  }
  EXPECT_EQ(number_of("select count(*) from " + kPublished), 1);
  server_->start();
  client_ = std::make_unique<HttpClient>(server_->port());
  const Posted again = post(body, headers);
  ASSERT_EQ(again.reply.status, 201) << again.reply.body;
  EXPECT_EQ(again.reply.header("Feed-Position"), "2");
  EXPECT_EQ(client_->get(again.media).body, body);
  EXPECT_EQ(pieces(), 7);
  session_.execute_script("update media_doubts set due = now() - interval '1 second'");  // the hour is over
  EXPECT_TRUE(wait_until([&] { return pieces() == 4; }));
  EXPECT_TRUE(wait_until([&] { return number_of("select count(*) from media_doubts") == 0; }));
  EXPECT_EQ(pieces(), 4);
  EXPECT_EQ(client_->get(again.media).body, body);
}

}  // namespace
}  // namespace courant::test::media_test
