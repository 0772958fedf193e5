#include "feeds/imported.h"

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

const EntryRules kImportRules{.default_author = "Courant", .base = "http://feeds.example/demo/events/"};
const std::string kEntry = R"(<entry xmlns="http://www.w3.org/2005/Atom"><id>urn:sent</id><title>t</title>)"
                           R"(<category term="A"/><content>c</content></entry>)";

std::string fault_of(const StoredElsewhere& stored) {
  const Result<PreparedEntry> entry = read_stored_elsewhere(stored, kImportRules);
  return entry ? "accepted" : entry.fault().detail;
}

TEST(StoredElsewhere, KeepsItsIdItsTimeAndTheCategoriesThatItWasFoundBy) {
  const Instant updated = *parse_rfc3339("2020-01-02T03:04:05Z");
  const Result<PreparedEntry> entry =
      read_stored_elsewhere({"urn:stored", kEntry, {"a", "B & \"C\"", "b & \"c\""}, updated}, kImportRules);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->id, "urn:stored");
  EXPECT_EQ(entry->updated, updated);
  EXPECT_EQ(entry->terms, (std::vector<std::string>{"A", "B & \"C\""}));
  EXPECT_EQ(entry->before_times, "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:stored</id>");
  EXPECT_EQ(entry->after_times.find("<category term=\"B &amp; &quot;C&quot;\"></category><author>"), 0U)
      << entry->after_times;
  EXPECT_EQ(entry->content_digest, read_entry(kEntry, kImportRules)->content_digest) << "of what the client sent";
}

TEST(StoredElsewhere, ItsCanonicalFormGetsTheSame) {
  const std::string text =
      R"(<entry xmlns="http://www.w3.org/2005/Atom" xmlns:x="urn:x"><title>t</title><content type="application/xml">)"
      R"(<v xmlns="" type="x:name"/></content></entry>)";
  const Result<PreparedEntry> entry = read_stored_elsewhere({"urn:stored", text, {"a"}, {}}, kImportRules);
  ASSERT_TRUE(entry);
  ASSERT_TRUE(entry->canonical);
  EXPECT_NE(entry->canonical->before_times.find("<id>urn:stored</id>"), std::string::npos);
  EXPECT_EQ(entry->canonical->after_times, entry->after_times);
  EXPECT_EQ(entry->after_times.find("<category term=\"a\"></category>"), 0U);
}

TEST(StoredElsewhere, WhatNoPageCouldHoldIsRefused) {
  EXPECT_EQ(fault_of({"urn:x", kEntry, {"a\x01"}, {}}), "a category's term has characters that XML does not allow");
  EXPECT_EQ(fault_of({"urn:x", kEntry, {"a\xff"}, {}}), "a category's term has characters that XML does not allow");
  EXPECT_EQ(fault_of({"urn:x", kEntry, {std::string(1025, 'x')}, {}}), "a category's term is longer than 1024 bytes");
  EXPECT_EQ(fault_of({"urn:\xff", kEntry, {}, {}}), "atom:id is not UTF-8");
  EXPECT_EQ(fault_of({"x", kEntry, {}, {}}), "atom:id must be an absolute IRI");
  EXPECT_EQ(fault_of({"urn:" + std::string(2048, 'x'), kEntry, {}, {}}), "atom:id is longer than 2048 bytes");
  EXPECT_NE(fault_of({"urn:x", "<entry>", {}, {}}), "accepted");
  EXPECT_NE(fault_of({"urn:x", "", {}, {}}), "accepted");
}

}  // namespace
}  // namespace courant::feeds
