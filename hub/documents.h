// Documents that many subscriptions of a topic share: each is read and rendered once, however many wait for it.
// Threads: the hub's loop.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <boost/asio/steady_timer.hpp>

#include "hub/loop.h"

namespace courant::hub {

class Documents {
 public:
  explicit Documents(Loop& loop) : loop_(loop) {}

  // TopicSource::read, shared: for some seconds the same range gives the same document. Throws where the database
  // cannot be asked.
  http::Task<std::optional<PushDocument>> read(Topic topic, std::string self, std::int64_t from, std::int64_t upto,
                                               PushLimits limits);

 private:
  struct Slot {
    explicit Slot(boost::asio::io_context& io) : done(io) {}
    boost::asio::steady_timer done;  // never expires: cancelled when the document is there
    bool is_done = false;
    bool has_failed = false;
    std::optional<PushDocument> document;
  };
  struct Kept {
    std::string key;
    std::size_t bytes = 0;
    Ticks until;
  };

  void keep(std::string key, std::size_t bytes);
  void forget_old();

  Loop& loop_;
  std::unordered_map<std::string, std::shared_ptr<Slot>> slots_;
  std::deque<Kept> kept_;  // of the slots those that are done, oldest first
  std::size_t kept_bytes_ = 0;
};

}  // namespace courant::hub
