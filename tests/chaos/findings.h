// What a chaos run has found to be broken, and what it counts.
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace courant::chaos {

class Findings {
 public:
  // A sentence that names what was broken. The first hundred are kept, all are counted.
  void add(std::string broken) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (sentences_.size() < 100) sentences_.push_back(std::move(broken));
  }

  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::vector<std::string> sentences() const {
    const std::lock_guard lock(mutex_);
    return sentences_;
  }

 private:
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  std::vector<std::string> sentences_;
};

struct Counts {
  std::atomic<std::int64_t> entries{0};    // answered with 2xx, also those in batches
  std::atomic<std::int64_t> batches{0};    // among them
  std::atomic<std::int64_t> revisions{0};  // PUTs answered
  std::atomic<std::int64_t> deletions{0};
  std::atomic<std::int64_t> doubts{0};     // tries that got no answer, or 503
  std::atomic<std::int64_t> doubtful{0};   // requests that had such tries
  std::atomic<std::int64_t> unsettled{0};  // of these, without an answer up to the end
  std::atomic<std::int64_t> pages{0};      // read while the chaos went on
  std::atomic<std::int64_t> pushes{0};     // deliveries of the hub
};

}  // namespace courant::chaos
