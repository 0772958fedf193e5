// A reader of a chaos run: follows `previous` from the beginning of some feeds, on either server in turn, and holds
// that positions are dense and none comes twice.
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

// Holds that a page shows exactly the positions after `position`, whatever their number, and gives the last one; what
// is broken is added to the findings with `where`.
std::int64_t follow(const Page& page, std::int64_t position, const std::string& where, Findings& findings);

}  // namespace courant::chaos
