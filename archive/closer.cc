#include "archive/closer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "archive/background.h"
#include "archive/pages.h"
#include "archive/queries.h"
#include "feeds/page.h"
#include "kernel/log.h"
#include "kernel/priority.h"

namespace courant::archive {
namespace {

using namespace std::chrono_literals;

constexpr auto kFeedPause = 60s;   // of a feed whose pages cannot be closed
constexpr int kPagesAtOnce = 16;   // of a feed, before others have their turn
constexpr auto kLongestWait = 1s;  // between two looks at feeds that pause
// While publishers wait, at most this part of the time goes into pages, which their readers can render as well.
constexpr int kShareWhileBusy = 20;

}  // namespace

struct Closer::State {
  State(const sql::Database& the_database, feeds::Engine& the_engine, Metrics& metrics)
      : database(the_database),
        engine(the_engine),
        closed(metrics.counter("courant_archive_pages_closed_total", "Archive pages rendered ahead of their readers")),
        failures(metrics.counter("courant_archive_failures_total", "Archive pages that could not be closed")),
        waiting_gauge(metrics.gauge("courant_archive_feeds_waiting", "Feeds with archive pages to close")) {}

  const sql::Database& database;
  feeds::Engine& engine;
  Counter& closed;
  Counter& failures;
  Gauge& waiting_gauge;
  std::atomic<bool> stopping{false};
  std::mutex mutex;  // guards waiting
  std::condition_variable wake;
  std::map<LaneAndFeed, Ticks> waiting;  // feeds with pages to close, and from when on they may be looked at
  std::thread thread;

  // The thread's own.
  std::unique_ptr<sql::Session> session;
  LaneAndFeed last{};  // whose turn it was

  void run() {
    give_way(kNiceness);
    while (!stopping) {
      if (!take_next()) continue;
      try {
        if (!session) session = database.connect();
        if (close_pages({last.first, last.second})) wait(last, {});
      } catch (const sql::Unavailable& error) {
        failures.add();
        log_warning("archive pages cannot be closed", {{"reason", error.what()}});
        session.reset();
        wait(last, {});
        rest(kDatabasePause);
      } catch (const std::exception& error) {
        failures.add();
        // Others go on; the readers of this feed render its pages themselves.
        log_warning("the archive pages of a feed cannot be closed",
                    {{"lane", last.first}, {"feed", last.second}, {"reason", error.what()}});
        session.reset();
        wait(last, engine.clock().ticks() + kFeedPause);
      }
    }
  }

  // Ends early when the closer stops.
  void rest(Ticks::duration duration) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, duration, [&] { return stopping.load(); });
  }

  // Feeds have their turns in a round. False: none may be looked at now, after some waiting for one.
  bool take_next() {
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return stopping || !waiting.empty(); });
    if (stopping) return false;
    const Ticks now = engine.clock().ticks();
    const auto is_due = [now](const auto& feed) { return feed.second <= now; };
    const auto middle = waiting.upper_bound(last);
    auto next = std::find_if(middle, waiting.end(), is_due);
    if (next == waiting.end()) next = std::find_if(waiting.begin(), middle, is_due);
    if (next == waiting.end() || !is_due(*next)) {
      wake.wait_for(lock, kLongestWait);
      return false;
    }
    last = next->first;
    waiting.erase(next);
    show_waiting();
    return true;
  }

  // What was said of the feed in the meantime stands.
  void wait(const LaneAndFeed& feed, Ticks from) {
    const std::lock_guard lock(mutex);
    waiting.try_emplace(feed, from);
    show_waiting();
  }

  // Called with the lock held.
  void show_waiting() { waiting_gauge.set(static_cast<double>(waiting.size())); }

  // Whether there are more.
  bool close_pages(feeds::FeedKey key) {
    const std::shared_ptr<feeds::LiveFeed> feed = engine.directory().find(key);
    if (!feed) return false;
    const std::int64_t size = feed->facts().page_size;
    const sql::Rows rows = session->run(queries::last_page, sql::Parameters().add(key.lane).add(key.feed));
    std::int64_t page = std::max(rows[0].integer(0), feed->state()->floor / size);
    const std::string feed_url = engine.feed_url(feed->facts());
    for (int count = 0; !stopping && page < feeds::complete_pages(feed->head(), size); ++count) {
      if (count == kPagesAtOnce) return true;
      const Ticks begin = engine.clock().ticks();
      const auto closed_page =
          require_page(*session, *feed, ++page, feed_url, engine.options().hub_url, engine.clock().now());
      if (!closed_page) return false;
      closed.add();
      if (engine.writer().is_busy()) rest((kShareWhileBusy - 1) * (engine.clock().ticks() - begin));
    }
    return false;
  }

  void wait_for_all() {
    const std::lock_guard lock(mutex);
    for (const std::shared_ptr<feeds::LiveFeed>& feed : engine.directory().all()) {
      if (feed->head() >= feed->facts().page_size) waiting[{feed->facts().key.lane, feed->facts().key.feed}] = {};
    }
    show_waiting();
  }
};

Closer::Closer(const sql::Database& database, feeds::Engine& engine, Metrics& metrics)
    : state_(std::make_unique<State>(database, engine, metrics)) {
  state_->wait_for_all();
  state_->thread = std::thread([this] { state_->run(); });
}

Closer::~Closer() {
  stop();
}

void Closer::moved(const std::vector<feeds::Advance>& advances) {
  State& state = *state_;
  bool is_any = false;  // else nobody is woken: this is called for every commit
  for (const feeds::Advance& advance : advances) {
    // A new generation: the pages of all feeds have gone.
    if (advance.feed.feed == 0) {
      state.wait_for_all();
      is_any = true;
      continue;
    }
    const std::shared_ptr<feeds::LiveFeed> feed = state.engine.directory().find(advance.feed);
    if (!feed) continue;
    const std::int64_t size = feed->facts().page_size;
    if (advance.last / size == (advance.first - 1) / size) continue;  // no page has become complete
    state.wait({advance.feed.lane, advance.feed.feed}, {});
    is_any = true;
  }
  if (is_any) state.wake.notify_all();
}

void Closer::stop() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.stopping = true;
  }
  state.wake.notify_all();
  if (state.thread.joinable()) state.thread.join();
}

}  // namespace courant::archive
