// Threads for work that takes the processor long and waits for nothing: judging and transforming entries. It is
// bounded, and neither io threads nor those that wait for PostgreSQL stand still for it.
//   Posted posted = co_await workshop.run([&] { return read(...); });
// Threads: run from any io coroutine; the work runs on a thread of the workshop, the coroutine resumes on its own.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "kernel/queue.h"
#include "sql/until_called.h"

namespace courant::feeds {

class Workshop {
 public:
  // threads: at least one; they are started with the first work. queue: how many may wait; beyond it run() throws
  // Problem 503 with Retry-After.
  Workshop(int threads, std::size_t queue) : count_(threads), jobs_(queue) {}
  ~Workshop();  // finishes what is queued
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  // What `work` returns (not void), or what it throws.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work>> run(Work work);

  void stop();

 private:
  using Job = std::function<void()>;
  bool submit(Job job);
  [[noreturn]] static void throw_overloaded();

  const int count_;
  BoundedQueue<Job> jobs_;
  std::once_flag started_;
  std::vector<std::thread> threads_;  // made once, by whoever submits first; joined by who stops
};

template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work>> Workshop::run(Work work) {
  using Value = std::invoke_result_t<Work>;
  struct Outcome {
    std::optional<Value> value;
    std::exception_ptr error;
  };
  auto outcome = std::make_shared<Outcome>();
  const auto start = [this, &work, outcome](auto call) {
    const bool is_queued = submit([outcome, call, work = std::move(work)] {
      try {
        outcome->value.emplace(work());
      } catch (...) {
        outcome->error = std::current_exception();
      }
      call();
    });
    if (!is_queued) call();
  };
  co_await sql::until_called(start);
  if (outcome->value) co_return std::move(*outcome->value);
  if (!outcome->error) throw_overloaded();
  std::rethrow_exception(outcome->error);
}

}  // namespace courant::feeds
