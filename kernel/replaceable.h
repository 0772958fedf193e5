// Replaceable<T>: a value that is read all the time and replaced once in a while, as settings are. Readers take no lock
// and may keep a reference as long as this lives: earlier values stay until the end, so what is replaced must be small
// and the occasions few.
// Threads: reading from any; replace() from any, the last one wins.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace courant {

template <class T>
class Replaceable {
 public:
  explicit Replaceable(T value) { replace(std::move(value)); }

  const T& operator*() const { return *current_.load(std::memory_order_acquire); }
  const T* operator->() const { return current_.load(std::memory_order_acquire); }

  void replace(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::make_unique<const T>(std::move(value)));
    current_.store(values_.back().get(), std::memory_order_release);
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<const T>> values_;  // guarded by mutex_
  std::atomic<const T*> current_{nullptr};
};

}  // namespace courant
