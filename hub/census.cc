#include "hub/census.h"

#include <algorithm>
#include <set>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace courant::hub {
namespace {

constexpr std::size_t kPortion = 4096;            // subscriptions that are looked at without a pause
constexpr std::size_t kMostPlacesKept = 100'000;  // of which it is remembered what stands there

// One gauge for each bound: the same subscriptions at two times are no counters, as a histogram's are. Prometheus'
// histogram_quantile() takes them, for it goes by `le`.
std::vector<Gauge*> gauges_of(Metrics& metrics, const std::string& name, const std::string& help,
                              const Distribution& distribution) {
  std::vector<Gauge*> gauges;
  for (const double bound : distribution.bounds()) {
    gauges.push_back(&metrics.gauge(name, help, {{"le", std::to_string(static_cast<std::int64_t>(bound))}}));
  }
  gauges.push_back(&metrics.gauge(name, help, {{"le", "+Inf"}}));
  return gauges;
}

void show(const Distribution& distribution, const std::vector<Gauge*>& gauges) {
  const std::vector<std::int64_t> counts = distribution.cumulative();
  for (std::size_t i = 0; i < counts.size(); ++i) gauges[i]->set(static_cast<double>(counts[i]));
}

std::string last_error(const DeliveryRecord& record) {
  const Attempt* const last = record.last_failure();
  return last == nullptr ? std::string() : last->error;
}

double seconds_since(Instant instant, Instant now) {
  return std::max(0.0, std::chrono::duration<double>(now - instant).count());
}

}  // namespace

void Distribution::add(double value, std::int64_t times) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<std::size_t>(bound - bounds_.begin())] += times;
}

std::vector<std::int64_t> Distribution::cumulative() const {
  std::vector<std::int64_t> sums = counts_;
  for (std::size_t i = 1; i < sums.size(); ++i) sums[i] += sums[i - 1];
  return sums;
}

Overview::Overview()
    : positions({0, 1, 10, 100, 1'000, 10'000, 100'000, 1'000'000}),
      seconds({0, 1, 5, 30, 120, 600, 3'600, 21'600, 86'400, 604'800}) {}

Census::Census(Loop& loop, const Dispatcher& dispatcher)
    : loop_(loop),
      dispatcher_(dispatcher),
      latest_(std::make_shared<const Overview>()),
      positions_(gauges_of(loop.metrics, "courant_hub_lag_positions",
                           "Subscriptions that are at most so many positions behind the head", Overview().positions)),
      seconds_(gauges_of(loop.metrics, "courant_hub_lag_seconds",
                         "Subscriptions whose oldest undelivered entry was committed at most so many seconds ago",
                         Overview().seconds)),
      oldest_(loop.metrics.gauge("courant_hub_oldest_undelivered_seconds",
                                 "Since the oldest entry was committed that some subscription has not got; 0: all have "
                                 "everything")) {}

http::Task<void> Census::take() {
  auto overview = std::make_shared<Overview>();
  std::vector<Oldest> worst;
  since_.clear();
  const std::vector<std::int64_t> numbers = dispatcher_.busy();
  for (std::size_t next = 0; next < numbers.size() && !loop_.is_stopping;) {
    std::vector<Seen> portion;
    std::set<LogPlace> unknown;
    for (const std::size_t end = std::min(next + kPortion, numbers.size()); next < end; ++next) {
      const std::optional<Dispatcher::Busy> busy = dispatcher_.find_busy(numbers[next]);
      if (!busy) continue;
      const Subscription& subscription = busy->subscription;
      const LogPlace place{subscription.topic.lane, subscription.topic.feed, subscription.cursor};
      if (busy->head <= place.position) continue;
      portion.push_back({subscription.number, place, busy->head - place.position});
      if (!since_.contains(place)) unknown.insert(place);
    }
    if (!unknown.empty()) {
      std::vector<LogPlace> places(unknown.begin(), unknown.end());
      co_await look_up(std::move(places));
    }
    count(portion, *overview, worst);
    if (since_.size() > kMostPlacesKept) since_.clear();
    co_await boost::asio::post(loop_.io, boost::asio::use_awaitable);
  }
  if (loop_.is_stopping) co_return;
  describe(worst, *overview);
  publish(std::move(overview));
}

http::Task<void> Census::look_up(std::vector<LogPlace> places) {
  const auto ask = [this, &places](sql::Session& session) { return loop_.source.first_after(session, places); };
  const std::vector<std::optional<Instant>> found = co_await loop_.executor.run(ask);
  for (std::size_t i = 0; i < places.size(); ++i) since_.emplace(places[i], found[i]);
}

void Census::count(const std::vector<Seen>& portion, Overview& overview, std::vector<Oldest>& worst) const {
  const Instant now = loop_.clock.now();
  for (const Seen& seen : portion) {
    const std::optional<Instant>& since = since_.at(seen.place);
    if (!since) continue;  // what there was has gone with its feed: nothing is outstanding
    overview.positions.add(static_cast<double>(seen.positions));
    overview.seconds.add(seconds_since(*since, now));
    worst.push_back({*since, seen.number});
  }
  std::sort(worst.begin(), worst.end());
  if (worst.size() > Overview::kWorst) worst.resize(Overview::kWorst);
}

void Census::describe(const std::vector<Oldest>& worst, Overview& overview) const {
  overview.taken = loop_.clock.now();
  for (const Oldest& one : worst) {
    const std::optional<Dispatcher::Busy> busy = dispatcher_.find_busy(one.number);
    if (!busy || busy->head <= busy->subscription.cursor) continue;  // it has everything by now
    const Subscription& of = busy->subscription;
    const std::string error =
        lacks_secret(of, overview.taken) ? "the key of its secret is missing" : last_error(of.record);
    overview.worst.push_back({of.number, of.topic.canonical, of.callback_host, std::string(name_of(busy->phase)),
                              busy->head - of.cursor, one.since, of.failures, of.next_attempt, error});
  }
  for (const Phase phase : kPhases) {
    overview.states[std::string(name_of(phase))] = dispatcher_.count(phase);
  }
  // Who is not behind has everything.
  const std::int64_t all = static_cast<std::int64_t>(dispatcher_.subscriptions());
  const std::int64_t behind = overview.positions.cumulative().back();
  overview.positions.add(0, std::max<std::int64_t>(0, all - behind));
  overview.seconds.add(0, std::max<std::int64_t>(0, all - behind));
}

void Census::publish(std::shared_ptr<const Overview> overview) {
  show(overview->positions, positions_);
  show(overview->seconds, seconds_);
  oldest_.set(overview->worst.empty() ? 0 : seconds_since(overview->worst.front().since, overview->taken));
  latest_.store(std::move(overview));
}

}  // namespace courant::hub
