#include "feeds/follower.h"

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sql/listener.h"
#include "tests/support/temporary_folder.h"
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

// Somebody else publishes, and a follower hears of it, or not.
class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    database_.with_session([this](sql::Session& session) {
      feed_ = ours_.create(session, {"demo", "events", 25, {}, clock_.now()}, clock_.now())->facts().key;
      theirs_.load(session, "demo", "events");
    });
  }

  // Without a hint.
  void publish(const std::string& id) {
    PreparedEntry entry;
    entry.id = id;
    entry.before_times = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><id>" + id + "</id>";
    entry.after_times = "</entry>";
    std::promise<void> published;
    writer_.submit(feed_, std::make_shared<const PreparedEntry>(std::move(entry)), {},
                   [&](const Published&) { published.set_value(); });
    published.get_future().get();
  }
  void hint() { hints_.notify("courant_log", "another " + std::to_string(feed_.lane) + ","); }

  test::TestDatabase test_database_;
  sql::Database database_{test_database_.options()};
  LeapingClock clock_;
  Directory ours_{16};
  Directory theirs_{16};
  FeedKey feed_;
  Metrics metrics_;
  sql::Listener hints_{database_.options(), "courant_log_sender"};
  Writer writer_{{}, database_, clock_, metrics_, [](const std::vector<Advance>&) {}};
};

// Whoever commits may die before he tells: nobody else would hear of it until somebody publishes on the same lane.
TEST_F(FollowerTest, ACommitWhoseHintWasLostIsHeardOfWithTheNextHeartbeat) {
  std::promise<std::int64_t> told;
  Follower follower(database_, theirs_, clock_,
                    [&](const std::vector<Advance>& advances) { told.set_value(advances.front().last); });
  while (!follower.is_current()) std::this_thread::yield();
  publish("urn:a");
  std::future<std::int64_t> position = told.get_future();
  ASSERT_EQ(position.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(position.get(), 1);
  EXPECT_EQ(theirs_.find(feed_)->head(), 1);
}

// All processes over a database that was set back find that out, and one of them begins the generation.
TEST_F(FollowerTest, OfAllWhoFindTheDatabaseBehindOneBeginsAGenerationAndSaysSoOnce) {
  publish("urn:a");
  publish("urn:b");
  Directory others{16};
  database_.with_session([&](sql::Session& session) {
    theirs_.load(session, "demo", "events");
    others.load(session, "demo", "events");
    session.execute_script("delete from entries where position = 2; delete from entry_ids where newest_position = 2");
  });
  const auto nobody = [](const std::vector<Advance>&) {};
  Follower first(database_, theirs_, clock_, nobody);
  Follower second(database_, others, clock_, nobody);
  while (!first.is_current() || !second.is_current()) std::this_thread::yield();
  constexpr sql::Query kNotices{"test.notices",
                                "select feed, event_type, subject, data->>'actor', data->>'before', data->>'feed', "
                                "data->>'known', data->>'stored' from notices"};
  database_.with_session([&](sql::Session& session) {
    const sql::Rows notices = session.run(kNotices);
    ASSERT_EQ(notices.size(), 1);
    EXPECT_EQ(notices[0].text(0), "audit");
    EXPECT_EQ(notices[0].text(1), "courant.audit.generation-begun");
    EXPECT_EQ(notices[0].text(2), "generation 2");
    EXPECT_EQ(notices[0].text(3).substr(0, 8), "server: ");
    EXPECT_EQ(notices[0].text(4), "1");
    EXPECT_EQ(notices[0].text(5), "demo/events");
    EXPECT_EQ(notices[0].text(6), "2");
    EXPECT_EQ(notices[0].text(7), "1");
  });
}

// A heartbeat proves only what was heard up to the moment when it was sent: a process that stood still, or a network
// that did, finds it in its queue together with hints that it has not heard yet.
TEST_F(FollowerTest, AHeartbeatThatWasLongOnItsWayProvesNothing) {
  Stations stations;
  Follower follower(database_, theirs_, clock_, [&](const std::vector<Advance>&) { stations.pass(); });
  while (!follower.is_current()) std::this_thread::yield();
  publish("urn:a");
  hint();
  stations.come[0].get_future().get();
  publish("urn:b");
  hint();
  clock_.leap(2s);  // a heartbeat is due: it is sent before urn:b is heard of, and stands in the queue behind it
  stations.may_go[0].set_value();
  stations.come[1].get_future().get();
  publish("urn:c");
  hint();
  clock_.leap(10s);
  stations.may_go[1].set_value();
  stations.come[2].get_future().get();
  EXPECT_FALSE(follower.is_current()) << "the last heartbeat that was heard is ten seconds old";
  stations.may_go[2].set_value();
  while (!follower.is_current()) std::this_thread::yield();
}

// A database that closes every connection; counts them.
class ClosedDatabase {
 public:
  ClosedDatabase() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder_ + "/.s.PGSQL.5432").copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 100) != 0) {
      throw std::runtime_error("cannot listen in " + folder_);
    }
    accepting_ = std::thread([this] {
      for (int socket = 0; (socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ++connections) {
        ::close(socket);
      }
    });
  }
  ~ClosedDatabase() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
  }

  sql::DatabaseOptions options() const {
    sql::DatabaseOptions options;
    options.url = "postgresql:///courant?host=" + folder_ + "&user=courant&sslmode=disable";
    return options;
  }

  std::atomic<int> connections{0};

 private:
  const test::TemporaryFolder made_;
  const std::string folder_ = made_.path();
  const int listener_;
  std::thread accepting_;
};

TEST(Follower, LeavesADatabaseThatIsAwayInPeaceForMoments) {
  ClosedDatabase closed;
  const sql::Database database(closed.options());
  Directory directory(16);
  const SystemClock clock;
  Follower follower(database, directory, clock, [](const std::vector<Advance>&) {});
  follower.tell(3);
  while (closed.connections < 2) std::this_thread::yield();
  const int before = closed.connections;
  std::this_thread::sleep_for(1s);  // not a wait for something: the more that happens in it the worse
  EXPECT_LT(closed.connections - before, 30);
}

}  // namespace
}  // namespace courant::feeds
