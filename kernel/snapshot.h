// Snapshot<T>: an immutable value that one writer replaces and any number of threads read without waiting.
// Readers share the value by shared_ptr, so a replaced value lives until its last reader lets go.
// Threads: load from any; store from any, the last one wins.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace courant {

template <class T>
class Snapshot {
 public:
  Snapshot() = default;
  explicit Snapshot(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  std::shared_ptr<const T> load() const { return value_.load(std::memory_order_acquire); }
  void store(std::shared_ptr<const T> value) { value_.store(std::move(value), std::memory_order_release); }

 private:
  std::atomic<std::shared_ptr<const T>> value_;
};

}  // namespace courant
