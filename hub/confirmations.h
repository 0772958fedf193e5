// How many subscriptions of a feed have everything up to a position: for publishers who want to know that what they
// published has arrived. Cursors are written back by the processes that own them, so this is counted in the database:
// by one query for all who ask about a feed, begun after each of them has asked, and with a pause before the next one.
// While somebody waits the others are told so, in the database, too: else they write some of it down every few seconds.
// Threads: ask from any io coroutine, let_go from any thread; all else belongs to the hub's loop.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "http/message.h"
#include "hub/loop.h"

namespace courant::hub {

struct Confirmed {
  std::int64_t subscriptions = 0;  // live ones of the feed, of all its topics
  std::int64_t confirmed = 0;      // those of them that have everything up to the position
  bool is_by_all() const { return confirmed == subscriptions; }
};

class Confirmations {
 public:
  // executor: database threads for readers, not those that deliver. most: who may wait at once; more are answered at
  // once. All must outlive this.
  Confirmations(Loop& loop, sql::Executor& executor, std::size_t most)
      : loop_(loop), executor_(executor), most_(most) {}

  // Once all have confirmed, or `until` has passed (a pause later at most). Throws where the database cannot be asked.
  // asker: null where nobody can tell whether it is still there; to one that is not the answer means nothing.
  http::Task<Confirmed> ask(LogPlace place, Ticks until, http::Presence* asker);

  // Everybody is answered as soon as can be, and nobody waits any more.
  void let_go();

 private:
  struct Ask {
    LogPlace place;
    Ticks until;
    Confirmed count = {};
    std::exception_ptr failure = nullptr;
    std::function<void()> done = nullptr;  // resumes who asked, on its own thread; null: it has been answered
  };
  using AskPtr = std::shared_ptr<Ask>;

  // One that is asked about.
  struct Feed {
    explicit Feed(boost::asio::io_context& io) : pause(io) {}
    std::vector<AskPtr> asked;
    boost::asio::steady_timer pause;
  };

  void add(const AskPtr& ask);
  void leave(const AskPtr& ask);
  void answer(const AskPtr& ask);
  http::Task<void> keep_counting(FeedName name);
  http::Task<void> count(const std::vector<AskPtr>& asked);

  Loop& loop_;
  sql::Executor& executor_;
  const std::size_t most_;
  std::size_t asking_ = 0;
  bool is_over_ = false;
  std::map<FeedName, Feed> feeds_;
};

}  // namespace courant::hub
