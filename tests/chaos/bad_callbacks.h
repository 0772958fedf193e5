// Thousands of subscribers that fail at random, and know what they have to be sent: every entry of their feed, in
// order. Threads: what they keep is the callbacks' thread's; counts, positions and "gone" may be read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <string>

#include "tests/chaos/findings.h"
#include "tests/support/callbacks.h"

namespace courant::chaos {

class BadCallbacks {
 public:
  BadCallbacks(int count, int feeds, std::uint32_t seed, Findings& findings);

  int count() const { return static_cast<int>(subscribers_.size()); }
  int feed_of(int subscriber) const { return subscriber % feeds_; }
  std::string callback(int subscriber) const;
  std::int64_t confirmed() const { return callbacks_.confirmed(); }
  std::int64_t taken() const { return taken_; }
  std::int64_t failed() const { return failed_; }
  std::int64_t gone() const { return gone_; }  // have said 410

  // Whether they fail: hang, reset, refuse in several ways, answer by halves or without end, or are gone for good.
  void fail(bool fails) { fails_ = fails; }

  // How many have not said 410 and have not taken everything up to the position of their feed.
  int behind(const std::vector<std::int64_t>& heads) const;

 private:
  struct Subscriber {
    std::atomic<std::int64_t> position{-1};  // everything up to there was taken; -1: nothing was sent
    std::atomic<bool> is_gone{false};
    bool leaves = false;  // says 410 where others fail
  };

  test::CallbackAnswer answer(const test::Delivered& delivered);
  void check(int number, const test::Delivered& delivered, std::int64_t previous, std::int64_t upto);
  test::CallbackAnswer failure(Subscriber& subscriber);

  const int feeds_;
  Findings& findings_;
  std::minstd_rand random_;
  std::deque<Subscriber> subscribers_;
  std::atomic<bool> fails_{false};
  std::atomic<std::int64_t> taken_{0};
  std::atomic<std::int64_t> failed_{0};
  std::atomic<std::int64_t> gone_{0};
  test::Callbacks callbacks_;  // last: it calls answer()
};

}  // namespace courant::chaos
