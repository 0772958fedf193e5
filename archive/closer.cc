#include "archive/closer.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "archive/pages.h"
#include "archive/queries.h"
#include "feeds/page.h"
#include "kernel/log.h"

namespace courant::archive {
namespace {

using namespace std::chrono_literals;
using LaneAndFeed = std::pair<std::int64_t, std::int64_t>;

constexpr int kNiceness = 10;
constexpr auto kDatabasePause = 1s;
// While publishers wait, at most this part of the time goes into pages, which their readers can render as well.
constexpr int kShareWhileBusy = 20;

}  // namespace

struct Closer::State {
  State(const sql::Database& the_database, feeds::Engine& the_engine, Metrics& metrics)
      : database(the_database),
        engine(the_engine),
        closed(metrics.counter("courant_archive_pages_closed_total", "Archive pages rendered ahead of their readers")) {
  }

  const sql::Database& database;
  feeds::Engine& engine;
  Counter& closed;
  std::atomic<bool> stopping{false};
  std::mutex mutex;  // guards waiting
  std::condition_variable wake;
  std::set<LaneAndFeed> waiting;
  std::thread thread;

  void run() {
    // Readers and publishers go first; on Linux a thread has a niceness of its own.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNiceness);
    std::unique_ptr<sql::Session> session;
    while (!stopping) {
      LaneAndFeed next;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stopping || !waiting.empty(); });
        if (stopping) return;
        next = *waiting.begin();
        waiting.erase(waiting.begin());
      }
      try {
        if (!session) session = database.connect();
        close_pages(*session, {next.first, next.second});
      } catch (const std::exception&) {
        // sql/ has said why. The feed is looked at again; until then its readers render their pages themselves.
        session.reset();
        std::unique_lock lock(mutex);
        waiting.insert(next);
        wake.wait_for(lock, kDatabasePause, [&] { return stopping.load(); });
      }
    }
  }

  // Ends early when the closer stops.
  void rest(Ticks::duration duration) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, duration, [&] { return stopping.load(); });
  }

  void close_pages(sql::Session& session, feeds::FeedKey key) {
    const std::shared_ptr<feeds::LiveFeed> feed = engine.directory().find(key);
    if (!feed) return;
    const std::int64_t size = feed->facts().page_size;
    const sql::Rows rows = session.run(queries::last_page, sql::Parameters().add(key.lane).add(key.feed));
    std::int64_t page = std::max(rows[0].integer(0), feed->state()->floor / size);
    const std::string feed_url = engine.feed_url(feed->facts());
    while (!stopping && page < feeds::complete_pages(feed->head(), size)) {
      const Ticks begin = engine.clock().ticks();
      require_page(session, *feed, ++page, feed_url, engine.options().hub_url, engine.clock().now());
      closed.add();
      if (engine.writer().is_busy()) rest((kShareWhileBusy - 1) * (engine.clock().ticks() - begin));
    }
  }
};

Closer::Closer(const sql::Database& database, feeds::Engine& engine, Metrics& metrics)
    : state_(std::make_unique<State>(database, engine, metrics)) {
  for (const std::shared_ptr<feeds::LiveFeed>& feed : engine.directory().all()) {
    if (feed->head() >= feed->facts().page_size)
      state_->waiting.emplace(feed->facts().key.lane, feed->facts().key.feed);
  }
  state_->thread = std::thread([this] { state_->run(); });
}

Closer::~Closer() {
  stop();
}

void Closer::moved(const std::vector<feeds::Advance>& advances) {
  State& state = *state_;
  bool is_any = false;
  {
    const std::lock_guard lock(state.mutex);
    for (const feeds::Advance& advance : advances) {
      const std::shared_ptr<feeds::LiveFeed> feed = state.engine.directory().find(advance.feed);
      if (!feed) continue;
      const std::int64_t size = feed->facts().page_size;
      if (advance.last / size == (advance.first - 1) / size) continue;  // no page has become complete
      state.waiting.emplace(advance.feed.lane, advance.feed.feed);
      is_any = true;
    }
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
