// Snapshot<T>: an immutable value that any thread replaces and any number of threads read.
// Readers share the value by shared_ptr, so a replaced value lives until its last reader lets go. The lock is held for
// the copy of a pointer alone. (std::atomic<std::shared_ptr> would be the same lock, and g++ 12's releases it too
// weakly after a load: ThreadSanitizer shows the race.) Threads: load and store from any; the last store wins.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace courant {

template <class T>
class Snapshot {
 public:
  Snapshot() = default;
  explicit Snapshot(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  std::shared_ptr<const T> load() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void store(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);  // what was there is destroyed outside the lock, with the parameter
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;  // guarded by mutex_
};

}  // namespace courant
