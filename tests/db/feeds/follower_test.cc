#include "feeds/follower.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "sql/listener.h"
#include "tests/support/test_database.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

// Goes on by itself, and by leaps.
class LeapingClock final : public Clock {
 public:
  Instant now() const override { return system_.now(); }
  Ticks ticks() const override { return system_.ticks() + ahead_.load(); }
  void leap(std::chrono::seconds duration) { ahead_ = ahead_.load() + duration; }

 private:
  const SystemClock system_;
  std::atomic<std::chrono::seconds> ahead_{0s};
};

// The follower's thread comes here three times, and each time waits until it may go on.
struct Stations {
  std::promise<void> come[3];
  std::promise<void> may_go[3];
  int next = 0;

  void pass() {
    const int station = next++;
    if (station > 2) return;
    come[station].set_value();
    may_go[station].get_future().get();
  }
};

// A heartbeat proves only what was heard up to the moment when it was sent: a process that stood still, or a network
// that did, finds it in its queue together with hints that it has not heard yet.
TEST(Follower, AHeartbeatThatWasLongOnItsWayProvesNothing) {
  test::TestDatabase test_database;
  sql::Database database(test_database.options());
  LeapingClock clock;
  Directory ours(16);
  Directory theirs(16);
  FeedKey feed;
  database.with_session([&](sql::Session& session) {
    feed = ours.create(session, {"demo", "events", 25, {}, clock.now()}, clock.now())->facts().key;
    theirs.load(session, "demo", "events");
  });
  Metrics metrics;
  sql::Listener hints(database.options(), "courant_log_sender");
  Writer writer({}, database, clock, metrics, [](const std::vector<Advance>&) {});
  const auto publish = [&](const std::string& id) {
    PreparedEntry entry;
    entry.id = id;
    entry.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
    entry.after_times = "</entry>";
    std::promise<void> published;
    writer.submit(feed, std::make_shared<const PreparedEntry>(std::move(entry)), {},
                  [&](const Published&) { published.set_value(); });
    published.get_future().get();
    hints.notify("courant_log", "another " + std::to_string(feed.lane) + ",");
  };

  Stations stations;
  Follower follower(database, theirs, clock, [&](const std::vector<Advance>&) { stations.pass(); });
  while (!follower.is_current()) std::this_thread::yield();
  publish("urn:a");
  stations.come[0].get_future().get();
  publish("urn:b");
  clock.leap(2s);  // a heartbeat is due: it is sent before urn:b is heard of, and stands in the queue behind it
  stations.may_go[0].set_value();
  stations.come[1].get_future().get();
  publish("urn:c");
  clock.leap(10s);
  stations.may_go[1].set_value();
  stations.come[2].get_future().get();
  EXPECT_FALSE(follower.is_current()) << "the last heartbeat that was heard is ten seconds old";
  stations.may_go[2].set_value();
  while (!follower.is_current()) std::this_thread::yield();
}

}  // namespace
}  // namespace courant::feeds
