#include "hub/foreign_store.h"

#include <limits>

#include <gtest/gtest.h>

#include "hub/foreign_topics.h"
#include "hub/store.h"
#include "tests/support/any_query.h"
#include "tests/support/test_database.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

class ForeignStoreTest : public testing::Test {
 protected:
  static constexpr const char* kUrl = "http://x.example/feed";

  std::int64_t number(const std::string& query) { return test::number_of(session_, query); }
  void run(const std::string& statement) { session_.execute_script(statement); }

  // Somebody waits to subscribe.
  std::int64_t keep() {
    const std::int64_t topic = store_.keep(session_, kUrl, "x.example");
    NewRequest request;
    request.topic = {kUrl, kForeignLane, topic};
    request.self = kUrl;
    request.callback = "http://y.example/cb";
    request.callback_host = request.callback_domain = "y.example";
    request.lease = 60s;
    Store("mine", Vault(Sha256{1})).put_request(session_, request, 64);
    return topic;
  }
  std::vector<ForeignTopic> claim_due() {
    std::vector<std::int64_t> numbers;
    for (const DueForeignTopic& due : store_.due(session_, 10, 10)) numbers.push_back(due.number);
    return store_.claim(session_, numbers);
  }
  static ForeignNews news(const std::string& body, bool is_whole = false) {
    return {"known of " + body, 1, is_whole, "text/plain", body};
  }
  // A fetch that brings this.
  void store(const std::string& body, bool is_whole = false) {
    run("update foreign_topics set due = now(), fetching_until = null");
    const std::vector<ForeignTopic> claimed = claim_due();
    ASSERT_EQ(claimed.size(), 1U);
    const ForeignNews brought = news(body, is_whole);
    ASSERT_TRUE(store_.record(session_, claimed[0], {}, &brought));
  }
  // "3 body" of what is read after `from`.
  std::string read(std::int64_t topic, std::int64_t from, std::int64_t upto = kAll) {
    const std::optional<PushDocument> document = store_.read(session_, topic, from, upto);
    if (!document) return "nothing";
    return std::to_string(document->to) + (document->entries == 0 ? "" : " " + *document->body);
  }

  test::TestDatabase database_;
  sql::Session session_{database_.url()};
  const ForeignStore store_{100ms, 10s};
};

TEST_F(ForeignStoreTest, WhoWaitsIsAdmittedOnceItIsFetched) {
  const std::int64_t topic = keep();
  EXPECT_EQ(store_.admission(session_, topic).answer, Admission::Answer::kNotYet);
  EXPECT_EQ(keep(), topic);
  run("update hub_requests set next_attempt = now() + interval '1 hour'");
  const std::vector<ForeignTopic> claimed = claim_due();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].url, kUrl);
  ASSERT_TRUE(store_.known(session_, claimed[0]));
  EXPECT_FALSE(store_.known(session_, claimed[0])->known) << "nothing was known before";
  ForeignNews baseline;
  baseline.known = "k";
  const std::optional<StoredForeign> stored =
      store_.record(session_, claimed[0], {"http://x.example/there", "\"1\"", "d"}, &baseline);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->position, 0);
  EXPECT_TRUE(stored->has_become_ready);
  EXPECT_EQ(store_.admission(session_, topic).answer, Admission::Answer::kGranted);
  EXPECT_EQ(number("select count(*) from hub_requests where next_attempt <= clock_timestamp()"), 1);
  run("update foreign_topics set due = now()");
  const ForeignTopic again = claim_due().at(0);
  EXPECT_EQ(again.validators.place, "http://x.example/there");
  EXPECT_EQ(again.validators.etag, "\"1\"");
  EXPECT_EQ(again.validators.last_modified, "d");
  EXPECT_EQ(store_.known(session_, again)->known, "k");
}

TEST_F(ForeignStoreTest, WhoWaitsIsDeniedWhatIsGivenUp) {
  const std::int64_t topic = keep();
  const ForeignTopic first = claim_due().at(0);
  EXPECT_FALSE(store_.failed(session_, first, 0ms, "why"));
  EXPECT_EQ(store_.admission(session_, topic).answer, Admission::Answer::kNotYet);
  EXPECT_TRUE(claim_due().empty()) << "not before the interval is over";
  run("update foreign_topics set due = now()");
  const ForeignTopic second = claim_due().at(0);
  EXPECT_EQ(second.attempts, 1);
  EXPECT_TRUE(store_.failed(session_, second, std::nullopt, "why"));
  EXPECT_EQ(store_.admission(session_, topic).answer, Admission::Answer::kDenied);
  EXPECT_EQ(store_.admission(session_, topic).why, "why");
  EXPECT_EQ(number("select count(*) from foreign_topics where due is not null"), 0);
  run("update foreign_topics set next_fetch = now()");
  keep();
  EXPECT_EQ(store_.admission(session_, topic).answer, Admission::Answer::kNotYet)
      << "who comes later has it tried again";
}

TEST_F(ForeignStoreTest, OneProcessFetchesUntilItIsTakenForDead) {
  keep();
  const ForeignTopic first = claim_due().at(0);
  EXPECT_TRUE(claim_due().empty());
  run("update foreign_topics set due = now(), fetching_until = now()");
  const ForeignTopic second = claim_due().at(0);
  const ForeignNews brought = news("b");
  EXPECT_TRUE(store_.record(session_, second, {}, &brought));
  EXPECT_FALSE(store_.record(session_, first, {}, &brought)) << "it was not dead";
  EXPECT_FALSE(store_.known(session_, first));
  EXPECT_EQ(number("select count(*) from foreign_documents"), 1);
  store_.put_back(session_, first, 0ms);
  EXPECT_EQ(number("select count(*) from foreign_topics where due is not null and fetching_until is null"), 1);
}

TEST_F(ForeignStoreTest, APingDuringAFetchIsOneMoreFetch) {
  keep();
  const ForeignTopic claimed = claim_due().at(0);
  store_.want(session_, kUrl);
  store_.want(session_, kUrl);
  EXPECT_TRUE(store_.record(session_, claimed, {}, nullptr));
  run("update foreign_topics set due = now() where due is not null");
  const ForeignTopic again = claim_due().at(0);
  EXPECT_TRUE(store_.record(session_, again, {}, nullptr));
  EXPECT_EQ(number("select count(*) from foreign_topics where due is not null"), 0);
}

TEST_F(ForeignStoreTest, APingBringsForwardWhatIsTriedAgainLater) {
  keep();
  store_.failed(session_, claim_due().at(0), 3'600'000ms, "why");
  EXPECT_EQ(number("select count(*) from foreign_topics where due > now() + interval '10 minutes'"), 1);
  store_.want(session_, kUrl);
  EXPECT_EQ(number("select count(*) from foreign_topics where due > now() + interval '10 minutes'"), 0);
  EXPECT_EQ(number("select count(*) from foreign_topics where due = next_fetch"), 1);
}

TEST_F(ForeignStoreTest, WhatNobodyWantsIsNotFetchedAndForgottenAfterAnHour) {
  const std::int64_t topic = keep();
  store("a");
  run("delete from hub_requests");
  store_.want(session_, kUrl);
  EXPECT_EQ(number("select count(*) from foreign_topics where due is not null"), 0);
  store_.forget_unwanted(session_);
  EXPECT_EQ(store_.find(session_, kUrl), topic);
  run("update foreign_topics set next_fetch = now() - interval '2 hours'");
  store_.forget_unwanted(session_);
  EXPECT_EQ(store_.find(session_, kUrl), std::nullopt);
  EXPECT_EQ(number("select count(*) from foreign_documents"), 0);
  EXPECT_EQ(store_.admission(session_, topic).answer, Admission::Answer::kDenied);
}

TEST_F(ForeignStoreTest, HostsTakeTurns) {
  for (int i = 0; i < 5; ++i) store_.keep(session_, "http://many.example/" + std::to_string(i), "many.example");
  store_.keep(session_, "http://one.example/", "one.example");
  const std::vector<DueForeignTopic> due = store_.due(session_, 3, 10);
  ASSERT_EQ(due.size(), 4U);
  EXPECT_EQ(due[1].host, "one.example");
}

TEST_F(ForeignStoreTest, DocumentsAreReadOneByOneAndWholeOnesReplaceEachOther) {
  const std::int64_t topic = keep();
  EXPECT_EQ(read(topic, 0), "nothing");
  store("a");
  store("b");
  store("w3", true);
  store("w4", true);
  store("c");
  EXPECT_EQ(read(topic, 0), "1 a");
  EXPECT_EQ(read(topic, 1), "2 b");
  EXPECT_EQ(read(topic, 2), "4 w4");
  EXPECT_EQ(read(topic, 2, 3), "3 w3") << "what was sent before there was the fourth";
  EXPECT_EQ(read(topic, 4), "5 c");
  EXPECT_EQ(read(topic, 5), "nothing");
  EXPECT_EQ(store_.position(session_, topic), 5);
  const std::vector<Moved> moved = store_.moved_within(session_, 60s);
  ASSERT_EQ(moved.size(), 1U);
  EXPECT_EQ(moved[0].lane, kForeignLane);
  EXPECT_EQ(moved[0].feed, topic);
  EXPECT_EQ(moved[0].position, 5);
}

TEST_F(ForeignStoreTest, OldDocumentsAreDroppedAndWhoIsBehindGoesOn) {
  const std::int64_t topic = keep();
  for (int i = 1; i <= 103; ++i) store(std::to_string(i));
  EXPECT_EQ(number("select count(*) from foreign_documents"), 100);
  EXPECT_EQ(read(topic, 0), "4 4");
  EXPECT_EQ(read(topic, 0, 2), "2") << "what was sent of it is no more: the cursor moves on";
  store(std::string(33 << 20, 'x'));
  store("last");
  EXPECT_EQ(number("select count(*) from foreign_documents"), 1);
  EXPECT_EQ(read(topic, 0), "105 last");
}

}  // namespace
}  // namespace courant::hub
