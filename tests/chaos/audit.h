// After the chaos: reads every feed and holds what is there against what publishers were answered.
// Threads: the calls start some of their own and wait for them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/chaos/caller.h"
#include "tests/chaos/findings.h"
#include "tests/chaos/operations.h"

namespace courant::chaos {

struct Audited {
  std::int64_t positions = 0;  // that are in the logs
  std::int64_t doubtful = 0;   // of them, by operations that never got an answer
  std::int64_t verified = 0;   // feeds whose leaves and chain hold, recomputed from the archive and what follows it
  std::vector<std::int64_t> heads;  // by feed
};

// Every operation that was answered is there once, at its position; there is no gap, nothing twice, and nothing that
// nobody sent; leaves and chains hold on whichever server shows them.
Audited audit(Ports ports, int feeds, const Ledger& ledger, Findings& findings);

// Runs the program's own `courant verify` on a feed of either server.
void run_verify(Ports ports, int feed, const std::string& work, Findings& findings);

}  // namespace courant::chaos
