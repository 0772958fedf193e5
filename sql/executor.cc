#include "sql/executor.h"

#include <chrono>
#include <thread>
#include <vector>

#include "kernel/log.h"
#include "kernel/priority.h"
#include "kernel/problem.h"
#include "kernel/queue.h"
#include "kernel/time.h"
#include "sql/watch.h"

namespace courant::sql {

namespace {

constexpr std::size_t kMuchForEach = 4;  // of waiting work, for each thread

// How an executor is used, for operators.
struct ExecutorMetrics {
  ExecutorMetrics(Metrics& metrics, const std::string& pool, int threads)
      : busy(metrics.gauge("courant_database_pool_busy", "Threads at work with a connection of their own",
                           {{"pool", pool}})),
        wait(metrics.histogram("courant_database_wait_seconds", "How long work waited for such a thread", bounds(),
                               {{"pool", pool}})),
        work(metrics.histogram("courant_database_work_seconds", "How long work with the database took", bounds(),
                               {{"pool", pool}})),
        refused(
            metrics.counter("courant_database_refused_total", "Work refused since too much waits", {{"pool", pool}})) {
    metrics.gauge("courant_database_pool_threads", "Threads that wait for PostgreSQL", {{"pool", pool}}).set(threads);
  }

  static std::vector<double> bounds() {
    return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  }

  Gauge& busy;
  Histogram& wait;
  Histogram& work;
  Counter& refused;
};

double seconds_between(Ticks first, Ticks second) {
  return std::chrono::duration<double>(second - first).count();
}

}  // namespace

struct Executor::State {
  struct Job {
    std::function<void(Session&)> work;
    std::function<void(std::exception_ptr)> failed;
    Ticks submitted;
  };

  State(Database& the_database, std::size_t capacity) : database(the_database), jobs(capacity) {}

  Database& database;
  BoundedQueue<Job> jobs;
  std::optional<ExecutorMetrics> metrics;
  std::vector<std::thread> threads;

  // Behind a database that does not answer, each would be tried in its turn: who waits longer than for an answer is
  // told at once.
  void require_in_time(const Job& job, Ticks now) const {
    const std::shared_ptr<Watch>& watch = database.options().watch;
    if (watch && now - job.submitted > watch->longest()) throw Unavailable("work waited too long for a thread", false);
  }

  void work() {
    wake_without_haste();
    while (std::optional<Job> job = jobs.pop()) {
      const Ticks begun = std::chrono::steady_clock::now();
      if (metrics) {
        metrics->busy.add(1);
        metrics->wait.observe(seconds_between(job->submitted, begun));
      }
      try {
        require_in_time(*job, begun);
        database.with_session([&](Session& session) { job->work(session); });
      } catch (...) {
        job->failed(std::current_exception());
      }
      if (metrics) {
        metrics->busy.add(-1);
        metrics->work.observe(seconds_between(begun, std::chrono::steady_clock::now()));
      }
    }
  }
};

Executor::Executor(Database& database, int threads, std::size_t queue, Metrics* metrics, const std::string& pool)
    : state_(std::make_unique<State>(database, queue)) {
  if (metrics != nullptr) {
    state_->metrics.emplace(*metrics, pool, threads);
    Gauge& queued =
        metrics->gauge("courant_database_pool_queued", "Work that waits for such a thread", {{"pool", pool}});
    metrics->before_reading([this, &queued] { queued.set(static_cast<double>(state_->jobs.size())); });
  }
  for (int i = 0; i < threads; ++i) state_->threads.emplace_back([this] { state_->work(); });
}

Executor::~Executor() {
  stop();
}

bool Executor::submit(std::function<void(Session&)> work, std::function<void(std::exception_ptr)> failed) {
  const bool is_taken = state_->jobs.try_push({std::move(work), std::move(failed), std::chrono::steady_clock::now()});
  if (!is_taken && state_->metrics) state_->metrics->refused.add();
  return is_taken;
}

bool Executor::is_behind() const {
  return state_->jobs.size() >= kMuchForEach * state_->threads.size();
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
