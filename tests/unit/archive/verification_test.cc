// What a server that means ill, or is broken, may answer to whoever verifies its log.
#include "archive/verification.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "feeds/render.h"
#include "kernel/digest.h"

namespace courant::archive {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string kFeed = "http://127.0.0.1:1/demo/events";
const std::string kNoChain(64, '0');

// A feed of 12 positions in pages of 5, answered from memory; the test changes what is answered.
class VerificationTest : public testing::Test {
 protected:
  VerificationTest() {
    std::string chain(32, '\0');
    for (int position = 1; position <= 12; ++position) {
      feeds::StoredEntry entry;
      entry.position = position;
      entry.id = "urn:x:" + std::to_string(position);
      entry.xml = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + entry.id +
                  "</id><title>t</title><published>2026-11-24T09:30:00Z</published>" +
                  "<updated>2026-11-24T09:30:00Z</updated><content>text" + std::to_string(position) +
                  "</content></entry>";
      seal(entry, chain);
      chain = *from_hex(entry.chain);
      entries_.push_back(entry);
    }
    answer_all();
  }

  // Leaf and chain of an entry that follows that chain value.
  static void seal(feeds::StoredEntry& entry, const std::string& before) {
    entry.salt = to_hex(std::string(16, 's'));
    entry.leaf = to_hex(bytes_of(sha256(std::string(16, 's'), entry.xml)));
    entry.chain = to_hex(bytes_of(sha256(before, *from_hex(entry.leaf))));
  }

  // The positions (after, upto] as a feed document.
  std::string document(int after, int upto, bool is_archive) const {
    feeds::FeedDocument feed;
    feed.id = "urn:x";
    feed.title = "t";
    feed.author = "a";
    feed.feed_url = kFeed;
    feed.is_archive = is_archive;
    if (upto > after) {
      feed.chain_position = upto;
      feed.chain = entries_[static_cast<std::size_t>(upto) - 1].chain;
    }
    for (int position = upto; position > after; --position) {
      feed.entries.push_back(entries_[static_cast<std::size_t>(position) - 1]);
    }
    return feeds::render_feed(feed);
  }

  void answer_all() {
    index_ = {{"generation", 1},
              {"complete_pages", 2},
              {"head", 12},
              {"chain", entries_.back().chain},
              {"floor", {{"position", 0}, {"chain", kNoChain}}},
              {"pages", json::array()},
              {"next", nullptr}};
    for (const int page : {1, 2}) {
      index_["pages"].push_back({{"url", kFeed + "/archive/" + std::to_string(page)},
                                 {"last_position", page * 5},
                                 {"chain", entries_[static_cast<std::size_t>(page) * 5 - 1].chain}});
      answer_page(page, document(page * 5 - 5, page * 5, true));
    }
    answers_[kFeed] = document(7, 12, false);
    answers_[kFeed + "?marker=10&direction=forward&limit=2"] = document(10, 12, false);
  }
  void answer_page(int page, const std::string& body) {
    answers_[kFeed + "/archive/" + std::to_string(page)] = body;
    index_["pages"][static_cast<std::size_t>(page) - 1]["sha256"] = to_hex(bytes_of(sha256(body)));
  }
  // Page 1 with something put in place of something else.
  void change_page(const std::string& from, const std::string& to) {
    std::string body = document(0, 5, true);
    const std::size_t place = body.find(from);
    ASSERT_NE(place, std::string::npos) << body;
    answer_page(1, body.replace(place, from.size(), to));
  }

  Result<VerifyReport> verify(const std::optional<Verified>& earlier = std::nullopt) {
    answers_[kFeed + "/archive"] = index_.dump();
    fetched_ = 0;
    const auto fetch = [this](const std::string& url) -> Result<std::string> {
      if (++fetched_ > 100) throw std::logic_error("the walk does not end");
      const auto found = answers_.find(url);
      return found == answers_.end() ? Result<std::string>(Fault{url + " is not there"}) : found->second;
    };
    return verify_feed(kFeed, earlier, fetch, [](std::int64_t, std::int64_t) {});
  }
  // What is found; empty: it verifies.
  std::string fault(const std::optional<Verified>& earlier = std::nullopt) {
    const Result<VerifyReport> report = verify(earlier);
    return report ? std::string() : report.fault().detail;
  }

  std::vector<feeds::StoredEntry> entries_;
  json index_;
  std::map<std::string, std::string> answers_;
  int fetched_ = 0;  // since the walk began
};

TEST_F(VerificationTest, AnHonestLogVerifies) {
  const Result<VerifyReport> report = verify(Verified{7, entries_[6].chain, 1});
  ASSERT_TRUE(report) << report.fault().detail;
  EXPECT_EQ(report->verified.position, 12);
  EXPECT_EQ(report->verified.chain, entries_.back().chain);
  EXPECT_TRUE(report->went_through);
}

TEST_F(VerificationTest, ALogThatEndsBeforeTheHeadOfItsIndexIsNoticed) {
  answers_[kFeed] = document(5, 10, false);
  EXPECT_THAT(fault(),
              HasSubstr("the log ends at position 10, but its archive's index says that it goes to position 12"));
}

TEST_F(VerificationTest, AHeadThatDoesNotSayWhereItIsIsNoticed) {
  answers_[kFeed] = document(0, 0, false);
  EXPECT_THAT(fault(), HasSubstr("the log ends at position 10"));
  EXPECT_THAT(fault(Verified{12, entries_.back().chain, 1}), HasSubstr("the log ends at position 10"));
}

TEST_F(VerificationTest, AnEmptyLogNeedsNoChain) {
  index_["head"] = 0;
  index_["chain"] = kNoChain;
  index_["pages"] = json::array();
  answers_[kFeed] = document(0, 0, false);
  EXPECT_EQ(fault(), "");
  EXPECT_THAT(fault(Verified{1, entries_[0].chain, 1}), HasSubstr("verified up to position 1 before, and now ends at"));
}

TEST_F(VerificationTest, TheChainOfTheIndexIsHeldAgainstTheLog) {
  index_["chain"] = entries_.front().chain;
  EXPECT_THAT(fault(), HasSubstr("the archive's index lists another chain value at its head, position 12"));
}

TEST_F(VerificationTest, WhatWasVerifiedBeforeIsHeldAgainstTheLogWhereItBegins) {
  index_["floor"] = {{"position", 5}, {"chain", entries_[4].chain}};
  index_["pages"].erase(0);
  EXPECT_EQ(fault(Verified{5, entries_[4].chain, 1}), "");
  EXPECT_THAT(fault(Verified{5, entries_[3].chain, 1}), HasSubstr("history has changed: at position 5"));
}

TEST_F(VerificationTest, TheCurrentFeedShowsWhatTheLogHolds) {
  entries_[8].xml = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><content>forged</content></entry>";
  seal(entries_[8], *from_hex(entries_[7].chain));
  answers_[kFeed] = document(7, 12, false);
  EXPECT_THAT(fault(), HasSubstr(kFeed + ": the document's chain value at position 12"));
}

TEST_F(VerificationTest, AnEntryWithoutAMarkIsNoticed) {
  change_page("</feed>", "<entry><id>urn:x:forged</id></entry></feed>");
  EXPECT_THAT(fault(), HasSubstr("an element entry carries no c:log"));
  change_page("<entry",
              "<t:deleted-entry xmlns:t='http://purl.org/atompub/tombstones/1.0' ref='urn:x:3' when='x'/><entry");
  EXPECT_THAT(fault(), HasSubstr("an element deleted-entry carries no c:log"));
  change_page("<entry", "<entry xmlns='http://purl.org/atom/ns#'/><entry");
  EXPECT_THAT(fault(), HasSubstr("an element entry is neither of Atom nor a tombstone"));
}

TEST_F(VerificationTest, WhatStandsBehindAMarkIsTheServersOwn) {
  const std::string self = "<link rel=\"self\"";
  for (const std::string forged :
       {"<content>forged</content>", "<content type='text/html' src='http://127.0.0.1:1/forged'/>",
        "<title>forged</title>", "<link rel='alternate' href='http://127.0.0.1:1/forged'/>",
        "<link rel='self' href='x'/>", "forged", "<link rel='enclosure' href='http://127.0.0.1:1/forged'/>",
        "<link rel='edit' href='x' title='forged'/>"}) {
    change_page("<link rel=\"self\" href=\"" + kFeed + "/entries/urn:x:3\"/>",
                self + " href=\"" + kFeed + "/entries/urn:x:3\"/>" + forged);
    EXPECT_THAT(fault(), HasSubstr("an entry holds something behind its c:log that is not the server's")) << forged;
  }
}

TEST_F(VerificationTest, ARedactedPositionShowsNothingAndIsInARecordUnderItsId) {
  // Position 3 is erased; position 12 records it.
  const auto erase = [this](const std::string& shown, const std::string& recorded) {
    feeds::StoredEntry& erased = entries_[2];
    const feeds::TombstoneText text = feeds::tombstone_text(shown);
    erased.is_tombstone = erased.is_redacted = true;
    erased.xml = text.before + "2026-11-24T09:30:00Z" + text.after;
    feeds::StoredEntry& record = entries_[11];
    const feeds::RedactionText words = feeds::redaction_text(recorded);
    record.is_tombstone = true;
    record.xml = words.before + "2026-11-24T09:30:00Z" + words.middle + "3" + words.after;
    seal(record, *from_hex(entries_[10].chain));
    answer_all();
  };
  erase("urn:x:3", "urn:x:3");
  EXPECT_EQ(fault(), "");
  erase("urn:x:4", "urn:x:3");
  EXPECT_THAT(fault(),
              HasSubstr("position 3 is said to have been of urn:x:4, but the record of its redaction names urn"));
  erase("urn:x:3", "urn:x:3");
  change_page("redacted=\"true\"/>", "redacted=\"true\"/>forged");
  EXPECT_THAT(fault(), HasSubstr("a deleted-entry holds something behind its c:log"));
  change_page("when=\"2026-11-24T09:30:00Z\"><c:log", "when=\"2026-11-24T09:30:00Z\">forged<c:log");
  EXPECT_THAT(fault(), HasSubstr("what was redacted shows more than that it was"));
}

TEST_F(VerificationTest, AnEntryCannotClaimToBeRedacted) {
  change_page("leaf=\"" + entries_[4].leaf + "\"", "redacted=\"true\" leaf=\"" + entries_[4].leaf + "\"");
  EXPECT_THAT(fault(), HasSubstr("an entry with content says that it was redacted"));
}

TEST_F(VerificationTest, AnIndexWithoutSenseIsRefused) {
  const json good = index_;
  const auto with = [&](const std::string& pointer, const json& value) {
    json changed = good;
    changed[json::json_pointer(pointer)] = value;
    index_ = changed;
    return fault();
  };
  for (const json& chain : {json("zz"), json(""), json(std::string(64, 'g')), json(std::string(62, '0')), json(7)}) {
    EXPECT_NE(with("/floor/chain", chain), "") << chain;
    EXPECT_NE(with("/chain", chain), "") << chain;
  }
  EXPECT_THAT(with("/floor/chain", std::string(64, '1')), HasSubstr("the chain does not begin with zeros"));
  for (const json& number :
       {json(-1), json(1e300), json(18446744073709551615U), json(9223372036854775807), json("1")}) {
    EXPECT_NE(with("/floor/position", number), "") << number;
    EXPECT_NE(with("/head", number), "") << number;
    EXPECT_NE(with("/generation", number == json("1") ? json("x") : number), "") << number;
    EXPECT_NE(with("/pages/0/last_position", number), "") << number;
  }
  EXPECT_NE(with("/pages", json{{"x", 1}}), "");
  EXPECT_NE(with("/pages", json::array({1})), "");
  EXPECT_NE(with("/pages/0/last_position", 0), "");
  EXPECT_NE(with("/pages/1/last_position", 5), "");
}

TEST_F(VerificationTest, AnIndexThatLeadsNowhereIsNotFollowedForEver) {
  index_["pages"] = json::array();
  index_["next"] = kFeed + "/archive";
  EXPECT_THAT(fault(), HasSubstr("the archive's index lists no page, and goes on at " + kFeed + "/archive"));
}

}  // namespace
}  // namespace courant::archive
