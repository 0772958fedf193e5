// The closer renders and stores archive pages as they become complete, ahead of the first reader who asks for one.
// Feeds take turns; one whose pages cannot be closed pauses. Threads: moved from any thread; a thread of low priority
// does the work.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "feeds/engine.h"

namespace courant::archive {

class Closer {
 public:
  // The engine must outlive the closer. Feeds that are known when it starts are looked at once.
  Closer(const sql::Database& database, feeds::Engine& engine, Metrics& metrics);
  ~Closer();  // stops
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;

  // Feeds have moved; never blocks. What waits is bounded by the number of feeds.
  void moved(const std::vector<feeds::Advance>& advances);

  // Ends after the page in hand.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::archive
