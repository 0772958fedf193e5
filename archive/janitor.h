// The janitor: retention by age and by count, deletion of feeds in which nothing happens (expire_idle), and the removal
// of what the floors of feeds have passed: entries, their ids and terms, archive pages, old rows of the journal; and
// the removal of media that no entry names. Of all processes over one database one works, by an advisory lock; the
// others wait for it to end. What it removes, it removes in pieces small enough that publishing does not notice.
// Threads: one of its own, of low priority, with its own connection; calls from any thread, none blocks.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "feeds/engine.h"
#include "kernel/metrics.h"
#include "sql/database.h"

namespace courant::archive {

struct JanitorOptions {
  std::chrono::milliseconds tick{1'000};                           // between two looks at what is due
  std::chrono::milliseconds takeover{5'000};                       // between two tries to become the one that works
  std::chrono::milliseconds journal_kept{std::chrono::hours(24)};  // longer than any server may be without a connection
  std::int64_t vacuum_after = 20'000;                              // dropped entries
};

class Janitor {
 public:
  Janitor(const sql::Database& database, feeds::Engine& engine, Metrics& metrics, JanitorOptions options = {});
  ~Janitor();  // stops
  Janitor(const Janitor&) = delete;
  Janitor& operator=(const Janitor&) = delete;

  // These feeds have grown or changed: retention may have something to drop.
  void moved(const std::vector<feeds::Advance>& advances);

  // Gives up what is being done, a vacuum in the middle of it, too.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::archive
