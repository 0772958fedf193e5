// An io_context that a thread runs for as long as this lives, or until join().
// Threads: any.
#pragma once

#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace courant::test {

class RunningLoop {
 public:
  RunningLoop() = default;
  ~RunningLoop() { join(); }
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;

  boost::asio::io_context& io() { return io_; }

  // Until all that is there has ended.
  void join() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = boost::asio::make_work_guard(io_);
  std::thread thread_{[this] { io_.run(); }};
};

}  // namespace courant::test
