// Documents that many subscriptions of a topic share: each is read and rendered once, however many wait for it.
// Threads: the hub's loop.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "hub/loop.h"

namespace courant::hub {

class Documents {
 public:
  using Document = std::shared_ptr<const PushDocument>;

  explicit Documents(Loop& loop) : loop_(loop) {}

  // What read() would give, where that is known already; null: it has to be read. One of a generation that is over is
  // not known any more: its positions may have been given again.
  Document find(const Topic& topic, const std::string& self, std::int64_t from, std::int64_t upto,
                const PushLimits& limits);
  // TopicSource::read, shared: for some seconds the same range gives the same document. null: there is none. Throws
  // where the database cannot be asked.
  http::Task<Document> read(Topic topic, std::string self, std::int64_t from, std::int64_t upto, PushLimits limits);

 private:
  struct Key {
    Key(const Topic& topic, const std::string& the_self, std::int64_t from, std::int64_t upto, const PushLimits& limits)
        : canonical(topic.canonical), self(the_self), numbers{topic.lane, topic.feed,         from,
                                                              upto,       limits.max_entries, limits.max_bytes} {}
    bool operator==(const Key&) const = default;

    std::string_view canonical;  // a slot's own key: of the slot's strings
    std::string_view self;
    std::array<std::int64_t, 6> numbers;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  struct Slot {
    Slot(boost::asio::io_context& io, Topic the_topic, std::string the_self)
        : topic(std::move(the_topic)), self(std::move(the_self)), done(io) {}
    const Topic topic;
    const std::string self;
    boost::asio::steady_timer done;  // never expires: cancelled when the document is there
    bool is_done = false;
    bool has_failed = false;
    Document document;
  };
  struct Kept {
    std::shared_ptr<Slot> slot;
    Key key;
    std::size_t bytes = 0;
    Ticks until;
  };

  // null: nobody reads it, and nobody has lately.
  std::shared_ptr<Slot> find_slot(const Key& key);
  void keep(std::shared_ptr<Slot> slot, const Key& key);
  void forget_old();

  Loop& loop_;
  std::unordered_map<Key, std::shared_ptr<Slot>, Hash> slots_;
  std::deque<Kept> kept_;  // of the slots those that are done, oldest first
  std::size_t kept_bytes_ = 0;
};

}  // namespace courant::hub
