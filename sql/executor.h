// Executor: the threads that wait for PostgreSQL so that io threads need not.
//   Rows rows = co_await executor.run([=](Session& session) { return session.run(kQuery, parameters); });
// Threads: run from any io coroutine; the work runs on a pool thread, the coroutine resumes on its own io thread.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "kernel/metrics.h"
#include "sql/database.h"
#include "sql/until_called.h"

namespace courant::sql {

class Executor {
 public:
  // threads: each takes one session of the database's pool while it works.
  // queue: how many may wait; when it is full, run throws Problem 503 with Retry-After.
  // metrics: where set, they show the executor under the name `pool`.
  Executor(Database& database, int threads, std::size_t queue, Metrics* metrics = nullptr,
           const std::string& pool = {});
  ~Executor();  // finishes what is queued
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // What `work` returns (not void), or what it throws; Unavailable arrives as Problem 503 with Retry-After.
  template <class Work>
  boost::asio::awaitable<std::invoke_result_t<Work, Session&>> run(Work work);

  // The plain form, for callers that are no coroutines: `work` runs once on a pool thread with a session, or, where
  // none can be had or the work waited longer than the database's watch lets it wait for an answer, `failed` runs there
  // with the exception. False: the queue is full and neither will run.
  bool submit(std::function<void(Session&)> work, std::function<void(std::exception_ptr)> failed);

  // Whether much more work waits than there are threads for it. Takes the lock of the queue.
  bool is_behind() const;

  void stop();

 private:
  [[noreturn]] static void throw_overloaded();
  [[noreturn]] static void rethrow(std::exception_ptr error);  // with Unavailable turned into Problem 503

  struct State;
  std::unique_ptr<State> state_;
};

template <class Work>
boost::asio::awaitable<std::invoke_result_t<Work, Session&>> Executor::run(Work work) {
  using Value = std::invoke_result_t<Work, Session&>;
  struct Outcome {
    std::optional<Value> value;
    std::exception_ptr error;
  };
  auto outcome = std::make_shared<Outcome>();
  const auto start = [this, &work, outcome](auto call) {
    const bool queued = submit(
        [outcome, call, work = std::move(work)](Session& session) mutable {
          try {
            outcome->value.emplace(work(session));
          } catch (...) {
            outcome->error = std::current_exception();
          }
          call();
        },
        [outcome, call](std::exception_ptr error) {
          outcome->error = std::move(error);
          call();
        });
    if (!queued) call();
  };
  co_await until_called(start);
  if (outcome->value) co_return std::move(*outcome->value);
  if (!outcome->error) throw_overloaded();
  rethrow(outcome->error);
}

}  // namespace courant::sql
