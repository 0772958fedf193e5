// Work that is done again and again on a thread of its own while a test goes on, until it has seen enough or has
// failed: a thread that were left running then would end all tests, and what they have said would be lost. Threads: the
// work's own; else that of the test.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

namespace courant::test {

class Background {
 public:
  explicit Background(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          while (!is_over_) work();
        }) {}
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // What is being done is done to its end.
  void stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

}  // namespace courant::test
