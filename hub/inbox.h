// What other threads bring to the loop: it is woken once for all that has come until it looks.
// Threads: put() from any; what is put runs on the thread of the io_context.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace courant::hub {

class Inbox {
 public:
  explicit Inbox(boost::asio::io_context& io) : io_(io) {}

  void put(std::function<void()> work) {
    bool is_first = false;
    {
      const std::lock_guard lock(mutex_);
      is_first = waiting_.empty();
      waiting_.push_back(std::move(work));
    }
    if (is_first) boost::asio::post(io_, [this] { take(); });
  }

 private:
  void take() {
    std::vector<std::function<void()>> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(waiting_);
    }
    for (const std::function<void()>& work : taken) work();
  }

  boost::asio::io_context& io_;
  std::mutex mutex_;  // guards the next; held for moments only
  std::vector<std::function<void()>> waiting_;
};

}  // namespace courant::hub
