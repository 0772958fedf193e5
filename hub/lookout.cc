#include "hub/lookout.h"

#include <algorithm>
#include <cstring>

namespace courant::hub {
namespace {

constexpr std::chrono::seconds kPauseOfLooks{1};  // where the database is away, or has less than was said

FeedName name_of(const Subscription& subscription) {
  return {subscription.topic.lane, subscription.topic.feed};
}

// Never that of another watch, and never 0.
std::int64_t new_watch_number() {
  std::uint64_t number = 0;
  std::memcpy(&number, random_bytes(sizeof number).data(), sizeof number);
  return static_cast<std::int64_t>(number >> 1 | 1);
}

}  // namespace

Lookout::Lookout(Loop& loop, Concern concern)
    : loop_(loop),
      concern_(std::move(concern)),
      looks_(loop.metrics.counter("courant_hub_looks_total",
                                  "Looks at what is new on a feed, each for all subscriptions that have caught up")) {}

void Lookout::add(Subscription& subscription) {
  std::shared_ptr<Feed>& place = by_feed_[name_of(subscription)];
  if (!place) {
    place = std::make_shared<Feed>();
    place->name = name_of(subscription);
  }
  Feed& feed = *place;
  if (subscription.terms.empty()) feed.of_all.insert(&subscription);
  for (const std::string& term : subscription.terms) feed.by_term[term].insert(&subscription);
  if (subscription.watch == 0) return;
  const Watch loaded{subscription.watch, subscription.cursor, 0, 0};
  Watch& watch = feed.watches.try_emplace(subscription.shard, loaded).first->second;
  if (watch.number == subscription.watch && !subscription.terms.empty()) {
    ++watch.sharers;
  } else {
    subscription.watch = 0;
  }
}

void Lookout::remove(Subscription& subscription) {
  Feed& feed = feed_of(subscription);
  feed.of_all.erase(&subscription);
  for (const std::string& term : subscription.terms) {
    const auto place = feed.by_term.find(term);
    place->second.erase(&subscription);
    if (place->second.empty()) feed.by_term.erase(place);
  }
  if (subscription.watch != 0) --feed.watches.at(subscription.shard).sharers;
  if (feed.of_all.empty() && feed.by_term.empty()) by_feed_.erase(name_of(subscription));
}

void Lookout::forget_shard(std::int64_t shard) {
  for (const auto& [name, feed] : by_feed_) feed->watches.erase(shard);
}

std::vector<Subscription*> Lookout::moved(const FeedName& name, std::int64_t position) {
  const auto found = by_feed_.find(name);
  if (found == by_feed_.end()) return {};
  const std::shared_ptr<Feed> feed = found->second;
  const bool is_news = feed->head < position;
  feed->head = std::max(feed->head, position);
  if (!feed->is_looking && next_look(*feed)) {
    feed->is_looking = true;
    loop_.start(look(feed));
  }
  if (!is_news) return {};
  return {feed->of_all.begin(), feed->of_all.end()};
}

std::vector<FeedName> Lookout::feeds() const {
  std::vector<FeedName> names;
  for (const auto& [name, feed] : by_feed_) names.push_back(name);
  return names;
}

Lookout::Feed& Lookout::feed_of(const Subscription& subscription) const {
  return *by_feed_.at(name_of(subscription));
}

// Does not write down what it sees: `moved` has to find the feed behind, so that it wakes the other subscriptions.
std::int64_t Lookout::head_of(const Feed& feed) const {
  return std::max(feed.head, loop_.source.known_position(feed.name.first, feed.name.second));
}

bool Lookout::is_behind(const Subscription& subscription) const {
  if (subscription.watch != 0) return false;
  const Feed& feed = feed_of(subscription);
  if (subscription.terms.empty()) return head_of(feed) > subscription.cursor;
  const auto watch = feed.watches.find(subscription.shard);
  if (watch == feed.watches.end()) return head_of(feed) > subscription.cursor;
  // A watch that others share is at the head, or will soon be. One that stands still moves on with whoever is at the
  // head, but never back: its saved position may count for subscriptions as they are in the database.
  const std::int64_t reached = watch->second.position;
  return (watch->second.sharers > 0 ? reached : std::max(reached, head_of(feed))) > subscription.cursor;
}

bool Lookout::share(Subscription& subscription) {
  if (subscription.terms.empty() || subscription.watch != 0) return false;
  const Watch fresh{new_watch_number(), subscription.cursor, 0, 0};
  Watch& watch = feed_of(subscription).watches.try_emplace(subscription.shard, fresh).first->second;
  if (watch.sharers == 0) watch.position = std::max(watch.position, subscription.cursor);
  ++watch.sharers;
  subscription.watch = watch.number;
  return true;
}

bool Lookout::leave(Subscription& subscription) {
  if (subscription.watch == 0) return false;
  Watch& watch = feed_of(subscription).watches.at(subscription.shard);
  subscription.cursor = std::max(subscription.cursor, watch.position);
  subscription.watch = 0;
  --watch.sharers;
  return true;
}

// From where the next look goes: where the watch stands that is farthest behind. nullopt: there is nothing to look at.
std::optional<std::int64_t> Lookout::next_look(const Feed& feed) const {
  if (loop_.is_stopping || loop_.clock.ticks() < feed.looks_after) return std::nullopt;
  std::optional<std::int64_t> from;
  for (const auto& [shard, watch] : feed.watches) {
    if (watch.sharers > 0) from = std::min(from.value_or(watch.position), watch.position);
  }
  if (from && *from >= head_of(feed)) return std::nullopt;
  return from;
}

http::Task<void> Lookout::look(std::shared_ptr<Feed> feed) {
  while (const std::optional<std::int64_t> from = next_look(*feed)) {
    std::optional<NewTerms> found;
    try {
      const auto work = [this, feed, from](sql::Session& session) {
        return loop_.source.new_terms(session, feed->name.first, feed->name.second, *from);
      };
      found = co_await loop_.executor.run(work);
    } catch (const std::exception&) {
      // sql/ has logged why
    }
    looks_.add();
    if (loop_.is_stopping) break;
    if (found && found->to > *from) {
      pass(*feed, *from, *found);
    } else {
      feed->looks_after = loop_.clock.ticks() + kPauseOfLooks;
    }
  }
  feed->is_looking = false;
}

// A watch that was made meanwhile may stand before what was looked at: it stays there until the next look.
void Lookout::pass(Feed& feed, std::int64_t from, const NewTerms& found) {
  std::vector<Subscription*> concerned;
  for (const std::string& term : found.terms) {
    const auto place = feed.by_term.find(term);
    if (place == feed.by_term.end()) continue;
    for (Subscription* const subscription : place->second) {
      if (subscription->watch == 0) continue;
      const std::int64_t cursor = std::max(subscription->cursor, feed.watches.at(subscription->shard).position);
      if (cursor >= found.to) continue;
      subscription->cursor = cursor;
      subscription->watch = 0;
      concerned.push_back(subscription);
    }
  }
  for (auto& [shard, watch] : feed.watches) {
    if (watch.sharers > 0 && watch.position >= from) watch.position = std::max(watch.position, found.to);
  }
  for (const Subscription* const subscription : concerned) --feed.watches.at(subscription->shard).sharers;
  if (!concerned.empty()) concern_(concerned);
}

void Lookout::add_unsaved(const Feed& feed, std::vector<SavedWatch>& watches) {
  for (const auto& [shard, watch] : feed.watches) {
    if (watch.sharers == 0 || watch.position == watch.saved) continue;
    watches.push_back({{shard, 0}, feed.name.first, feed.name.second, watch.number, watch.position});
  }
}

std::vector<SavedWatch> Lookout::unsaved(bool are_all) const {
  std::vector<SavedWatch> watches;
  if (are_all) {
    for (const auto& [name, feed] : by_feed_) add_unsaved(*feed, watches);
    return watches;
  }
  for (const FeedName& name : asked_) {
    const auto feed = by_feed_.find(name);
    if (feed != by_feed_.end()) add_unsaved(*feed->second, watches);
  }
  return watches;
}

void Lookout::set_saved(const std::vector<SavedWatch>& watches) {
  for (const SavedWatch& saved : watches) {
    const auto feed = by_feed_.find({saved.lane, saved.feed});
    if (feed == by_feed_.end()) continue;
    const auto watch = feed->second->watches.find(saved.owner.shard);
    if (watch != feed->second->watches.end() && watch->second.number == saved.number) {
      watch->second.saved = saved.position;
    }
  }
}

}  // namespace courant::hub
