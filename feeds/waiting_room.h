// The readers that wait for news of a feed. What moves is told to each io thread once, however many wait there, and
// each thread wakes its own, a portion at a time; entries are held against filters on a database thread, once for all
// who wait on the same filter. A reader that waits costs a timer and a place in a list. Where many wait, whoever comes
// takes the place of the one who has waited longest, who is answered early; so nobody is refused, and it ends by itself
// when fewer come. Threads: wait() on io threads; moved(), stop() and is_pressed() from any. Each io thread's lists are
// its own; the locks guard what crosses threads and are never held while anybody is woken.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "feeds/directory.h"
#include "feeds/filter.h"
#include "http/message.h"
#include "http/task.h"
#include "kernel/metrics.h"
#include "kernel/time.h"
#include "sql/executor.h"

namespace courant::feeds {

struct WaitingOptions {
  std::size_t most = 100'000;  // readers at once; more are answered at once
  std::size_t pressure = 90;   // percent of `most`, from which on places are given away
  // Filter floods: different filters that may be waited on in one feed, of each io thread, and how many terms they may
  // have together. Who would wait on one more is answered at once; without a filter nobody is.
  std::size_t most_filters = 1'000;
  std::size_t most_terms = 50'000;
};

class WaitingRoom {
 public:
  WaitingRoom(WaitingOptions options, const Directory& directory, sql::Executor& executor, Metrics& metrics);
  ~WaitingRoom();

  // Other limits for those who come from now on; those of filters stay.
  void change(const WaitingOptions& options);

  // What somebody waits for: anything beyond position `seen` of a feed (that the filter takes), or any change of what
  // the feed is. A feed that does not exist yet has position 0.
  struct News {
    std::string workspace;
    std::string name;
    std::int64_t seen = 0;
    std::uint64_t version = 0;  // of the feed when it was looked at
    std::optional<Filter> filter;
  };

  // kNews: look again; there may be something new. kEarly: too many wait. kStopped: the server stops.
  // kGone: so has the reader.
  enum class End { kNews, kTime, kEarly, kStopped, kGone };
  // reader: null where nobody can tell whether it is still there.
  http::Task<End> wait(const News& news, Ticks until, http::Presence* reader);

  // Whether so many wait that places are given away.
  bool is_pressed() const { return waiting_ >= pressed_; }

  // An event stream is open as long as somebody holds this. It must not outlive the room.
  std::shared_ptr<const void> count_stream();

  // These feeds stand elsewhere than before, or are not what they were.
  void moved(const std::vector<Advance>& advances);

  // Lets everybody go, and nobody wait any more.
  void stop();

 private:
  struct Reader;
  struct Topic;
  struct Room;

  Room& room_of(const boost::asio::any_io_executor& executor);
  void tell(const std::string& feed);

  std::atomic<std::size_t> most_;
  const std::size_t most_filters_;
  const std::size_t most_terms_;
  std::atomic<std::size_t> pressed_;  // readers from which on places are given away
  const Directory& directory_;
  sql::Executor& executor_;
  Gauge& gauge_;
  Gauge& streams_;
  Counter& early_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;                          // guards rooms_
  std::vector<std::shared_ptr<Room>> rooms_;  // one for each io thread on which somebody has waited
};

}  // namespace courant::feeds
