// A subscriber of a chaos run: takes what the hub pushes, refuses some of it, and holds that every position of its feed
// comes at least once and in order, and that no document leaves a gap to the one before.
// Specification: docs/API.md, the hub.
// Threads: any.
#pragma once

#include <mutex>
#include <random>

#include "tests/chaos/findings.h"
#include "tests/support/sink.h"

namespace courant::chaos {

class PushCheck {
 public:
  PushCheck(int feed, std::uint32_t seed, Findings& findings, Counts& counts);

  std::string callback() const { return sink_.url("/cb"); }
  bool is_verified() const;       // the hub has asked for its intent
  std::int64_t position() const;  // up to which everything came

 private:
  test::SinkReply answer(const test::SinkRequest& request);
  test::SinkReply verify(const test::SinkRequest& request);

  const int feed_;
  Findings& findings_;
  Counts& counts_;
  mutable std::mutex mutex_;  // guards down to position_
  std::mt19937 random_;
  std::int64_t position_ = -1;  // -1: not verified yet
  test::Sink sink_;             // last: its threads use all of the above
};

}  // namespace courant::chaos
