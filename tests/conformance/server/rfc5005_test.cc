// RFC 5005, Feed Paging and Archiving.
#include "tests/conformance/server/fixture.h"

namespace courant::test::rfc5005_test {
namespace {

using Rfc5005 = Conformance;

// 3: feed documents of a paged feed are tied together by the link relations "first", "last", "previous" and "next".
TEST_F(Rfc5005, Section3PagesAreLinkedBothWays) {
  publish_all(5);
  const pugi::xml_document head = parsed(client_.get("/demo/events?limit=2").body);
  const std::string older = link_of(head.child("feed"), "next");
  ASSERT_FALSE(older.empty());
  const pugi::xml_document second = parsed(client_.get(target_of(older)).body);
  EXPECT_STREQ(second.child("feed").child("entry").child_value("id"), "urn:x:3");
  const std::string newer = link_of(second.child("feed"), "previous");
  ASSERT_FALSE(newer.empty());
  EXPECT_STREQ(parsed(client_.get(target_of(newer)).body).child("feed").child("entry").child_value("id"), "urn:x:5");
}

// 4: "Subscription documents and archive documents MUST have a "prev-archive" link relation, unless there are no
// preceding archives available. Archive documents SHOULD also have a "next-archive" link relation, unless there are no
// following archives available. Archive documents SHOULD indicate their associated subscription documents using the
// "current" link relation." They are marked by fh:archive.
TEST_F(Rfc5005, Section4TheWholeFeedIsReachedFromItsHead) {
  publish_all(60);
  const pugi::xml_document head = parsed(client_.get("/demo/events").body);
  std::string target = target_of(link_of(head.child("feed"), "prev-archive"));
  EXPECT_EQ(target, "/demo/events/archive/2");
  int entries = 0;
  std::string newer;
  while (!target.empty()) {
    const Reply reply = client_.get(target);
    ASSERT_EQ(reply.status, 200) << target;
    const pugi::xml_document document = parsed(reply.body);
    const pugi::xml_node page = document.child("feed");
    EXPECT_TRUE(page.child("fh:archive"));
    EXPECT_STREQ(page.child("fh:archive").attribute("xmlns:fh").value(), "http://purl.org/syndication/history/1.0");
    EXPECT_EQ(link_of(page, "current"), server_.url() + "/demo/events");
    if (!newer.empty()) {
      EXPECT_EQ(link_of(page, "next-archive"), newer);
    }
    const auto children = page.children("entry");
    entries += static_cast<int>(std::distance(children.begin(), children.end()));
    newer = server_.url() + target;
    const std::string older = link_of(page, "prev-archive");
    target = older.empty() ? std::string() : target_of(older);
  }
  EXPECT_EQ(entries, 50);
}

// 4: "The set of entries contained in an archive document published at a particular URI SHOULD NOT change over time.
// Likewise, the URI for a particular archive document SHOULD NOT change over time." Ours are even the same bytes.
TEST_F(Rfc5005, Section4AnArchivePageNeverChanges) {
  publish_all(25);
  const Reply before = client_.get("/demo/events/archive/1");
  for (int number = 26; number <= 55; ++number) publish(number);
  server_.kill_and_restart();
  const Reply after = HttpClient(server_.port()).get("/demo/events/archive/1");
  EXPECT_EQ(after.body, before.body);
  EXPECT_EQ(after.header("ETag"), before.header("ETag"));
}

}  // namespace
}  // namespace courant::test::rfc5005_test
