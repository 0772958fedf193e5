#include "feeds/waiting_room.h"

#include <deque>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;
using End = WaitingRoom::End;

// Readers on io threads that do what they have to when they are told: `threads` of them, all of which are this one.
class WaitingRoomTest : public testing::Test {
 protected:
  struct Reader {
    std::optional<End> end;
  };

  WaitingRoomTest() {
    database_.with_session([this](sql::Session& session) {
      key_ = directory_.create(session, {"demo", "events", 25, {}, clock_.now()}, clock_.now())->facts().key;
    });
    feed_ = directory_.find(key_);
  }
  ~WaitingRoomTest() override {
    if (!room_) return;
    room_->stop();
    for (boost::asio::io_context& io : threads_) io.run();
  }

  void open(const WaitingOptions& options) { room_.emplace(options, directory_, executor_, metrics_); }

  http::Task<void> wait(WaitingRoom::News news, Reader& reader) {
    const End end = co_await room_->wait(news, clock_.ticks() + 1h, nullptr);
    reader.end = end;
  }
  // Somebody who has seen so much of demo/events begins to wait, on one of the threads.
  Reader& begin(std::int64_t seen, const std::string& search = {}, std::size_t thread = 0,
                const std::string& name = "events") {
    while (threads_.size() <= thread) threads_.emplace_back();
    WaitingRoom::News news{"demo", name, seen, 0, std::nullopt};
    if (name == "events") news.version = feed_->version();
    if (!search.empty()) news.filter = Filter::parse(search);
    Reader& reader = readers_.emplace_back();
    boost::asio::co_spawn(threads_[thread], wait(news, reader), boost::asio::detached);
    work();
    return reader;
  }
  // Whatever can be done on the threads now; how much that was on the first.
  std::size_t work() {
    std::size_t done = 0;
    for (boost::asio::io_context& io : threads_) {
      io.restart();
      const std::size_t count = io.poll();
      if (&io == &threads_.front()) done = count;
    }
    return done;
  }
  bool ends(const Reader& reader) {
    return test::wait_until([&] {
      work();
      return reader.end.has_value();
    });
  }

  // This process does not hear of it.
  void store(const std::string& id, const std::string& term) {
    PreparedEntry entry;
    entry.id = id;
    entry.terms = {term};
    entry.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
    entry.after_times = "</entry>";
    std::promise<void> stored;
    writer_.submit(key_, std::make_shared<const PreparedEntry>(std::move(entry)), {},
                   [&](const Published&) { stored.set_value(); });
    stored.get_future().get();
  }
  void hear_of(std::int64_t head) {
    directory_.advance(key_, head);
    room_->moved({{key_, head, head}});
  }

  test::TestDatabase test_;
  sql::Database database_{test_.options()};
  sql::Executor executor_{database_, 1, 100};
  SystemClock clock_;
  Metrics metrics_;
  Directory directory_{16};
  FeedKey key_;
  std::shared_ptr<LiveFeed> feed_;
  Writer writer_{{}, database_, clock_, metrics_, [](const std::vector<Advance>&) {}};
  std::deque<boost::asio::io_context> threads_;
  std::deque<Reader> readers_;
  std::optional<WaitingRoom> room_;
};

TEST_F(WaitingRoomTest, MoreFiltersThanMayBeWaitedOnAreAnsweredEarly) {
  WaitingOptions options;
  options.most_filters = 2;
  open(options);
  const Reader& gold = begin(0, "+gold");
  const Reader& lead = begin(0, "+lead");
  EXPECT_EQ(begin(0, "+tin").end, End::kEarly);
  EXPECT_FALSE(begin(0, "(cat=GOLD)").end) << "that is waited on already";
  EXPECT_FALSE(begin(0, "+tin", 0, "others").end) << "each feed has its own";
  EXPECT_FALSE(begin(0, "+tin", 1).end) << "and each thread";
  EXPECT_FALSE(gold.end || lead.end);
  // Once one of them is not waited on any more, there is a place.
  store("urn:a", "lead");
  hear_of(1);
  EXPECT_TRUE(ends(lead));
  EXPECT_FALSE(begin(1, "+tin").end);
  EXPECT_EQ(begin(1, "+zinc").end, End::kEarly);
}

TEST_F(WaitingRoomTest, TheTermsOfAllFiltersAreBounded) {
  WaitingOptions options;
  options.most_terms = 5;
  open(options);
  const Reader& many = begin(0, "+a+b+c+d");
  EXPECT_EQ(begin(0, "+e+f").end, End::kEarly);
  EXPECT_FALSE(begin(0, "+e").end);
  EXPECT_FALSE(begin(0, "+a+b+c+d").end) << "they count once";
  EXPECT_EQ(begin(0, "(NOT(cat=f))").end, End::kEarly);
  store("urn:a", "a");
  hear_of(1);
  EXPECT_TRUE(ends(many));
  EXPECT_FALSE(begin(1, "(AND(cat=a)(OR(cat=b)(NOT(cat=c))))").end);
}

TEST_F(WaitingRoomTest, WhoWaitsForEverythingIsNotRefusedForTheFiltersOfOthers) {
  WaitingOptions options;
  options.most_filters = 1;
  open(options);
  begin(0, "+gold");
  EXPECT_EQ(begin(0, "+lead").end, End::kEarly);
  const Reader& everything = begin(0);
  EXPECT_FALSE(everything.end);
  store("urn:a", "tin");
  hear_of(1);
  EXPECT_TRUE(ends(everything));
  EXPECT_EQ(everything.end, End::kNews);
}

// What is looked at may go beyond what this process has heard of, so who comes meanwhile is not left behind.
TEST_F(WaitingRoomTest, WhoComesWhileEntriesAreHeldAgainstFiltersMissesNone) {
  open({});
  store("urn:a", "lead");
  const Reader& gold = begin(0, "+gold");
  std::promise<void> release;
  executor_.submit([released = release.get_future().share()](sql::Session&) { released.wait(); },
                   [](const std::exception_ptr&) {});
  hear_of(1);
  work();  // the look waits for its thread, with the filters that there are
  store("urn:b", "tin");
  const Reader& tin = begin(1, "+tin");
  const Reader& zinc = begin(1, "+zinc");
  EXPECT_FALSE(tin.end);
  release.set_value();
  EXPECT_TRUE(ends(tin)) << "the entry was read before its reader's filter was known";
  EXPECT_EQ(tin.end, End::kNews);
  hear_of(2);
  store("urn:c", "gold");
  hear_of(3);
  EXPECT_TRUE(ends(gold));
  EXPECT_FALSE(zinc.end);
}

// However often a feed moves and however many wait there, a thread is told once until it has heard.
TEST_F(WaitingRoomTest, AThreadIsTouchedOnceForAllWhoWaitThere) {
  open({});
  for (int i = 0; i < 100; ++i) {
    begin(50);
    begin(50, {}, 1);
  }
  work();
  const auto move = [this] {
    for (std::int64_t position = 1; position <= 50; ++position) hear_of(position);
  };
  move();
  threads_[0].restart();
  EXPECT_EQ(threads_[0].poll(), 1U) << "nobody is woken by what he has seen";
  threads_[1].restart();
  EXPECT_EQ(threads_[1].poll(), 1U);
  hear_of(51);
  threads_[0].restart();
  EXPECT_EQ(threads_[0].poll_one(), 1U) << "it hears";
  for (const Reader& reader : readers_) EXPECT_FALSE(reader.end);
  for (const Reader& reader : readers_) EXPECT_TRUE(ends(reader));
}

}  // namespace
}  // namespace courant::feeds
