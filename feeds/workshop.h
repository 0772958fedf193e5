// Threads for work that takes the processor long and waits for nothing: judging and transforming entries. It is
// bounded, and neither io threads nor those that wait for PostgreSQL stand still for it.
//   Posted posted = co_await workshop.run([&] { return read(...); });
// Threads: run from any io coroutine; the work runs on a thread of the workshop, the coroutine resumes on its own.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "kernel/queue.h"

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
  namespace asio = boost::asio;
  using Value = std::invoke_result_t<Work>;
  struct Outcome {
    std::optional<Value> value;
    std::exception_ptr error;
  };
  auto outcome = std::make_shared<Outcome>();
  const auto initiate = [this, &work, outcome](auto handler) {
    // The handler is move-only, std::function is not: it travels by shared_ptr.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    const auto resume = [shared] {
      auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared] { (*shared)(); });
    };
    const bool is_queued = submit([outcome, resume, work = std::move(work)] {
      try {
        outcome->value.emplace(work());
      } catch (...) {
        outcome->error = std::current_exception();
      }
      resume();
    });
    if (!is_queued) resume();
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  if (outcome->value) co_return std::move(*outcome->value);
  if (!outcome->error) throw_overloaded();
  std::rethrow_exception(outcome->error);
}

}  // namespace courant::feeds
