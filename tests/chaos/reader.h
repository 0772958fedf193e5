// Readers of a chaos run. One follows `previous` from the beginning of some feeds, on either server in turn, and holds
// that positions are dense and none comes twice; another asks for heads with entity tags.
// Threads: run() on one of its own.
#pragma once

#include <atomic>
#include <random>
#include <vector>

#include "tests/chaos/caller.h"
#include "tests/chaos/findings.h"
#include "tests/chaos/operations.h"

namespace courant::chaos {

class Reader {
 public:
  Reader(Ports ports, std::uint32_t seed, std::vector<int> feeds, const std::atomic<bool>& is_over, Findings& findings,
         Counts& counts);

  void run();

 private:
  struct Followed {
    int feed = 0;
    std::string next;  // path and query
    std::int64_t position = 0;
  };
  void read(Followed& followed);

  const std::atomic<bool>& is_over_;
  Findings& findings_;
  Counts& counts_;
  std::mt19937 random_;
  Caller caller_;
  std::vector<Followed> followed_;
};

// Asks one server for the heads of all feeds again and again, with the entity tags that it knows: what is answered from
// memory must not stay behind for ever.
// Threads: run() on one of its own; settle() when that has ended.
class Poller {
 public:
  Poller(Ports ports, int server, int feeds, const std::atomic<bool>& is_over, Findings& findings);

  void run();
  // When everything is quiet: within seconds every feed is seen where it is. heads: by feed; -1 where not known.
  void settle(const std::vector<std::int64_t>& heads);

 private:
  struct Seen {
    std::string tag;
    std::int64_t position = 0;
  };
  void poll(int feed);

  const int server_;
  const std::atomic<bool>& is_over_;
  Findings& findings_;
  Caller caller_;
  std::vector<Seen> seen_;
};

// Holds that a page shows exactly the positions after `position`, whatever their number, and gives the last one; what
// is broken is added to the findings with `where`.
std::int64_t follow(const Page& page, std::int64_t position, const std::string& where, Findings& findings);

}  // namespace courant::chaos
