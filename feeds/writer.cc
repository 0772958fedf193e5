#include "feeds/writer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "feeds/publish_call.h"
#include "feeds/queries.h"
#include "kernel/log.h"

namespace courant::feeds {
namespace {

Published without_position(PublishOutcome outcome) {
  Published result;
  result.outcome = outcome;
  return result;
}

std::size_t bytes_of_item(const PreparedEntry& entry) {
  return entry.before_times.size() + entry.after_times.size() + 256;
}

// Whether an id would stand twice in a call that revises or deletes it: publish_items() cannot tell that apart.
bool meets_itself(const std::vector<PublishItem>& items, const PublishItem& next, bool has_changes) {
  const bool is_change = next.change.kind != Change::Kind::kEntry;
  if (!is_change && !has_changes) return false;
  return std::any_of(items.begin(), items.end(), [&](const PublishItem& item) {
    return (is_change || item.change.kind != Change::Kind::kEntry) && item.feed == next.feed &&
           item.entry->id == next.entry->id;
  });
}

// A connection that a writer thread keeps, and what ends the process behind it should it die.
class Connection {
 public:
  explicit Connection(const sql::Database& database) : database_(database) {}

  // Throws Unavailable where none can be made.
  sql::Session& session() {
    if (session_ && session_->is_usable_at_rest()) return *session_;
    session_.reset();
    auto fresh = database_.connect();
    if (backend_ && is_alive(*fresh)) throw sql::Unavailable("the old backend has not ended yet", false);
    const sql::Rows own = fresh->run(queries::own_backend);
    backend_ = Backend{own[0].integer(0), own[0].instant(1)};
    session_ = std::move(fresh);
    return *session_;
  }

  // The connection is not to be used again; the next session() first makes sure that its backend is gone, so that a
  // statement still on its way cannot be carried out later.
  void discard() { session_.reset(); }

 private:
  struct Backend {
    std::int64_t pid;
    Instant started;
  };

  bool is_alive(sql::Session& fresh) {
    return !fresh.run(queries::end_backend, sql::Parameters().add(backend_->pid).add(backend_->started)).empty();
  }

  const sql::Database& database_;
  std::unique_ptr<sql::Session> session_;
  std::optional<Backend> backend_;
};

}  // namespace

struct Writer::State {
  State(WriterOptions writer_options, const sql::Database& the_database, const Clock& the_clock, Metrics& metrics,
        Committed advance_heads, Committed tell_others)
      : options(writer_options),
        database(the_database),
        clock(the_clock),
        advance(std::move(advance_heads)),
        tell(std::move(tell_others)),
        calls(metrics.counter("courant_publish_calls_total", "Publish transactions, each a group commit of one lane")),
        entries(metrics.counter("courant_entries_published_total", "Entries that got a position")),
        repeats(metrics.counter("courant_publish_repeats_total", "Publish calls repeated because the database failed")),
        waiting_gauge(metrics.gauge("courant_publish_waiting", "Entries that wait for their group commit")),
        turned_away(metrics.counter("courant_publish_refused_total", "Publishings answered 503 since too many wait")),
        batch_entries(metrics.histogram("courant_publish_batch_entries", "Entries of one group commit",
                                        {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000})),
        commit_seconds(
            metrics.histogram("courant_publish_commit_seconds", "How long a group commit took, with its repeats",
                              {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30})) {}

  const WriterOptions options;
  const sql::Database& database;
  const Clock& clock;
  const Committed advance;
  const Committed tell;
  Counter& calls;
  Counter& entries;
  Counter& repeats;
  Gauge& waiting_gauge;
  Counter& turned_away;
  Histogram& batch_entries;
  Histogram& commit_seconds;

  std::mutex mutex;                 // guards everything down to `stopping`
  std::condition_variable ready;    // a lane that nobody knows of has something, or the writer stops
  std::condition_variable stopped;  // for threads that pause between two tries
  std::map<std::int64_t, std::deque<PublishItem>> waiting;  // by lane
  std::set<std::int64_t> busy;                              // lanes with a call under way
  std::int64_t last_taken = -1;                             // lanes take turns: none waits for the busiest
  std::size_t waiting_items = 0;
  std::size_t waiting_bytes = 0;
  bool stopping = false;

  std::atomic<std::int64_t> groups{0};  // numbers of batches
  std::vector<std::thread> threads;

  // The lane to serve next: the first after the last one that has waiting items and no call under way.
  std::map<std::int64_t, std::deque<PublishItem>>::iterator free_lane() {
    auto it = waiting.upper_bound(last_taken);
    for (std::size_t seen = 0; seen < waiting.size(); ++seen) {
      if (it == waiting.end()) it = waiting.begin();
      if (!busy.contains(it->first)) return it;
      ++it;
    }
    return waiting.end();
  }

  // Waits for a lane, takes a batch of it and marks it busy; nullopt: stopping, and nothing is left.
  std::optional<PublishCall> take() {
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return free_lane() != waiting.end() || (stopping && waiting.empty()); });
    const auto lane = free_lane();
    if (lane == waiting.end()) return std::nullopt;
    std::vector<PublishItem> items;
    std::size_t bytes = 0;
    const auto goes_on_with_batch = [&] {
      return !items.empty() && items.back().group != 0 && items.back().group == lane->second.front().group;
    };
    bool has_changes = false;
    const auto has_room = [&] { return items.size() < options.max_call_items && bytes < options.max_call_bytes; };
    // A batch goes into a call whole, so all of it must be allowed there.
    const auto may_join = [&] {
      const auto first = lane->second.begin();
      const auto end = first->group == 0 ? first + 1 : std::find_if(first, lane->second.end(), [&](const auto& item) {
        return item.group != first->group;
      });
      return std::none_of(first, end, [&](const auto& item) { return meets_itself(items, item, has_changes); });
    };
    while (!lane->second.empty() && (goes_on_with_batch() || (has_room() && may_join()))) {
      bytes += lane->second.front().bytes;
      has_changes = has_changes || lane->second.front().change.kind != Change::Kind::kEntry;
      items.push_back(std::move(lane->second.front()));
      lane->second.pop_front();
    }
    waiting_items -= items.size();
    waiting_bytes -= bytes;
    waiting_gauge.set(static_cast<double>(waiting_items));
    const std::int64_t number = lane->first;
    if (lane->second.empty()) waiting.erase(lane);
    last_taken = number;
    busy.insert(number);
    lock.unlock();
    return make_call(number, std::move(items), clock.now());
  }

  // The thread that releases a lane takes the next one itself: others need not be woken for it.
  void release(std::int64_t lane) {
    const std::lock_guard lock(mutex);
    busy.erase(lane);
    if (stopping) ready.notify_all();
  }

  void work() {
    Connection connection(database);
    while (std::optional<PublishCall> call = take()) {
      const std::int64_t lane = call->lane;
      carry_out(connection, *call);
      release(lane);
    }
  }

  void carry_out(Connection& connection, PublishCall& call) {
    const Ticks begun = clock.ticks();
    const Ticks give_up = begun + options.patience;
    bool repeated = false;
    for (;;) {
      try {
        const std::vector<Published> results = run_call(connection.session(), call, repeated, clock.now());
        commit_seconds.observe(std::chrono::duration<double>(clock.ticks() - begun).count());
        batch_entries.observe(static_cast<double>(call.items.size()));
        return answer(call, results);
      } catch (const sql::Refused& refused) {
        return carry_out_one_by_one(connection, call, refused);
      } catch (const sql::Unavailable& unavailable) {
        connection.discard();
        repeated = repeated || unavailable.in_doubt();
        repeats.add();
        if (clock.ticks() >= give_up) {
          log_error("publishing failed: the database cannot be reached", {{"lane", call.lane}});
          for (const PublishItem& item : call.items) item.outcome(without_position(PublishOutcome::kUnknown));
          return turn_away_submitted_until(clock.ticks() - options.patience);
        }
        pause();
      }
    }
  }

  // The database has failed for as long as it is tried again: whoever has waited as long need not wait until it has
  // failed a call of theirs.
  void turn_away_submitted_until(Ticks last) {
    std::vector<PublishItem> late;
    {
      const std::lock_guard lock(mutex);
      for (auto& [lane, items] : waiting) {
        while (!items.empty() && items.front().submitted <= last) {
          waiting_bytes -= items.front().bytes;
          late.push_back(std::move(items.front()));
          items.pop_front();
        }
      }
      std::erase_if(waiting, [](const auto& lane) { return lane.second.empty(); });
      waiting_items -= late.size();
      waiting_gauge.set(static_cast<double>(waiting_items));
    }
    for (const PublishItem& item : late) item.outcome(without_position(PublishOutcome::kOverloaded));
  }

  // The database refused the whole statement (SQLSTATE classes 22, 23, 54): only the guilty item shall fail.
  void carry_out_one_by_one(Connection& connection, PublishCall& call, const sql::Refused& refused) {
    log_error("the database refused a publish call", {{"state", refused.state()}, {"lane", call.lane}});
    std::vector<std::vector<PublishItem>> units;  // each an item alone or a batch
    for (PublishItem& item : call.items) {
      const bool is_same = !units.empty() && item.group != 0 && units.back().back().group == item.group;
      if (!is_same) units.emplace_back();
      units.back().push_back(std::move(item));
    }
    if (units.size() == 1) {
      for (const PublishItem& item : units.front()) item.outcome(without_position(PublishOutcome::kRefused));
      return;
    }
    for (std::vector<PublishItem>& unit : units) {
      PublishCall single = make_call(call.lane, std::move(unit), clock.now());
      carry_out(connection, single);
    }
  }

  // False: too much waits. Takes all of the items or none.
  bool put(std::int64_t lane, std::vector<PublishItem> items) {
    std::size_t bytes = 0;
    const Ticks submitted = clock.ticks();
    for (PublishItem& item : items) {
      bytes += item.bytes;
      item.submitted = submitted;
    }
    bool is_news = false;  // to a thread that waits: else one knows of the lane, or is at work on it
    {
      const std::lock_guard lock(mutex);
      const bool fits = waiting_items + items.size() <= options.max_waiting_items &&
                        waiting_bytes + bytes <= options.max_waiting_bytes;
      if (!fits) turned_away.add();
      if (!fits || stopping) return false;
      waiting_items += items.size();
      waiting_bytes += bytes;
      std::deque<PublishItem>& queue = waiting[lane];
      is_news = queue.empty() && !busy.contains(lane);
      std::move(items.begin(), items.end(), std::back_inserter(queue));
    }
    if (is_news) ready.notify_one();
    return true;
  }

  void answer(const PublishCall& call, const std::vector<Published>& results) {
    const std::vector<Advance> advances = advances_of(call, results);
    calls.add();
    for (const Advance& moved : advances) entries.add(static_cast<double>(moved.last - moved.first + 1));
    if (!advances.empty()) advance(advances);
    for (std::size_t i = 0; i < results.size(); ++i) call.items[i].outcome(results[i]);
    if (!advances.empty() && tell) tell(advances);
  }

  // Between two tries on a database that is down: a stop does not wait for it.
  void pause() {
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, std::chrono::milliseconds(100), [&] { return stopping; });
  }
};

Writer::Writer(WriterOptions options, const sql::Database& database, const Clock& clock, Metrics& metrics,
               Committed advance, Committed tell)
    : state_(std::make_unique<State>(options, database, clock, metrics, std::move(advance), std::move(tell))) {
  for (int i = 0; i < options.threads; ++i) state_->threads.emplace_back([this] { state_->work(); });
}

Writer::~Writer() {
  stop();
}

void Writer::submit(FeedKey feed, std::shared_ptr<const PreparedEntry> entry, const Change& change, Outcome outcome) {
  std::vector<PublishItem> items;
  const std::size_t bytes = bytes_of_item(*entry);
  items.push_back({feed, std::move(entry), outcome, bytes, 0, false, change});
  if (!state_->put(feed.lane, std::move(items))) outcome(without_position(PublishOutcome::kOverloaded));
}

void Writer::submit_batch(FeedKey feed, const std::vector<std::shared_ptr<const PreparedEntry>>& entries,
                          bool is_strict, std::int64_t head, BatchOutcome outcome) {
  // The items of a batch are carried out in one call, so their outcomes come one after the other on one thread.
  struct Gathered {
    std::vector<Published> results;
    BatchOutcome outcome;
  };
  const auto gathered = std::make_shared<Gathered>(Gathered{{}, outcome});
  const std::size_t count = entries.size();
  const Outcome one = [gathered, count](const Published& result) {
    gathered->results.push_back(result);
    if (gathered->results.size() == count) gathered->outcome(std::move(gathered->results));
  };
  const std::int64_t group = ++state_->groups;
  Change change;
  change.head = head;
  std::vector<PublishItem> items;
  for (const auto& entry : entries) {
    items.push_back({feed, entry, one, bytes_of_item(*entry), group, is_strict, change});
  }
  if (state_->put(feed.lane, std::move(items))) return;
  outcome(std::vector<Published>(count, without_position(PublishOutcome::kOverloaded)));
}

bool Writer::is_busy() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting_items > 0 || !state_->busy.empty();
}

void Writer::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->ready.notify_all();
  state_->stopped.notify_all();
  for (std::thread& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace courant::feeds
