#include "feeds/waiting_room.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>

#include "feeds/new_entries.h"

namespace courant::feeds {
namespace {

namespace asio = boost::asio;
namespace intrusive = boost::intrusive;

constexpr const char* kAll = "";                // no feed has this name
constexpr int kPortion = 64;                    // readers woken before those are served
constexpr std::int64_t kBeyondAll = INT64_MAX;  // no position is
using Filters = std::vector<std::shared_ptr<const Filter>>;

// What came of holding new entries against filters.
struct Found {
  std::int64_t last = 0;              // up to where they go; 0: there were none
  std::vector<std::int64_t> matches;  // for each filter the newest that it matches; 0: none
};

}  // namespace

// Who waits. It lives in the coroutine that waits and leaves all lists when that ends.
struct WaitingRoom::Reader {
  using Place = intrusive::list_member_hook<intrusive::link_mode<intrusive::auto_unlink>>;
  template <Place Reader::*place>
  using List =
      intrusive::list<Reader, intrusive::member_hook<Reader, Place, place>, intrusive::constant_time_size<false>>;

  asio::steady_timer timer;  // cancelled to wake it
  const std::int64_t seen;
  const std::uint64_t version;
  bool is_dismissed = false;  // somebody else has its place
  Place in_topic = {};
  Place by_age = {};
  Place due = {};  // to be woken
};

// Those who wait for the same news: of a feed, or of a feed through a filter.
struct WaitingRoom::Topic {
  std::shared_ptr<const Filter> filter;  // null: everything
  Reader::List<&Reader::in_topic> readers;
};

// What one io thread keeps. All but `moved` and `is_told` is the thread's own.
struct WaitingRoom::Room : std::enable_shared_from_this<Room> {
  struct Feed {
    Topic everything;
    std::map<std::string, Topic> filtered;  // by the filter's canonical form
    std::size_t terms = 0;                  // of those filters
    // Entries up to here have been held against the filters; while some are, from where on that has to be done again
    // for who came meanwhile.
    std::int64_t looked = kBeyondAll;
    bool is_looking = false;  // keeps the feed in its map
    bool is_to_look_again = false;
  };

  Room(asio::any_io_executor the_executor, const Directory& the_directory, sql::Executor& the_database)
      : executor(std::move(the_executor)), directory(the_directory), database(the_database) {}

  const asio::any_io_executor executor;
  const Directory& directory;
  sql::Executor& database;
  std::unordered_map<std::string, Feed> feeds;  // by full name
  Reader::List<&Reader::by_age> by_age;         // all who wait, the longest first
  Reader::List<&Reader::due> due;
  bool is_waking = false;

  std::mutex mutex;             // guards the two below
  std::set<std::string> moved;  // feeds of which the thread has not heard yet
  bool is_told = false;

  // Sends away who has waited longest. False: nobody waits here.
  bool dismiss_longest() {
    if (by_age.empty()) return false;
    Reader& longest = by_age.front();
    by_age.pop_front();
    longest.is_dismissed = true;
    longest.timer.cancel();
    return true;
  }

  // Those of a topic who have seen less than `position`, or of whom `version` is not what they know.
  void wake(Topic& topic, std::int64_t position, std::optional<std::uint64_t> version = std::nullopt) {
    for (Reader& reader : topic.readers) {
      const bool is_news = reader.seen < position || reader.version != version.value_or(reader.version);
      if (is_news && !reader.due.is_linked()) due.push_back(reader);
    }
    if (!due.empty() && !std::exchange(is_waking, true)) wake_some();
  }

  // The first are answered while others sleep on: their clients work meanwhile, and the page is in memory for the rest.
  void wake_some() {
    for (int woken = 0; woken < kPortion && !due.empty(); ++woken) {
      due.front().timer.cancel();
      due.pop_front();
    }
    is_waking = !due.empty();
    if (is_waking) asio::post(executor, [self = shared_from_this()] { self->wake_some(); });
  }

  void tell(const std::string& feed) {
    {
      const std::lock_guard lock(mutex);
      moved.insert(feed);
      if (std::exchange(is_told, true)) return;
    }
    asio::post(executor, [self = shared_from_this()] { self->hear(); });
  }

  void hear() {
    std::set<std::string> heard;
    {
      const std::lock_guard lock(mutex);
      heard.swap(moved);
      is_told = false;
    }
    if (heard.contains(kAll)) {
      for (const auto& [name, feed] : feeds) heard.insert(name);
    }
    for (const std::string& name : heard) {
      if (const auto found = feeds.find(name); found != feeds.end()) hear_of(name, found->second);
    }
  }

  void hear_of(const std::string& name, Feed& feed) {
    const std::shared_ptr<LiveFeed> live = find(name);
    const std::uint64_t version = live ? live->version() : 0;
    wake(feed.everything, live ? live->head() : 0, version);
    for (auto& [key, topic] : feed.filtered) wake(topic, 0, version);
    feed.is_to_look_again = true;
    if (feed.is_looking || feed.filtered.empty() || !live || live->head() <= feed.looked) return;
    feed.is_looking = true;
    asio::co_spawn(executor, look(shared_from_this(), name, feed), asio::detached);
  }

  std::shared_ptr<LiveFeed> find(const std::string& name) const {
    const std::size_t slash = name.find('/');
    return directory.find(name.substr(0, slash), name.substr(slash + 1));
  }

  // Holds what is new in a feed against the filters that are waited on, until there is nothing new. That may take a
  // moment where they are many, so it is done on a database thread, with the filters as they are when it begins.
  static http::Task<void> look(std::shared_ptr<Room> self, std::string name, Feed& feed) {
    bool goes_on = true;
    while (goes_on) {
      feed.is_to_look_again = false;
      const std::int64_t looked = std::exchange(feed.looked, kBeyondAll);
      Filters filters;
      for (const auto& [key, topic] : feed.filtered) filters.push_back(topic.filter);
      Found found;
      bool has_failed = false;
      try {
        const auto hold = [self, name, looked, filters](sql::Session& session) {
          return self->hold(session, name, looked, filters);
        };
        found = co_await self->database.run(hold);
      } catch (const std::exception&) {
        has_failed = true;
      }
      for (std::size_t i = 0; i < found.matches.size(); ++i) {
        const auto topic = feed.filtered.find(filters[i]->canonical());
        if (topic != feed.filtered.end()) self->wake(topic->second, found.matches[i]);
      }
      if (has_failed) {  // they look for themselves
        for (auto& [key, topic] : feed.filtered) self->wake(topic, kBeyondAll);
      }
      const std::int64_t reached = std::max(looked, found.last);
      // Who came meanwhile may have seen less: then once more from there.
      const bool is_behind = feed.looked < reached;
      feed.looked = std::min(feed.looked, reached);
      const std::shared_ptr<LiveFeed> live = self->find(name);
      const bool has_more = found.last > 0 && live && reached < live->head();
      goes_on = !has_failed && !feed.filtered.empty() && (is_behind || has_more || feed.is_to_look_again);
    }
    feed.is_looking = false;
    self->tidy(name, feed);
  }

  Found hold(sql::Session& session, const std::string& name, std::int64_t after, const Filters& filters) const {
    Found found;
    const std::shared_ptr<LiveFeed> feed = find(name);
    if (!feed) return found;
    const NewEntries news = NewEntries::read(session, feed->facts().key, after);
    found.last = news.last();
    if (found.last == 0) return found;
    for (const auto& filter : filters) found.matches.push_back(news.newest_match(*filter));
    return found;
  }

  // Where nobody waits any more, nothing is kept.
  void tidy(const std::string& name, Feed& feed) {
    if (feed.is_looking || !feed.filtered.empty()) return;
    feed.looked = kBeyondAll;
    if (feed.everything.readers.empty()) feeds.erase(name);
  }

  Topic& topic_of(Feed& feed, const std::optional<Filter>& filter) {
    if (!filter) return feed.everything;
    Topic& topic = feed.filtered[filter->canonical()];
    if (!topic.filter) {
      topic.filter = std::make_shared<const Filter>(*filter);
      feed.terms += filter->term_count();
    }
    return topic;
  }

  void leave(const std::string& name, Feed& feed, Topic& topic) {
    if (topic.filter && topic.readers.empty()) {
      feed.terms -= topic.filter->term_count();
      feed.filtered.erase(std::string(topic.filter->canonical()));
    }
    tidy(name, feed);
  }
};

namespace {

std::size_t pressed_from(const WaitingOptions& options) {
  return std::max<std::size_t>(1, options.most * options.pressure / 100);
}

}  // namespace

WaitingRoom::WaitingRoom(WaitingOptions options, const Directory& directory, sql::Executor& executor, Metrics& metrics)
    : most_(options.most),
      most_filters_(options.most_filters),
      most_terms_(options.most_terms),
      pressed_(pressed_from(options)),
      directory_(directory),
      executor_(executor),
      gauge_(metrics.gauge("courant_waiting_readers", "Readers that wait for news: long polls and streams")),
      streams_(metrics.gauge("courant_event_streams", "Open streams of server-sent events")),
      early_(metrics.counter("courant_waits_ended_early_total", "Waits that were ended since too many readers wait")) {}

WaitingRoom::~WaitingRoom() = default;

void WaitingRoom::change(const WaitingOptions& options) {
  most_ = options.most;
  pressed_ = pressed_from(options);
}

WaitingRoom::Room& WaitingRoom::room_of(const asio::any_io_executor& executor) {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Room>& room : rooms_) {
    if (room->executor == executor) return *room;
  }
  rooms_.push_back(std::make_shared<Room>(executor, directory_, executor_));
  return *rooms_.back();
}

http::Task<WaitingRoom::End> WaitingRoom::wait(const News& news, Ticks until, http::Presence* reader) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Room& room = room_of(executor);
  const std::string name = full_name(news.workspace, news.name);
  Room::Feed& feed = room.feeds[name];
  const bool is_another = news.filter && !feed.filtered.contains(news.filter->canonical());
  const bool is_one_too_many =
      is_another && (feed.filtered.size() >= most_filters_ || feed.terms + news.filter->term_count() > most_terms_);
  if (waiting_ >= most_ || is_one_too_many) {
    room.tidy(name, feed);
    early_.add();
    co_return End::kEarly;
  }
  if (is_pressed() && room.dismiss_longest()) early_.add();
  Reader waiting{asio::steady_timer(executor, until), news.seen, news.version};
  if (news.filter) feed.looked = std::min(feed.looked, news.seen);
  Topic& topic = room.topic_of(feed, news.filter);
  topic.readers.push_back(waiting);
  room.by_age.push_back(waiting);
  ++waiting_;
  gauge_.set(static_cast<double>(waiting_));
  // In the list first, then a look: whatever is stored from now on wakes it.
  const std::shared_ptr<LiveFeed> live = directory_.find(news.workspace, news.name);
  bool is_news = live ? live->head() > news.seen || live->version() != news.version : news.version != 0;
  bool is_gone = false;
  if (!is_news && !stopping_) {
    const auto leave = [&waiting, &is_gone] {
      is_gone = true;
      waiting.timer.expires_at(Ticks::min());  // ends the wait, also where it has not begun
    };
    if (reader != nullptr) reader->watch(leave);
    const auto [error] = co_await waiting.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (reader != nullptr) reader->unwatch();
    is_news = error == asio::error::operation_aborted;
  }
  --waiting_;
  gauge_.set(static_cast<double>(waiting_));
  // Whoever waits keeps the topic and the feed in their maps, which never move what they hold.
  waiting.in_topic.unlink();
  room.leave(name, feed, topic);
  if (stopping_) co_return End::kStopped;
  if (waiting.is_dismissed) co_return End::kEarly;
  if (is_gone) co_return End::kGone;
  co_return is_news ? End::kNews : End::kTime;
}

std::shared_ptr<const void> WaitingRoom::count_stream() {
  streams_.add(1);
  return {this, [](const WaitingRoom* room) { room->streams_.add(-1); }};
}

void WaitingRoom::moved(const std::vector<Advance>& advances) {
  if (waiting_ == 0) return;
  for (const Advance& advance : advances) {
    // One that is not known any more has been deleted, and 0 means all.
    const std::shared_ptr<LiveFeed> feed = directory_.find(advance.feed);
    tell(feed ? full_name(feed->facts().workspace, feed->facts().name) : kAll);
  }
}

void WaitingRoom::tell(const std::string& feed) {
  std::vector<std::shared_ptr<Room>> rooms;
  {
    const std::lock_guard lock(mutex_);
    rooms = rooms_;
  }
  for (const std::shared_ptr<Room>& room : rooms) room->tell(feed);
}

void WaitingRoom::stop() {
  stopping_ = true;
  std::vector<std::shared_ptr<Room>> rooms;
  {
    const std::lock_guard lock(mutex_);
    rooms = rooms_;
  }
  for (const std::shared_ptr<Room>& room : rooms) {
    asio::post(room->executor, [room] {
      for (auto& [name, feed] : room->feeds) {
        room->wake(feed.everything, kBeyondAll);
        for (auto& [key, topic] : feed.filtered) room->wake(topic, kBeyondAll);
      }
    });
  }
}

}  // namespace courant::feeds
