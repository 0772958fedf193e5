#include "archive/janitor.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "archive/background.h"
#include "archive/queries.h"
#include "feeds/chronicler.h"
#include "feeds/lifecycle.h"
#include "kernel/host_name.h"
#include "kernel/log.h"
#include "kernel/priority.h"

namespace courant::archive {
namespace {

using namespace std::chrono_literals;

constexpr auto kPieceTime = 20ms;  // for one piece, of which publishers wait for a part
constexpr std::int64_t kLeastPiece = 50;
constexpr std::int64_t kMostPiece = 1'000;
constexpr auto kJournalPause = 60s;
constexpr auto kLongestIdlePause = 60s;
constexpr auto kPauseOfFailed = 60s;  // before a feed that cannot be looked after is looked at again

// The age that retention looks at, of a feed that keeps entries by age.
std::optional<std::chrono::seconds> age_of(const feeds::FeedState& state) {
  return state.settings.retain.age > 0s ? std::optional(state.settings.retain.age) : std::nullopt;
}

}  // namespace

struct Janitor::State {
  State(const sql::Database& the_database, feeds::Engine& the_engine, Metrics& metrics, JanitorOptions the_options)
      : database(the_database),
        engine(the_engine),
        options(the_options),
        dropped(metrics.counter("courant_entries_dropped_total", "Entries removed behind the floors of their feeds")),
        expired(metrics.counter("courant_feeds_expired_total", "Feeds deleted because nothing was stored in them")),
        interruptions(metrics.counter("courant_janitor_interruptions_total", "Rounds of the janitor that failed")),
        working(metrics.gauge("courant_janitor_working", "1: of all processes, this one removes what is too old")) {}

  const sql::Database& database;
  feeds::Engine& engine;
  const JanitorOptions options;
  Counter& dropped;
  Counter& expired;
  Counter& interruptions;
  Gauge& working;
  std::atomic<bool> stopping{false};
  std::mutex mutex;  // guards grown and changed
  std::condition_variable wake;
  std::set<LaneAndFeed> grown;    // feeds whose retention is to be looked at
  std::set<LaneAndFeed> changed;  // feeds whose floor may have been raised by others

  // The thread's own; whoever stops it cuts it.
  std::mutex session_mutex;  // guards which session it is
  std::unique_ptr<sql::Session> session;
  bool is_chosen = false;                 // this process holds the lock: it is the one that works
  std::map<LaneAndFeed, Ticks> resting;   // feeds that failed, until they are tried again
  std::map<LaneAndFeed, Ticks> due;       // when the oldest entries of a feed become too old
  std::map<std::string, Ticks> idle_due;  // by workspace: when its feeds are looked at again
  std::set<LaneAndFeed> leftovers;        // feeds that may have rows behind their floor
  // Up to where nothing is left of a feed: what was dropped lies in the indexes until the next vacuum, and looking from
  // the beginning would step over all of it.
  std::map<LaneAndFeed, std::int64_t> dropped_to;
  Ticks journal_due{};
  std::int64_t piece = 200;
  std::int64_t since_vacuum = 0;
  Ticks vacuum_due{};  // before everything is dropped, the next one
  Ticks erased_due{};  // when it is looked at again whether something was erased
  std::thread thread;

  void run() {
    give_way(kNiceness);
    while (!stopping) {
      std::chrono::milliseconds rest = options.tick;
      try {
        if (!session) connect();
        if (is_chosen) {
          work();
        } else {
          rest = options.takeover;
        }
      } catch (const std::exception& error) {
        // Nothing is lost by waiting: what is due stays due. A connection that broke has given the lock back.
        if (!stopping) interruptions.add();
        if (!stopping) log_warning("the janitor was interrupted", {{"reason", error.what()}});
        use(nullptr);
        rest = kDatabasePause;
      }
      pause(rest);
      if (!is_chosen && session) use(nullptr);
    }
  }

  void use(std::unique_ptr<sql::Session> other) {
    const std::lock_guard lock(session_mutex);
    session = std::move(other);
  }

  void connect() {
    use(database.connect());
    // One that came after the other was cut.
    if (stopping) throw sql::Unavailable("the janitor stops", false);
    // Before waiting without end: a vacuum may take hours. What is cut in the middle of one would keep its locks.
    session->execute_script("set client_connection_check_interval = '1s'");
    session->wait_without_end();
    is_chosen = session->run(queries::become_janitor)[0].boolean(0);
    working.set(is_chosen ? 1 : 0);
    if (!is_chosen) return;
    resting.clear();
    due.clear();
    idle_due.clear();
    leftovers.clear();
    dropped_to.clear();
    const sql::Rows rows = session->run(queries::list_leftovers);
    for (int i = 0; i < rows.size(); ++i) leftovers.emplace(rows[i].integer(0), rows[i].integer(1));
    const std::lock_guard lock(mutex);
    for (const auto& feed : engine.directory().all()) grown.insert({feed->facts().key.lane, feed->facts().key.feed});
  }

  void work() {
    apply_retention();
    expire_idle();
    drop_leftovers();
    clear_erased();
    settle_media();
    prune_journal();
  }

  // False: it failed, which is a matter of this feed or workspace alone: the others have their turn. What has to do
  // with the database as a whole ends the round.
  bool try_to(const std::string& look_after, const std::function<void()>& work) {
    try {
      work();
      return true;
    } catch (const sql::Unavailable&) {
      throw;
    } catch (const std::exception& error) {
      if (!session->is_usable()) throw;
      interruptions.add();
      log_warning("the janitor cannot look after something", {{"what", look_after}, {"reason", error.what()}});
      return false;
    }
  }

  bool try_feed(const LaneAndFeed& key, const std::function<void()>& work) {
    const auto feed = engine.directory().find({key.first, key.second});
    const std::string name = feed ? feeds::full_name(feed->facts().workspace, feed->facts().name)
                                  : std::to_string(key.first) + "/" + std::to_string(key.second);
    const bool is_done = try_to("feed " + name, work);
    if (!is_done) resting[key] = engine.clock().ticks() + kPauseOfFailed;
    return is_done;
  }

  bool rests(const LaneAndFeed& key) {
    const auto found = resting.find(key);
    if (found == resting.end()) return false;
    if (found->second > engine.clock().ticks()) return true;
    resting.erase(found);
    return false;
  }

  void apply_retention() {
    std::set<LaneAndFeed> looked_at;
    {
      const std::lock_guard lock(mutex);
      looked_at.swap(grown);
      leftovers.merge(changed);
      changed.clear();
    }
    const Ticks now = engine.clock().ticks();
    for (const auto& [key, when] : due) {
      if (when <= now) looked_at.insert(key);
    }
    for (const LaneAndFeed& key : looked_at) {
      if (stopping) return;
      if (rests(key)) continue;
      due.erase(key);
      const auto feed = engine.directory().find({key.first, key.second});
      if (!feed || try_feed(key, [&] { apply_retention(key, *feed); })) continue;
      due[key] = resting[key];
    }
  }

  void apply_retention(const LaneAndFeed& key, const feeds::LiveFeed& feed) {
    const std::shared_ptr<const feeds::FeedState> state = feed.state();
    const std::int64_t size = feed.facts().page_size;
    std::int64_t floor = state->floor;
    if (const std::int64_t kept = state->settings.retain.entries; kept > 0 && feed.head() - floor >= kept + size) {
      floor = raise_floor(key, feed, feed.head() - kept);
    }
    const std::optional<std::chrono::seconds> age = age_of(*state);
    if (!age) return;
    const Instant cutoff = engine.clock().now() - *age;
    sql::Parameters parameters;
    parameters.add(key.first).add(key.second).add(cutoff);
    const std::int64_t old = session->run(queries::position_at, parameters)[0].integer(0);
    if (old - old % size > floor) floor = raise_floor(key, feed, old);
    // The next page goes when its last entry is too old; one that is not complete yet will be older than now.
    const sql::Rows rows =
        session->run(queries::recorded_at, sql::Parameters().add(key.first).add(key.second).add(floor + size));
    const Instant last = rows.empty() ? engine.clock().now() : rows[0].instant(0);
    const auto left = std::chrono::duration_cast<Ticks::duration>(last - cutoff);
    due[key] = engine.clock().ticks() + std::max<Ticks::duration>(left, 1ms);
  }

  std::int64_t raise_floor(const LaneAndFeed& key, const feeds::LiveFeed& feed, std::int64_t upto) {
    sql::Parameters parameters;
    parameters.add(key.first).add(key.second).add(upto).add(engine.clock().now());
    const std::int64_t floor = session->run(queries::raise_floor, parameters)[0].integer(0);
    engine.directory().load(*session, feed.facts().workspace, feed.facts().name);
    engine.follower().tell(key.first);
    leftovers.insert(key);
    return floor;
  }

  void expire_idle() {
    for (const auto& [workspace, settings] : engine.options().workspaces) {
      if (settings.expire_idle <= 0s || stopping) continue;
      Ticks& when = idle_due[workspace];
      const Ticks now = engine.clock().ticks();
      if (when > now) continue;
      const auto tenth = std::chrono::duration_cast<Ticks::duration>(settings.expire_idle) / 10;
      when = now + std::min<Ticks::duration>(tenth, kLongestIdlePause);
      const bool is_done = try_to("workspace " + workspace,
                                  [&, &name = workspace, &idle = settings.expire_idle] { expire_idle(name, idle); });
      if (!is_done) when = now + kLongestIdlePause;
    }
  }

  void expire_idle(const std::string& workspace, std::chrono::seconds idle) {
    const Instant since = engine.clock().now() - idle;
    const sql::Rows rows = session->run(queries::list_idle, sql::Parameters().add(workspace).add(since));
    for (int i = 0; i < rows.size() && !stopping; ++i) {
      const std::int64_t lane = rows[i].integer(0);
      const std::string name(rows[i].text(2));
      bool is_deleted = false;
      session->transaction([&] {
        const Instant now = engine.clock().now();
        is_deleted = feeds::delete_feed(*session, lane, workspace, name, since, now);
        if (!is_deleted) return;
        feeds::note_act(*session, "server: " + host_name(), "feed-deleted", feeds::full_name(workspace, name),
                        {{"idle_since", format_rfc3339(since)}}, now);
      });
      if (!is_deleted) continue;
      log_info("a feed in which nothing happened was deleted", {{"feed", workspace + "/" + name}});
      engine.directory().load(*session, workspace, name);
      engine.follower().tell(lane);
      expired.add();
      leftovers.emplace(lane, rows[i].integer(1));
    }
  }

  void drop_leftovers() {
    for (const LaneAndFeed& key : std::set<LaneAndFeed>(leftovers)) {
      if (stopping) break;
      if (rests(key)) continue;
      bool is_left = true;
      try_feed(key, [&] {
        while (!stopping && is_left) {
          is_left = drop_piece(key);
          if (engine.clock().ticks() >= vacuum_due) vacuum();
        }
      });
      if (!is_left) leftovers.erase(key);
    }
    vacuum();
  }

  // What was dropped makes room for what comes, so that the tables do not grow; gently, since nobody waits for it.
  // While much is dropped it has a fifth of the time at most, since it reads whole indexes however little there is to
  // remove.
  void vacuum() {
    if (since_vacuum < options.vacuum_after || stopping) return;
    since_vacuum = 0;
    dropped_to.clear();
    const Ticks begin = engine.clock().ticks();
    for (const char* const table : {"entries", "entry_terms", "entry_ids", "archive_pages", "media_pieces"}) {
      if (!stopping) session->execute_script(std::string("vacuum ") + table);
    }
    const Ticks end = engine.clock().ticks();
    vacuum_due = end + 4 * (end - begin);
  }

  // Together, however many redactions there were since, and for a fifth of the time at most.
  void clear_erased() {
    const Ticks begin = engine.clock().ticks();
    if (erased_due > begin || stopping) return;
    const bool is_done = try_to("what was erased", [&] { feeds::clear_erased(*session); });
    const Ticks end = engine.clock().ticks();
    erased_due = is_done ? end + 4 * (end - begin) : end + kPauseOfFailed;
  }

  // False: nothing is left behind the feed's floor.
  bool drop_piece(const LaneAndFeed& key) {
    const std::int64_t after = dropped_to[key];
    const Ticks begin = engine.clock().ticks();
    sql::Parameters parameters;
    parameters.add(key.first).add(key.second).add(after).add(piece);
    const sql::Rows rows = session->run(queries::forget_ids, parameters);
    if (rows[0].is_null(0)) return false;
    const std::int64_t upto = rows[0].integer(0);
    session->run(queries::drop_rows, sql::Parameters().add(key.first).add(key.second).add(after).add(upto));
    const auto took = engine.clock().ticks() - begin;
    dropped_to[key] = upto;
    const std::int64_t count = std::min(piece, upto - after);
    dropped.add(static_cast<double>(count));
    since_vacuum += count;
    piece = std::clamp(took > kPieceTime ? piece / 2 : piece + piece / 4, kLeastPiece, kMostPiece);
    pause(std::chrono::ceil<std::chrono::milliseconds>(took));  // others have as much time of the database as this took
    return true;
  }

  // Bytes that no entry names (any more): an upload whose entry was never published, one that others have taken the
  // place of, those of deleted and dropped entries.
  void settle_media() {
    for (int count = 1; count > 0 && !stopping;) {
      const Instant now = engine.clock().now();
      const sql::Rows rows = session->run(queries::list_media_doubts, sql::Parameters().add(now));
      count = rows.size();
      for (int i = 0; i < count && !stopping; ++i) {
        sql::Parameters parameters;
        parameters.add(rows[i].integer(0)).add(rows[i].integer(1)).add(rows[i].text(2)).add(now);
        session->run(queries::settle_media, parameters);
      }
    }
  }

  void prune_journal() {
    const Ticks now = engine.clock().ticks();
    if (journal_due > now) return;
    journal_due = now + kJournalPause;
    sql::Parameters parameters;
    parameters.add(engine.clock().now() - options.journal_kept);
    session->run(queries::prune_journal, parameters);
  }

  // Ends early when the janitor stops.
  void pause(std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, duration, [&] { return stopping.load(); });
  }
};

Janitor::Janitor(const sql::Database& database, feeds::Engine& engine, Metrics& metrics, JanitorOptions options)
    : state_(std::make_unique<State>(database, engine, metrics, options)) {
  state_->thread = std::thread([this] { state_->run(); });
}

Janitor::~Janitor() {
  stop();
}

void Janitor::moved(const std::vector<feeds::Advance>& advances) {
  State& state = *state_;
  for (const feeds::Advance& advance : advances) {
    if (advance.last == 0) {
      const std::lock_guard lock(state.mutex);
      state.changed.emplace(advance.feed.lane, advance.feed.feed);
      state.grown.emplace(advance.feed.lane, advance.feed.feed);  // what it keeps may be less now
      continue;
    }
    const std::shared_ptr<feeds::LiveFeed> feed = state.engine.directory().find(advance.feed);
    if (!feed || feed->state()->settings.retain == feeds::Retention{}) continue;
    const std::int64_t size = feed->facts().page_size;
    if (advance.last / size == (advance.first - 1) / size) continue;  // no page has become complete
    const std::lock_guard lock(state.mutex);
    state.grown.emplace(advance.feed.lane, advance.feed.feed);
  }
}

void Janitor::stop() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.stopping = true;
  }
  state.wake.notify_all();
  if (!state.thread.joinable()) return;
  {
    const std::lock_guard lock(state.session_mutex);
    if (state.session) state.session->cut();
  }
  state.thread.join();
}

}  // namespace courant::archive
