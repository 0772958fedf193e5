// The follower: how a process hears of commits by others. Hints come by NOTIFY; what moved is read from the journal,
// so a lost hint costs time and never an entry. It proves that it is alive by hearing its own heartbeat, and looks then
// for what no hint has told: what the directory says of heads may be trusted only while is_current().
// Threads: two of its own, one listens, one sends hints; all calls from any thread, none blocks.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "feeds/directory.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::feeds {

class Follower {
 public:
  // Called on the follower's thread when other processes' commits are known.
  using Moved = std::function<void(const std::vector<Advance>&)>;

  Follower(const sql::Database& database, Directory& directory, const Clock& clock, Moved moved);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Whether everything was heard up to a moment less than two seconds ago: memory is at most so far behind.
  bool is_current() const;

  // How long ago that moment was, or the follower began: it grows while the database is not heard.
  Ticks::duration behind() const;

  // This process has written to the journal of a lane: other processes get one coalesced hint.
  void tell(std::int64_t lane);

  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// For a program that is no server: tells all servers to read the journals of lanes. Throws sql::Unavailable.
void tell_servers(const sql::DatabaseOptions& database, const std::set<std::int64_t>& lanes);

}  // namespace courant::feeds
