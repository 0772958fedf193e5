#include "hub/confirmations.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/queries.h"
#include "sql/until_called.h"

namespace courant::hub {

namespace asio = boost::asio;

namespace {

// Between two counts of a feed. Where there is much to count, as long as it took: half a database thread at most.
constexpr std::chrono::milliseconds kLeastPause{200};

// Those who push write down at once what they would write down within seconds.
void tell_that_somebody_waits(sql::Session& session, const LogPlace& of) {
  session.run(queries::ask_for_feed, sql::Parameters().add(of.lane).add(of.feed));
}

// Of each position how many have come to it or past it. positions: ascending, each once.
std::vector<Confirmed> count_confirmed(sql::Session& session, const LogPlace& of,
                                       const std::vector<std::int64_t>& positions) {
  const sql::Rows rows =
      session.run(queries::count_confirmed, sql::Parameters().add(of.lane).add(of.feed).add(positions));
  std::vector<Confirmed> counts(positions.size());
  for (int i = 0; i < rows.size(); ++i) {
    const auto reached = static_cast<std::size_t>(rows[i].integer(0));  // of the positions, the first so many
    const std::int64_t subscriptions = rows[i].integer(1);
    for (std::size_t at = 0; at < counts.size(); ++at) {
      counts[at].subscriptions += subscriptions;
      if (at < reached) counts[at].confirmed += subscriptions;
    }
  }
  return counts;
}

}  // namespace

http::Task<Confirmed> Confirmations::ask(LogPlace place, Ticks until, http::Presence* asker) {
  const auto own = std::make_shared<Ask>(Ask{place, until});
  const auto start = [this, own, asker](auto call) {
    own->done = call;
    asio::post(loop_.io, [this, own] { add(own); });
    if (asker == nullptr) return;
    asker->watch([this, own] { asio::post(loop_.io, [this, own] { leave(own); }); });
  };
  co_await sql::until_called(start);
  if (asker != nullptr) asker->unwatch();
  if (own->failure) std::rethrow_exception(own->failure);
  co_return own->count;
}

void Confirmations::let_go() {
  asio::post(loop_.io, [this] {
    is_over_ = true;
    for (auto& [name, feed] : feeds_) feed.pause.cancel();
  });
}

void Confirmations::add(const AskPtr& ask) {
  if (asking_ >= most_) ask->until = Ticks::min();
  ++asking_;
  const FeedName name{ask->place.lane, ask->place.feed};
  const auto [place, is_new] = feeds_.try_emplace(name, loop_.io);
  place->second.asked.push_back(ask);
  if (is_new) loop_.start(keep_counting(name));
}

void Confirmations::leave(const AskPtr& ask) {
  const auto feed = feeds_.find({ask->place.lane, ask->place.feed});
  if (!ask->done || feed == feeds_.end()) return;
  std::erase(feed->second.asked, ask);
  answer(ask);
}

void Confirmations::answer(const AskPtr& ask) {
  --asking_;
  std::exchange(ask->done, nullptr)();
}

// While anybody asks, and for a pause after that.
http::Task<void> Confirmations::keep_counting(FeedName name) {
  Feed& feed = feeds_.at(name);
  while (!feed.asked.empty()) {
    const Ticks begun = loop_.clock.ticks();
    const std::vector<AskPtr> asked = feed.asked;  // whoever comes meanwhile is counted for next time
    co_await count(asked);
    const Ticks ended = loop_.clock.ticks();
    for (const AskPtr& ask : asked) {
      const bool is_due = ask->failure || ask->count.is_by_all() || ask->until <= ended || is_over_;
      if (!ask->done || !is_due) continue;
      std::erase(feed.asked, ask);
      answer(ask);
    }
    if (is_over_) continue;
    feed.pause.expires_after(std::max<Ticks::duration>(kLeastPause, ended - begun));
    boost::system::error_code ignored;
    co_await feed.pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  feeds_.erase(name);
}

http::Task<void> Confirmations::count(const std::vector<AskPtr>& asked) {
  std::vector<std::int64_t> positions;
  for (const AskPtr& ask : asked) positions.push_back(ask->place.position);
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  std::vector<Confirmed> counts;
  std::exception_ptr failure;
  try {
    const Ticks now = loop_.clock.ticks();
    const bool waits = std::any_of(asked.begin(), asked.end(), [now](const AskPtr& ask) { return ask->until > now; });
    const auto work = [of = asked.front()->place, &positions, waits](sql::Session& session) {
      std::vector<Confirmed> found = count_confirmed(session, of, positions);
      const bool is_by_all =
          std::all_of(found.begin(), found.end(), [](const Confirmed& one) { return one.is_by_all(); });
      if (waits && !is_by_all) tell_that_somebody_waits(session, of);
      return found;
    };
    counts = co_await executor_.run(work);
  } catch (...) {
    failure = std::current_exception();
  }
  for (const AskPtr& ask : asked) {
    if (!ask->done) continue;  // it has gone, and its thread may look at what it was answered
    ask->failure = failure;
    if (failure) continue;
    const auto place = std::lower_bound(positions.begin(), positions.end(), ask->place.position);
    ask->count = counts[static_cast<std::size_t>(place - positions.begin())];
  }
}

}  // namespace courant::hub
