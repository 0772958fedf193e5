#include "feeds/workshop.h"

#include "kernel/problem.h"

namespace courant::feeds {

Workshop::~Workshop() {
  stop();
}

bool Workshop::submit(Job job) {
  std::call_once(started_, [this] {
    for (int i = 0; i < count_; ++i) {
      threads_.emplace_back([this] {
        while (std::optional<Job> next = jobs_.pop()) (*next)();
      });
    }
  });
  return jobs_.try_push(std::move(job));
}

void Workshop::stop() {
  jobs_.close();
  // Where nothing was ever submitted, nothing begins any more.
  std::call_once(started_, [] {});
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Workshop::throw_overloaded() {
  throw Problem(503, "Too many entries wait to be judged: try again in a moment").with("Retry-After", "1");
}

}  // namespace courant::feeds
