#include "feeds/follower.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "feeds/chronicler.h"
#include "feeds/lifecycle.h"
#include "feeds/queries.h"
#include "kernel/digest.h"
#include "kernel/host_name.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "sql/listener.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

constexpr auto kHeartbeat = 1s;
constexpr auto kTrusted = 2s;
constexpr auto kDatabasePause = 200ms;  // while it cannot be reached
constexpr auto kHintPause = 2ms;        // hints of one process are at least this far apart
constexpr std::string_view kChannel = "courant_log";
constexpr std::int64_t kJournalPiece = 1000;  // rows that one read of the journal returns at most

std::vector<std::int64_t> lanes_in(std::string_view list) {
  std::vector<std::int64_t> lanes;
  for (const std::string_view piece : split(list, ',')) {
    if (const auto lane = parse_unsigned(piece)) lanes.push_back(static_cast<std::int64_t>(*lane));
  }
  return lanes;
}

}  // namespace

struct Follower::State {
  State(const sql::Database& the_database, Directory& the_directory, const Clock& the_clock, Moved when_moved)
      : database(the_database),
        directory(the_directory),
        clock(the_clock),
        moved(std::move(when_moved)),
        self(to_hex(random_bytes(8))),
        proved(the_clock.ticks().time_since_epoch().count()) {}

  const sql::Database& database;
  Directory& directory;
  const Clock& clock;
  const Moved moved;
  const std::string self;  // names this process in hints, so that it does not answer its own

  // The last moment up to which everything was heard for certain; 0: none since the connection was made.
  std::atomic<Ticks::rep> heard{0};
  // The last such moment, whatever happened since.
  std::atomic<Ticks::rep> proved;
  std::atomic<bool> stopping{false};

  std::mutex mutex;                 // guards dirty
  std::condition_variable wake;     // something is dirty, or the follower stops; the hinting thread's
  std::condition_variable stopped;  // for threads that pause
  std::set<std::int64_t> dirty;     // lanes that this process has committed on and not told of

  std::map<std::int64_t, std::int64_t>
      sequences;  // of each lane's journal, how far it was read; the listening thread's
  std::thread listening;
  std::thread hinting;

  void listen() {
    bool warned = false;
    while (!stopping) {
      try {
        listen_once();
        warned = false;
      } catch (const std::exception& error) {
        heard = 0;
        if (!warned)
          log_warning("hints from the database are interrupted; heads are asked for", {{"reason", error.what()}});
        warned = true;
        pause(kDatabasePause);
      }
    }
  }

  void trust(Ticks moment) {
    heard = moment.time_since_epoch().count();
    proved = moment.time_since_epoch().count();
  }

  // One connection's life: listen first, then read the journal, then trust.
  void listen_once() {
    const std::unique_ptr<sql::Session> session = database.connect();
    sql::Listener listener(database.options(), std::string(kChannel));
    const Ticks asked = clock.ticks();
    const std::vector<Advance> advances = catch_up_everything(*session);
    trust(asked);
    if (!advances.empty()) moved(advances);  // who is woken finds memory to be trusted again
    Ticks next_beat = asked;
    while (!stopping) {
      if (clock.ticks() >= next_beat) {
        listener.notify(std::string(kChannel), self + " beat");
        next_beat = clock.ticks() + kHeartbeat;
      }
      for (const sql::Notification& notification : listener.wait(100ms)) hear(*session, notification.payload);
    }
  }

  void hear(sql::Session& session, const std::string& payload) {
    const std::size_t space = payload.find(' ');
    if (space == std::string::npos) return;
    const bool own = std::string_view(payload).substr(0, space) == self;
    const std::string_view what = std::string_view(payload).substr(space + 1);
    if (what == "beat") {
      if (own) catch_up_where_behind(session);
      return;
    }
    if (own) return;
    for (const std::int64_t lane : lanes_in(what)) catch_up(session, lane);
  }

  // After a connection was made: what was missed cannot be told from what was not, so every feed is looked at.
  std::vector<Advance> catch_up_everything(sql::Session& session) {
    const bool is_first = sequences.empty();
    const sql::Rows ends = session.run(queries::journal_ends);
    for (int i = 0; i < ends.size(); ++i) sequences[ends[i].integer(0)] = ends[i].integer(1);
    std::vector<Refreshed> all = directory.load_all(session);
    const auto is_behind = [](const Refreshed& feed) {
      return feed.before > feed.stored && feed.feed->head() != feed.stored;
    };
    if (const auto behind = std::find_if(all.begin(), all.end(), is_behind); behind != all.end()) {
      const FeedFacts& facts = behind->feed->facts();
      log_error("the database knows less than this server: it was restored or failed over; a new generation begins",
                {{"feed", facts.workspace + "/" + facts.name}, {"known", behind->before}, {"stored", behind->stored}});
      session.transaction([&] { begin_generation_after(session, *behind); });
      all = directory.load_all(session);
      tell(0);
    }
    std::vector<Advance> advances;
    if (!is_first) advances.push_back({{0, 0}, 0, 0});  // what the journal says of all may have been missed
    for (const Refreshed& feed : all) {
      if (feed.stored > 0) {
        advances.push_back({feed.feed->facts().key, std::min(feed.before + 1, feed.stored), feed.stored});
      }
    }
    return advances;
  }

  // Each process that finds it out comes here; whoever begins the generation says so, for all.
  void begin_generation_after(sql::Session& session, const Refreshed& behind) const {
    const std::int64_t known = behind.feed->state()->generation;
    const Generation generation = begin_generation(session, known, clock.now());
    if (!generation.is_begun_here) return;
    const FeedFacts& facts = behind.feed->facts();
    note_act(session, "server: " + host_name(), "generation-begun", "generation " + std::to_string(generation.number),
             {{"before", known},
              {"feed", facts.workspace + "/" + facts.name},
              {"known", behind.before},
              {"stored", behind.stored}},
             clock.now());
  }

  // Hints may be lost with the process that would have sent them, and a heartbeat may be heard late, with hints behind
  // it: so with each one the journals themselves are asked.
  void catch_up_where_behind(sql::Session& session) {
    const Ticks asked = clock.ticks();
    std::vector<std::int64_t> lanes;
    std::vector<std::int64_t> read;
    for (const auto& [lane, sequence] : sequences) {
      lanes.push_back(lane);
      read.push_back(sequence);
    }
    const sql::Rows behind = session.run(queries::lanes_behind, sql::Parameters().add(lanes).add(read));
    for (int i = 0; i < behind.size(); ++i) catch_up(session, behind[i].integer(0));
    trust(asked);
  }

  void catch_up(sql::Session& session, std::int64_t lane) {
    std::vector<Advance> advances;
    for (;;) {
      const sql::Rows rows = session.run(queries::read_journal, sql::Parameters().add(lane).add(sequences[lane]));
      for (int i = 0; i < rows.size(); ++i) {
        const sql::Row row = rows[i];
        const std::vector<std::int64_t> feeds = row.integers(1);
        const std::vector<std::int64_t> firsts = row.integers(2);
        const std::vector<std::int64_t> lasts = row.integers(3);
        for (std::size_t k = 0; k < feeds.size(); ++k) {
          const FeedKey key{lane, feeds[k]};
          if (lasts[k] == 0) {
            changed(session, key);
            advances.push_back({key, 0, 0});
          } else if (const std::shared_ptr<LiveFeed> feed = known_or_new(session, key)) {
            // Told even where the head is known already: whoever loaded the feed in between has told nobody.
            feed->advance(lasts[k]);
            advances.push_back({key, firsts[k], lasts[k]});
          }
        }
        sequences[lane] = row.integer(0);
      }
      if (rows.size() < kJournalPiece) break;
    }
    if (!advances.empty()) moved(advances);
  }

  // A feed that is not known was made by another process: readers may wait here for it to appear.
  std::shared_ptr<LiveFeed> known_or_new(sql::Session& session, FeedKey key) {
    std::shared_ptr<LiveFeed> known = directory.find(key);
    return known ? known : directory.load(session, key);
  }

  // More of a feed than its head; feed 0: of all of them (sql/functions/feeds.sql, note_changed).
  void changed(sql::Session& session, FeedKey key) {
    if (key.feed == 0) {
      directory.load_all(session);
    } else if (const std::shared_ptr<LiveFeed> feed = directory.find(key)) {
      directory.load(session, feed->facts().workspace, feed->facts().name);
    } else {
      directory.load(session, key);  // made by an act (sql/functions/feeds.sql, change_feed)
    }
  }

  void hint() {
    std::unique_ptr<sql::Session> sender;
    while (!stopping) {
      std::set<std::int64_t> lanes;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return stopping || !dirty.empty(); });
        lanes.swap(dirty);
      }
      if (lanes.empty()) continue;
      std::string payload = self + ' ';
      for (const std::int64_t lane : lanes) payload += std::to_string(lane) + ',';
      try {
        if (!sender) sender = database.connect();
        sender->run(queries::send_hint, sql::Parameters().add(kChannel).add(payload));
        pause(kHintPause);
      } catch (const std::exception&) {
        // Others find what they missed with their next heartbeat.
        sender.reset();
        {
          const std::lock_guard lock(mutex);
          dirty.insert(lanes.begin(), lanes.end());
        }
        pause(kDatabasePause);
      }
    }
  }

  void tell(std::int64_t lane) {
    {
      const std::lock_guard lock(mutex);
      dirty.insert(lane);
    }
    wake.notify_one();
  }

  // Ends early when the follower stops.
  void pause(std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, duration, [&] { return stopping.load(); });
  }
};

Follower::Follower(const sql::Database& database, Directory& directory, const Clock& clock, Moved moved)
    : state_(std::make_unique<State>(database, directory, clock, std::move(moved))) {
  state_->listening = std::thread([this] { state_->listen(); });
  state_->hinting = std::thread([this] { state_->hint(); });
}

Follower::~Follower() {
  stop();
}

bool Follower::is_current() const {
  const Ticks::rep heard = state_->heard;
  if (heard == 0) return false;
  return state_->clock.ticks() - Ticks(Ticks::duration(heard)) < kTrusted;
}

Ticks::duration Follower::behind() const {
  return state_->clock.ticks() - Ticks(Ticks::duration(state_->proved));
}

void Follower::tell(std::int64_t lane) {
  state_->tell(lane);
}

void tell_servers(const sql::DatabaseOptions& database, const std::set<std::int64_t>& lanes) {
  std::string hint = "command ";
  for (const std::int64_t lane : lanes) hint += std::to_string(lane) + ",";
  sql::Listener(database, std::string(kChannel) + "_sender").notify(std::string(kChannel), hint);
}

void Follower::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  state_->stopped.notify_all();
  for (std::thread* thread : {&state_->listening, &state_->hinting}) {
    if (thread->joinable()) thread->join();
  }
}

}  // namespace courant::feeds
