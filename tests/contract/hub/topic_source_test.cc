// What hub/seam.h says of a TopicSource, held against each: the feeds of the database, topics in memory, and topics of
// other servers.
#include <future>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feeds/directory.h"
#include "feeds/writer.h"
#include "server/feed_topics.h"
#include "tests/contract/hub/memory_topics.h"
#include "tests/contract/hub/other_servers.h"
#include "tests/support/test_database.h"

namespace courant::test::topic_source_test {
namespace {

using hub::LogPlace;
using hub::PushDocument;
using hub::PushLimits;
using hub::Topic;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

// Each world has the feeds demo/events and demo/other under http://here.example; both are empty.

// Of those whose topics are pages of feeds.
struct PagesOfFeeds {
  static std::vector<std::string> same() {
    return {"http://here.example/demo/events/", "http://here.example/demo/event%73",
            "http://here.example/demo/events?unknown=1", "http://here.example/demo/events?"};
  }
  static std::vector<std::string> different() {
    return {"http://here.example/demo/events?search=%2Bgold", "http://here.example/demo/events?search=%2Bred",
            "http://here.example/demo/other"};
  }
  static std::vector<std::string> refused() { return {"http://here.example/demo/events?marker=1"}; }
};

class FeedsOfTheDatabase : public PagesOfFeeds {
 public:
  FeedsOfTheDatabase() {
    for (const char* const name : {"events", "other"}) {
      feeds_[name] = directory_.create(session_, {"demo", name, 25, {}, clock_.now()}, clock_.now());
    }
  }

  hub::TopicSource& topics() { return topics_; }
  sql::Session& session() { return session_; }
  std::int64_t publish(const std::string& name, const std::string& text, const std::string& term = {}) {
    feeds::PreparedEntry entry;
    entry.id = "urn:x:" + std::to_string(++published_);
    entry.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + entry.id + "</id>";
    entry.after_times = "<title>" + text + "</title></entry>";
    entry.content_digest = sha256(entry.id);
    if (!term.empty()) entry.terms = {term};
    std::promise<std::int64_t> stored;
    writer_.submit(feeds_.at(name)->facts().key, std::make_shared<const feeds::PreparedEntry>(std::move(entry)), {},
                   [&stored](const feeds::Published& result) { stored.set_value(result.position); });
    return stored.get_future().get();
  }
  void remove(const std::string& name) {
    const feeds::FeedKey key = feeds_.at(name)->facts().key;
    session_.execute_script("select delete_feed(" + std::to_string(key.lane) + "::smallint, 'demo', '" + name +
                            "', null, now())");
    directory_.load(session_, "demo", name);  // forgets it
  }

 private:
  TestDatabase test_;
  sql::Database database_{test_.options()};
  sql::Session session_{test_.url()};
  SystemClock clock_;
  Metrics metrics_;
  feeds::Directory directory_{16};
  std::map<std::string, std::shared_ptr<feeds::LiveFeed>> feeds_;
  int published_ = 0;
  server::FeedTopics topics_{directory_, clock_, "http://here.example", "http://here.example/hub"};
  feeds::Writer writer_{{}, database_, clock_, metrics_, [this](const std::vector<feeds::Advance>& advances) {
                          for (const feeds::Advance& advance : advances) {
                            if (const auto feed = directory_.find(advance.feed)) feed->advance(advance.last);
                          }
                        }};
};

class TopicsInMemory : public PagesOfFeeds {
 public:
  TopicsInMemory() {
    topics_.make("demo/events");
    topics_.make("demo/other");
  }

  hub::TopicSource& topics() { return topics_; }
  sql::Session& session() { return session_; }
  std::int64_t publish(const std::string& name, const std::string& text, const std::string& term = {}) {
    return topics_.publish("demo/" + name, text, term);
  }
  void remove(const std::string& name) { topics_.remove("demo/" + name); }

 private:
  TestDatabase test_;
  sql::Session session_{test_.url()};
  MemoryTopics topics_;
};

template <class World>
class SourceTest : public testing::Test {
 protected:
  static constexpr const char* kUrl = "http://here.example/demo/events";

  std::optional<Topic> find(const std::string& url) { return world_.topics().find(world_.session(), url); }
  Topic topic(const std::string& url = kUrl) { return find(url).value(); }
  std::int64_t position(const Topic& of) { return world_.topics().position(world_.session(), of); }
  std::optional<PushDocument> read(const Topic& of, std::int64_t from, std::int64_t upto = kAll,
                                   const PushLimits& limits = {}) {
    std::optional<PushDocument> document = world_.topics().read(world_.session(), of, kUrl, from, upto, limits);
    if (document) expect_sound(*document, from, upto, limits);
    return document;
  }
  // What holds of every document.
  static void expect_sound(const PushDocument& document, std::int64_t from, std::int64_t upto,
                           const PushLimits& limits) {
    EXPECT_EQ(document.from, from);
    EXPECT_GT(document.to, from);
    EXPECT_LE(document.to, upto);
    EXPECT_LE(document.entries, limits.max_entries);
    EXPECT_LE(document.entries, document.to - from);
    EXPECT_EQ(document.self, kUrl);
    if (document.entries == 0) return;
    ASSERT_TRUE(document.body);
    EXPECT_FALSE(document.content_type.empty());
    if (document.previous_at == std::string::npos) return;
    const std::string digits = std::to_string(from);
    EXPECT_EQ(document.body->substr(document.previous_at, digits.size()), digits);
    EXPECT_FALSE(std::isdigit(static_cast<unsigned char>(document.body->at(document.previous_at + digits.size()))));
  }
  // "text 3" and so on.
  void publish_all(int first, int last, const std::string& term = {}) {
    for (int number = first; number <= last; ++number) {
      ASSERT_EQ(world_.publish("events", "text " + std::to_string(number) + ".", term), number);
    }
  }

  World world_;
};

template <class World>
class TopicSourceContract : public SourceTest<World> {};
using Worlds = testing::Types<FeedsOfTheDatabase, TopicsInMemory, OtherServers>;
TYPED_TEST_SUITE(TopicSourceContract, Worlds);

TYPED_TEST(TopicSourceContract, FindGivesOneTopicForAllSpellings) {
  const Topic topic = this->topic();
  for (const std::string& spelling : TypeParam::same()) {
    const std::optional<Topic> same = this->find(spelling);
    ASSERT_TRUE(same) << spelling;
    EXPECT_EQ(same->canonical, topic.canonical) << spelling;
    EXPECT_EQ(same->lane, topic.lane) << spelling;
    EXPECT_EQ(same->feed, topic.feed) << spelling;
  }
  std::set<std::string> different = {topic.canonical};
  for (const std::string& other : TypeParam::different()) different.insert(this->topic(other).canonical);
  EXPECT_EQ(different.size(), 1 + TypeParam::different().size());
}

TYPED_TEST(TopicSourceContract, FindSaysWhyAPageCanBeNoTopic) {
  for (const std::string& url : TypeParam::refused()) {
    try {
      this->find(url);
      FAIL() << url;
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), 403) << url;
      EXPECT_FALSE(problem.detail().empty()) << url;
    }
  }
}

TYPED_TEST(TopicSourceContract, PositionIsTheLastThatIsCommitted) {
  const Topic topic = this->topic();
  EXPECT_EQ(this->position(topic), 0);
  this->publish_all(1, 3);
  EXPECT_EQ(this->position(topic), 3);
  EXPECT_EQ(this->position(this->topic("http://here.example/demo/other")), 0);
}

TYPED_TEST(TopicSourceContract, KnownPositionIsOfMemory) {
  const Topic topic = this->topic();
  hub::TopicSource& topics = this->world_.topics();
  EXPECT_EQ(topics.known_position(topic.lane, topic.feed), 0);
  EXPECT_EQ(topics.known_position(topic.lane, topic.feed + 1000), 0) << "of one that is not known";
  this->publish_all(1, 3);
  EXPECT_EQ(topics.known_position(topic.lane, topic.feed), 3) << "this process has committed it";
}

TYPED_TEST(TopicSourceContract, WhereNothingIsNewThereIsNoDocument) {
  const Topic topic = this->topic();
  EXPECT_FALSE(this->read(topic, 0));
  this->publish_all(1, 2);
  EXPECT_FALSE(this->read(topic, 2));
  EXPECT_FALSE(this->read(topic, 3)) << "beyond the head, as after a restore";
}

// Document by document, whatever each of them holds.
TYPED_TEST(TopicSourceContract, ReadingOnGivesAllOfARangeAndNothingElse) {
  this->publish_all(1, 7);
  std::string texts;
  for (std::int64_t from = 1; from < 6;) {
    const std::optional<PushDocument> document = this->read(this->topic(), from, 6, {2, 1 << 20});
    ASSERT_TRUE(document);
    EXPECT_GT(document->entries, 0);
    from = document->to;
    texts += *document->body;
  }
  for (int number = 2; number <= 6; ++number) EXPECT_THAT(texts, HasSubstr("text " + std::to_string(number) + "."));
  EXPECT_THAT(texts, Not(HasSubstr("text 1.")));
  EXPECT_THAT(texts, Not(HasSubstr("text 7.")));
}

TYPED_TEST(TopicSourceContract, AnEntryIsShownHoweverLong) {
  this->world_.publish("events", std::string(10'000, 'x'));
  this->world_.publish("events", "short");
  const std::optional<PushDocument> first = this->read(this->topic(), 0, kAll, {100, 1});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->to, 1);
  EXPECT_EQ(first->entries, 1);
  EXPECT_GT(first->body->size(), 10'000U);
  const std::optional<PushDocument> second = this->read(this->topic(), 1, kAll, {100, 1});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->to, 2);
}

// A range that may have been sent comes again as it was, whatever has been published since.
TYPED_TEST(TopicSourceContract, TheSameRangeGivesTheSameAgain) {
  this->publish_all(1, 3);
  const std::optional<PushDocument> before = this->read(this->topic(), 0);
  this->publish_all(4, 6);
  const std::optional<PushDocument> after = this->read(this->topic(), 0, before.value().to);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->to, before->to);
  EXPECT_EQ(after->entries, before->entries);
  EXPECT_EQ(*after->body, *before->body);
}

TYPED_TEST(TopicSourceContract, WhereNothingIsNewThereAreNoNewTerms) {
  const Topic topic = this->topic();
  const auto new_terms = [&](std::int64_t feed, std::int64_t from) {
    return this->world_.topics().new_terms(this->world_.session(), topic.lane, feed, from);
  };
  EXPECT_LE(new_terms(topic.feed, 0).to, 0);
  EXPECT_LE(new_terms(topic.feed + 1000, 0).to, 0) << "of a feed that is not known";
  this->publish_all(1, 3, "gold");
  EXPECT_LE(new_terms(topic.feed, 3).to, 3);
  EXPECT_TRUE(new_terms(topic.feed, 3).terms.empty());
}

TYPED_TEST(TopicSourceContract, FirstAfterSaysSinceWhenSomethingWaits) {
  const Topic events = this->topic();
  const Topic other = this->topic("http://here.example/demo/other");
  const SystemClock clock;
  const Instant begun = clock.now();
  this->publish_all(1, 3);
  this->world_.publish("other", "x");
  const std::vector<LogPlace> places = {{events.lane, events.feed, 3},
                                        {events.lane, events.feed, 1},
                                        {events.lane, events.feed, 0},
                                        {other.lane, other.feed, 0},
                                        {other.lane, other.feed + 1000, 0}};
  const std::vector<std::optional<Instant>> found = this->world_.topics().first_after(this->world_.session(), places);
  ASSERT_EQ(found.size(), places.size());
  EXPECT_FALSE(found[0]) << "there is nothing behind the head";
  ASSERT_TRUE(found[1] && found[2] && found[3]);
  EXPECT_LE(begun, *found[2]);
  EXPECT_LE(*found[2], *found[1]);
  EXPECT_LE(*found[1], *found[3]);
  EXPECT_LE(*found[3], clock.now());
  EXPECT_FALSE(found[4]);
  EXPECT_TRUE(this->world_.topics().first_after(this->world_.session(), {}).empty());
}

// What holds besides where topics are pages of feeds, which put what is new together as they are asked to, and have
// filters.
template <class World>
class FeedPagesContract : public SourceTest<World> {};
using WorldsOfFeeds = testing::Types<FeedsOfTheDatabase, TopicsInMemory>;
TYPED_TEST_SUITE(FeedPagesContract, WorldsOfFeeds);

TYPED_TEST(FeedPagesContract, FindKnowsNothingElse) {
  for (const char* const url :
       {"", "nonsense", "/demo/events", "http://here.example/", "http://here.example/demo/nothing",
        "http://elsewhere.example/demo/events", "ftp://here.example/demo/events"}) {
    EXPECT_FALSE(this->find(url)) << url;
  }
}

TYPED_TEST(FeedPagesContract, FiltersHaveOneSpellingAndTheFeedsPosition) {
  const Topic filter = this->topic("http://here.example/demo/events?search=%2Bgold");
  EXPECT_EQ(this->topic("http://here.example/demo/events/?x=1&search=%2bGold").canonical, filter.canonical);
  this->publish_all(1, 3, "red");
  EXPECT_EQ(this->position(filter), 3) << "of what the filter passes over, too";
}

TYPED_TEST(FeedPagesContract, ADocumentHoldsWhatLiesBehindFromAndUpToUpto) {
  this->publish_all(1, 5);
  const std::optional<PushDocument> some = this->read(this->topic(), 1, 3);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->to, 3);
  EXPECT_EQ(some->entries, 2);
  EXPECT_THAT(*some->body, HasSubstr("text 2."));
  EXPECT_THAT(*some->body, HasSubstr("text 3."));
  EXPECT_THAT(*some->body, Not(HasSubstr("text 1.")));
  EXPECT_THAT(*some->body, Not(HasSubstr("text 4.")));
  EXPECT_LT(some->body->find("text 3."), some->body->find("text 2.")) << "newest first";
  const std::optional<PushDocument> all = this->read(this->topic(), 0, kAll);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->to, 5) << "the head, however far upto lies beyond it";
  EXPECT_EQ(all->entries, 5);
}

TYPED_TEST(FeedPagesContract, LimitsBoundADocumentAndNothingIsLeftOut) {
  this->publish_all(1, 7);
  std::string positions;
  std::string texts;
  for (std::int64_t from = 0; from < 7;) {
    const std::optional<PushDocument> document = this->read(this->topic(), from, kAll, {3, 1 << 20});
    ASSERT_TRUE(document);
    from = document->to;
    positions += std::to_string(from) + " ";
    texts += *document->body;
  }
  EXPECT_EQ(positions, "3 6 7 ");
  for (int number = 1; number <= 7; ++number) EXPECT_THAT(texts, HasSubstr("text " + std::to_string(number) + "."));
}

TYPED_TEST(FeedPagesContract, ADocumentSaysWhereItBegins) {
  this->publish_all(1, 12);
  for (const std::int64_t from : {0, 1, 9, 10, 11}) {
    const std::optional<PushDocument> document = this->read(this->topic(), from);
    ASSERT_TRUE(document);
    EXPECT_NE(document->previous_at, std::string::npos) << "both of these forms have a place for it";
  }
}

TYPED_TEST(FeedPagesContract, WhatDoesNotMatchMovesTheCursorOnly) {
  this->publish_all(1, 4, "red");
  const Topic topic = this->topic("http://here.example/demo/events?search=%2Bgold");
  std::optional<PushDocument> document = this->read(topic, 0);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->entries, 0);
  EXPECT_EQ(document->to, 4);
  this->publish_all(5, 5, "gold");
  this->publish_all(6, 6, "red");
  document = this->read(topic, 4);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->entries, 1);
  EXPECT_EQ(document->to, 6) << "how far was looked";
  EXPECT_THAT(*document->body, HasSubstr("text 5."));
  EXPECT_THAT(*document->body, Not(HasSubstr("text 6.")));
}

TYPED_TEST(FeedPagesContract, OfAFeedThatIsGoneThereIsThePositionAlone) {
  const Topic topic = this->topic();
  this->publish_all(1, 3);
  this->world_.remove("events");
  EXPECT_FALSE(this->find(this->kUrl));
  EXPECT_EQ(this->position(topic), 3) << "where it would go on";
  const std::optional<PushDocument> document = this->read(topic, 1);
  EXPECT_EQ(document ? document->entries : 0, 0);
}

// What a topic requires is spelled as what has come is: so it is known whom that does not concern, without reading it.
TYPED_TEST(FeedPagesContract, RequiredTermsAreThoseThatNewTermsGives) {
  hub::TopicSource& topics = this->world_.topics();
  const Topic gold = this->topic("http://here.example/demo/events?search=%2BGold");
  EXPECT_TRUE(topics.required_terms(this->topic()).empty()) << "it may be anything";
  EXPECT_EQ(topics.required_terms(gold), std::vector<std::string>{"gold"});
  this->publish_all(1, 2, "gold");
  this->publish_all(3, 3, "red");
  this->publish_all(4, 4);
  const auto terms_after = [&](std::int64_t from) {
    const hub::NewTerms found = topics.new_terms(this->world_.session(), gold.lane, gold.feed, from);
    EXPECT_EQ(found.to, 4) << "all of it may be looked at by one call";
    return std::set<std::string>(found.terms.begin(), found.terms.end());
  };
  EXPECT_EQ(terms_after(0), (std::set<std::string>{"gold", "red"}));
  EXPECT_EQ(terms_after(2), std::set<std::string>{"red"});
  EXPECT_EQ(terms_after(3), std::set<std::string>{}) << "entries without terms are looked at, too";
  EXPECT_EQ(terms_after(4), std::set<std::string>{});
}

}  // namespace
}  // namespace courant::test::topic_source_test
