// The writer: group commit by lane. Publishes that wait are gathered, per lane, into one call of the server-side
// function publish_items(); there is no timer: while one call commits, the next batch gathers.
// An outcome is given only when the commit is durable. When a connection dies in the commit, the old backend is ended
// and the same call is repeated under the same name, so the fate of every item is known before it is answered.
// Threads: submit from any; outcomes are called on a writer thread and must not block.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "feeds/prepared_entry.h"
#include "kernel/metrics.h"
#include "sql/database.h"

namespace courant::feeds {

// Which log: the lane and the number within it. Never given again.
struct FeedKey {
  std::int64_t lane = 0;
  std::int64_t feed = 0;
  bool operator==(const FeedKey&) const = default;
};

enum class PublishOutcome {
  kCreated = 1,      // it has a new position
  kSame = 2,         // the same content is stored already, at this position
  kConflict = 3,     // other content is stored under this id, at this position
  kGone = 4,         // the entry was deleted
  kNoFeed = 5,       // the feed does not exist (any more)
  kRefused = 6,      // the database refused this item alone
  kUnknown = 7,      // the database cannot be reached: whether it was stored cannot be known now
  kOverloaded = 8,   // not tried: too much waits, the database has failed meanwhile, or the writer is stopping
  kBatchFailed = 9,  // another entry of its batch failed: nothing of the batch was stored
  kStale = 10,       // the entry or the feed does not stand where it was expected
  kNotFound = 11,    // there is no entry to delete
  kAppended = 12,    // a revision or a deletion has a new position
};

// What is to be done under an id, and what must hold when it is done.
struct Change {
  enum class Kind { kEntry = 1, kRevision = 2, kDeletion = 3 };
  static constexpr std::int64_t kAny = 0;
  static constexpr std::int64_t kNone = -1;  // there must be no such entry
  static constexpr std::int64_t kSome = -2;  // there must be one
  static constexpr std::int64_t kAnywhere = -1;
  static constexpr std::int64_t kNowhere = INT64_MAX;  // nothing is stored; what is there already is found

  Kind kind = Kind::kEntry;
  std::int64_t expected = kAny;   // the entry's newest position
  std::int64_t head = kAnywhere;  // the feed's head
};

// Whether something that was sent with kNowhere for its head is not there yet, so that it would have to be stored.
constexpr bool is_missing(PublishOutcome outcome) {
  return outcome == PublishOutcome::kStale || outcome == PublishOutcome::kNoFeed;
}

// Whether a publish moved its feed.
constexpr bool has_moved(PublishOutcome outcome) {
  return outcome == PublishOutcome::kCreated || outcome == PublishOutcome::kAppended;
}

struct Published {
  PublishOutcome outcome = PublishOutcome::kOverloaded;
  std::int64_t position = 0;
  Instant recorded;
  Instant published;
  Instant updated;
  std::string salt;  // hexadecimal, like leaf and chain
  std::string leaf;
  std::string chain;
};

// What moved by one commit. Both 0: not its head but more of the feed has changed, such as its floor.
struct Advance {
  FeedKey feed;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

struct WriterOptions {
  int threads = 2;                   // lanes commit in parallel, one thread each
  std::size_t max_call_items = 500;  // of one call
  std::size_t max_call_bytes = 8 << 20;
  std::size_t max_waiting_items = 20'000;  // publish floods: more are kOverloaded
  std::size_t max_waiting_bytes = 256 << 20;
  std::chrono::milliseconds patience{5'000};  // how long an unreachable database is tried again, and waited for behind
};

class Writer {
 public:
  using Outcome = std::function<void(const Published&)>;
  using Committed = std::function<void(const std::vector<Advance>&)>;  // at least one, all of one lane

  // After each commit, on the writer thread: `advance` before its outcomes, so that who is answered finds the heads
  // moved; `tell` behind them, since publishers are not to wait until everybody has been told.
  Writer(WriterOptions options, const sql::Database& database, const Clock& clock, Metrics& metrics, Committed advance,
         Committed tell = nullptr);
  ~Writer();  // drains
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // `entry` has its id. The outcome is called exactly once, at once where the writer is full.
  void submit(FeedKey feed, std::shared_ptr<const PreparedEntry> entry, const Change& change, Outcome outcome);

  // All of the entries or none, in their order, as one batch of a feed. is_strict: the same content again is a failure.
  // head: where the feed must stand before the first of them, or Change::kAnywhere.
  // The outcome is called exactly once, with a result for each entry.
  using BatchOutcome = std::function<void(std::vector<Published>)>;
  void submit_batch(FeedKey feed, const std::vector<std::shared_ptr<const PreparedEntry>>& entries, bool is_strict,
                    std::int64_t head, BatchOutcome outcome);

  // Whether entries wait for their group commit or are in one: what can be done later shall be.
  bool is_busy() const;

  // Takes nothing more and finishes what waits.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::feeds
