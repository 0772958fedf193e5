#include "sql/executor.h"

#include <thread>
#include <vector>

#include "kernel/log.h"
#include "kernel/problem.h"
#include "kernel/queue.h"

namespace courant::sql {

struct Executor::State {
  struct Job {
    std::function<void(Session&)> work;
    std::function<void(std::exception_ptr)> failed;
  };

  State(Database& the_database, std::size_t capacity) : database(the_database), jobs(capacity) {}

  Database& database;
  BoundedQueue<Job> jobs;
  std::vector<std::thread> threads;

  void work() {
    while (std::optional<Job> job = jobs.pop()) {
      try {
        database.with_session([&](Session& session) { job->work(session); });
      } catch (...) {
        job->failed(std::current_exception());
      }
    }
  }
};

Executor::Executor(Database& database, int threads, std::size_t queue)
    : state_(std::make_unique<State>(database, queue)) {
  for (int i = 0; i < threads; ++i) state_->threads.emplace_back([this] { state_->work(); });
}

Executor::~Executor() {
  stop();
}

bool Executor::submit(std::function<void(Session&)> work, std::function<void(std::exception_ptr)> failed) {
  return state_->jobs.try_push({std::move(work), std::move(failed)});
}

void Executor::stop() {
  state_->jobs.close();
  for (std::thread& thread : state_->threads) {
    if (thread.joinable()) thread.join();
  }
}

void Executor::throw_overloaded() {
  throw Problem(503, "The server has more to do than it can: try again in a moment").with("Retry-After", "1");
}

void Executor::rethrow(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const Unavailable& unavailable) {
    log_warning("the database is not available", {{"reason", unavailable.what()}});
    throw Problem(503, "The database cannot be reached: try again in a moment").with("Retry-After", "1");
  }
}

}  // namespace courant::sql
