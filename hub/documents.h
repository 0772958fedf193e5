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

  // TopicSource::read, shared. Throws where the database cannot be asked.
  http::Task<std::optional<PushDocument>> read(const Topic& topic, const std::string& self, std::int64_t from,
                                               std::int64_t upto);

 private:
  struct Slot {
    explicit Slot(boost::asio::io_context& io) : done(io) {}
    boost::asio::steady_timer done;  // never expires: cancelled when the document is there
    bool is_done = false;
    bool has_failed = false;
    std::optional<PushDocument> document;
  };

  void keep(const std::string& key, const PushDocument& document);

  Loop& loop_;
  std::unordered_map<std::string, std::shared_ptr<Slot>> slots_;
  std::deque<std::pair<std::string, std::size_t>> kept_;  // done, oldest first, with their bytes
  std::size_t kept_bytes_ = 0;
};

}  // namespace courant::hub
