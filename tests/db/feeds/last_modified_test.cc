// Whatever changes the entity tag of a page also moves the time of its Last-Modified, by the database's clock.
#include "feeds/last_modified.h"

#include <thread>

#include <gtest/gtest.h>

#include "feeds/configure.h"
#include "feeds/follower.h"
#include "feeds/lifecycle.h"
#include "feeds/publish_call.h"
#include "feeds/reader.h"
#include "feeds/ready_page.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

class LastModifiedTest : public testing::Test {
 protected:
  LastModifiedTest() {
    adopt_renderer(session_);
    configure_title("One");
    feed_ = directory_.load(session_, "demo", "events");
  }

  void configure_title(const std::string& title) {
    ConfiguredWorkspace workspace;
    workspace.name = "demo";
    workspace.feeds.push_back({"events", 1, {}});
    workspace.feeds.back().settings.title = title;
    ASSERT_TRUE(configure(session_, read_lanes(session_), {workspace}, clock_.now(), clock_.now()));
  }

  // now: by the clock of the server that publishes. recorded: where another server has stored it before.
  void publish(const std::string& id, Instant now, std::optional<Instant> recorded = std::nullopt) {
    auto entry = std::make_shared<PreparedEntry>();
    entry->id = id;
    entry->before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
    entry->after_times = "<title></title></entry>";
    entry->terms = {id};
    PublishItem item;
    item.feed = key();
    item.entry = std::move(entry);
    item.recorded = recorded;
    const PublishCall call = make_call(key().lane, {item}, now);
    ASSERT_EQ(run_call(session_, call, false, now).front().outcome, PublishOutcome::kCreated);
  }
  void publish(const std::string& id) { publish(id, clock_.now()); }

  void run(const std::string& statement) { session_.execute_script(statement); }
  void raise_floor(std::int64_t upto) {
    run("select raise_floor(" + std::to_string(key().lane) + "::smallint, " + std::to_string(key().feed) + ", " +
        std::to_string(upto) + ", now())");
  }

  // What this process knows is brought up to date before.
  std::optional<Instant> modified(const Parameters& query = {}) {
    feed_ = directory_.load(session_, "demo", "events");
    return modified_as_known(query);
  }
  std::optional<Instant> modified_as_known(const Parameters& query = {}) {
    PageRequest request;
    request.query = parse_page_query(query, 25);
    request.feed_url = "http://localhost/demo/events";
    const std::optional<Modified> modified = read_page(session_, *feed_, request).modified;
    if (!modified) return std::nullopt;
    EXPECT_LE(modified->time, modified->now);
    return modified->time;
  }
  std::optional<Instant> modified_entry(const std::string& id) {
    const std::optional<FoundEntry> found = read_entry_by_id(session_, key(), id);
    return found && found->modified ? std::optional(found->modified->time) : std::nullopt;
  }

  FeedKey key() const { return feed_->facts().key; }

  test::TestDatabase test_;
  sql::Session session_{test_.url()};
  const SystemClock clock_;
  Directory directory_{16};
  std::shared_ptr<LiveFeed> feed_;
};

TEST_F(LastModifiedTest, MovesWithEverythingThatChangesThePage) {
  publish("urn:a");
  publish("urn:b");
  publish("urn:c");
  Instant last = modified().value();
  publish("urn:d");
  EXPECT_GT(modified(), last);
  // A page that no entry is added to any more.
  const Parameters third = {{"marker", "2"}, {"limit", "1"}};
  last = modified(third).value();
  const auto expect_moved = [&](const char* by) {
    const Instant now = modified(third).value();
    EXPECT_GT(now, last) << by;
    last = now;
  };
  configure_title("Two");
  expect_moved("settings");
  raise_floor(1);
  expect_moved("retention");
  redact(session_, key(), "urn:c", clock_.now());
  expect_moved("redaction");
  begin_generation(session_, 1, clock_.now());
  expect_moved("a generation");
  run("update log_facts set renderer = renderer - 1");
  adopt_renderer(session_);
  expect_moved("another renderer");
  delete_feed(session_, key().lane, "demo", "events", std::nullopt, clock_.now());
  configure_title("Three");
  EXPECT_GT(modified(), last) << "deletion, and a new beginning";
}

TEST_F(LastModifiedTest, StaysWhereNothingChanges) {
  publish("urn:a");
  const Instant before = modified().value();
  configure_title("One");
  adopt_renderer(session_);
  raise_floor(0);
  EXPECT_EQ(modified(), before);
}

// Their `recorded` lies before that of what readers have already, or in the same second.
TEST_F(LastModifiedTest, MovesWithEntriesThatAreRecordedInThePast) {
  publish("urn:a", clock_.now() - 1h);
  Instant last = modified().value();
  publish("urn:imported", clock_.now(), clock_.now() - 24h);
  EXPECT_GT(modified(), last);
  last = modified().value();
  publish("urn:slow", clock_.now() - 90s);
  EXPECT_GT(modified(), last);
}

TEST_F(LastModifiedTest, IsOfWhatThePageShows) {
  publish("urn:a");
  const Instant first = modified().value();
  publish("urn:b");
  EXPECT_EQ(modified({{"marker", "0"}, {"limit", "1"}}), first);
  EXPECT_EQ(modified({{"search", "+urn:a"}}), first);
  EXPECT_GT(modified({{"search", "+urn:b"}}), first);
  EXPECT_GT(modified({{"marker", "2"}}), first) << "an empty page ends where the log does";
  EXPECT_EQ(modified_entry("urn:a"), first);
  EXPECT_GT(modified_entry("urn:b"), first);
}

TEST_F(LastModifiedTest, IsNotToldOfAPageThatIsNoMoreAsItsTagSays) {
  publish("urn:a");
  ASSERT_TRUE(modified());
  configure_title("Two");
  EXPECT_FALSE(modified_as_known()) << "this process has not heard of it";
  EXPECT_TRUE(modified());
  run("update log_facts set renderer = renderer + 1");
  EXPECT_FALSE(modified()) << "another program serves other bytes";
  EXPECT_FALSE(modified_entry("urn:a"));
}

class SetClock final : public Clock {
 public:
  Instant now() const override { return {}; }
  Ticks ticks() const override { return time; }
  Ticks time = std::chrono::steady_clock::now();
};

// A page stays in memory while it settles, and answers are kept for requests that come again.
TEST_F(LastModifiedTest, AnAnswerThatDoesNotTellHoldsUntilItMust) {
  const sql::Database database(test_.options());
  const Follower follower(database, directory_, clock_, [](const std::vector<Advance>&) {});
  while (!follower.is_current()) std::this_thread::yield();
  SetClock clock;
  const Instant now = clock_.now();
  const ReadyPage page({{"ETag", "W/\"x\""}}, http::make_bytes("body"), feed_->version(), feed_->head(), {},
                       LastModified({now, now}, clock.time));
  const http::Response young = answer_with(page, {}, feed_, follower, clock);
  EXPECT_TRUE(young.headers.empty());
  EXPECT_TRUE(young.holds());
  clock.time += kSettledAfter;
  EXPECT_FALSE(young.holds());
  const http::Response settled = answer_with(page, {}, feed_, follower, clock);
  EXPECT_EQ(settled.headers.size(), 1U);
  EXPECT_TRUE(settled.holds());
}

}  // namespace
}  // namespace courant::feeds
