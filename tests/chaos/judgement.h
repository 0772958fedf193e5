// What makes a chaos run fail, apart from what is seen on the way: an answer that the log does not keep, and a run in
// which too little was done to show anything.
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/operations.h"

namespace courant::chaos {

// What is wrong between the answer to an operation and the log, as the end of a sentence about it. found: the position
// at which the log shows it; nullopt: it is not there.
inline std::optional<std::string> fault_of(const Operation& operation, std::optional<std::int64_t> found) {
  if (operation.state == Operation::State::kUnsettled) return std::nullopt;
  if (operation.state == Operation::State::kRefused) {
    if (!found) return std::nullopt;
    return "was refused and is at position " + std::to_string(*found);
  }
  const std::string answered = "was answered at position " + std::to_string(operation.position);
  // Only of a deletion that was sent again (410) it need not be told.
  const bool need_not_be_told = operation.kind == Kind::kDeletion && operation.position == 0;
  if (operation.position < 1 && !need_not_be_told) return "was answered without a position";
  if (!found) return answered + " and is missing";
  if (!need_not_be_told && *found != operation.position) return answered + " and is at " + std::to_string(*found);
  return std::nullopt;
}

struct Done {
  std::int64_t entries = 0;       // answered with 2xx
  std::int64_t disturbances = 0;  // of servers, backends and the cluster
  std::int64_t verified = 0;      // feeds whose leaves and chain hold
  std::int64_t commands = 0;      // runs of `courant verify`
  std::int64_t pages = 0;         // read by those who followed
  std::int64_t pushes = 0;        // taken by subscribers
};

// A sentence for each thing of which too little was done. The floors are far below what a busy machine does.
inline std::vector<std::string> shortfalls(const Done& done, int seconds, int publishers, int feeds) {
  std::vector<std::string> sentences;
  const auto require = [&sentences](std::int64_t count, std::int64_t least, const std::string& what) {
    if (count >= least) return;
    sentences.push_back("only " + std::to_string(count) + " " + what + " where at least " + std::to_string(least) +
                        " are needed: such a run shows nothing");
  };
  require(done.entries, std::max(publishers, seconds), "entries were answered");
  require(done.disturbances, std::max(1, seconds / 6), "disturbances were made");
  require(done.verified, std::min(10, feeds), "feeds were verified");
  require(done.commands, 1, "runs of courant verify were made");
  require(done.pages, 1, "pages were followed");
  require(done.pushes, 1, "pushes were taken");
  return sentences;
}

}  // namespace courant::chaos
