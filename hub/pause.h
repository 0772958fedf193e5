// The pause of a coroutine between two rounds of its work. Cut short while the work is going on, it is short as well:
// what asked for a round, perhaps just too late for this one, does not wait for the time to pass.
// Threads: that of the io_context.
#pragma once

#include <chrono>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/task.h"

namespace courant::hub {

class Pause {
 public:
  explicit Pause(boost::asio::io_context& io) : timer_(io) {}

  http::Task<void> wait(std::chrono::milliseconds duration) {
    if (!is_cut_) {
      timer_.expires_after(duration);
      boost::system::error_code ignored;
      co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
    is_cut_ = false;
  }
  // This one, or else the next.
  void cut() {
    is_cut_ = true;
    timer_.cancel();
  }

 private:
  boost::asio::steady_timer timer_;
  bool is_cut_ = false;
};

}  // namespace courant::hub
