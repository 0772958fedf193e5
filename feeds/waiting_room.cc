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

#include "feeds/queries.h"

namespace courant::feeds {
namespace {

namespace asio = boost::asio;
namespace intrusive = boost::intrusive;

constexpr const char* kAll = "";                // no feed has this name
constexpr std::int64_t kEntriesPerLook = 1000;  // that are held against filters
constexpr int kPortion = 64;                    // readers woken before those are served

// An entry as filters see it.
struct Terms {
  std::int64_t position = 0;
  std::vector<std::string> terms;
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
  std::optional<Filter> filter;
  Reader::List<&Reader::in_topic> readers;
};

// What one io thread keeps. All but `moved` and `is_told` is the thread's own.
struct WaitingRoom::Room : std::enable_shared_from_this<Room> {
  struct Feed {
    std::map<std::string, Topic> topics;  // by the filter's canonical form; "" for none
    std::int64_t looked = 0;              // entries up to here have been held against the filters
    bool is_looking = false;
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
    bool has_filters = false;
    for (auto& [key, topic] : feed.topics) {
      wake(topic, key.empty() && live ? live->head() : 0, version);
      has_filters = has_filters || !key.empty();
    }
    if (!has_filters || !live || live->head() <= feed.looked) return;
    feed.is_to_look_again = true;
    if (!std::exchange(feed.is_looking, true)) asio::co_spawn(executor, look(shared_from_this(), name), asio::detached);
  }

  std::shared_ptr<LiveFeed> find(const std::string& name) const {
    const std::size_t slash = name.find('/');
    return directory.find(name.substr(0, slash), name.substr(slash + 1));
  }

  // Holds what is new in a feed against the filters that are waited on, until there is nothing new.
  static http::Task<void> look(std::shared_ptr<Room> self, std::string name) {
    bool goes_on = true;
    while (goes_on) {
      const auto begun = self->feeds.find(name);
      if (begun == self->feeds.end()) co_return;
      begun->second.is_to_look_again = false;
      const std::int64_t looked = begun->second.looked;
      std::vector<Terms> news;
      bool has_failed = false;
      try {
        const auto read = [self, name, looked](sql::Session& session) {
          return self->read_terms(session, name, looked);
        };
        news = co_await self->database.run(read);
      } catch (const std::exception&) {
        has_failed = true;
      }
      const auto found = self->feeds.find(name);
      if (found == self->feeds.end()) co_return;
      Feed& feed = found->second;
      for (auto& [key, topic] : feed.topics) {
        if (has_failed) self->wake(topic, INT64_MAX);  // they look for themselves
        if (key.empty()) continue;
        const auto match = std::find_if(news.rbegin(), news.rend(), [&filter = *topic.filter](const Terms& entry) {
          return filter.matches(entry.terms);
        });
        if (match != news.rend()) self->wake(topic, match->position);
      }
      // Somebody may have come meanwhile who has seen less: then once more from there.
      const bool is_behind = feed.looked < looked;
      if (!news.empty() && !is_behind) feed.looked = std::max(feed.looked, news.back().position);
      goes_on = !has_failed && (is_behind || feed.is_to_look_again || news.size() == kEntriesPerLook);
      if (!goes_on) feed.is_looking = false;
    }
  }

  std::vector<Terms> read_terms(sql::Session& session, const std::string& name, std::int64_t after) const {
    const std::shared_ptr<LiveFeed> feed = find(name);
    std::vector<Terms> terms;
    if (!feed) return terms;
    const FeedKey key = feed->facts().key;
    const sql::Rows rows =
        session.run(queries::read_terms, sql::Parameters().add(key.lane).add(key.feed).add(after).add(kEntriesPerLook));
    for (int i = 0; i < rows.size(); ++i) terms.push_back({rows[i].integer(0), rows[i].texts(1)});
    return terms;
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
  const std::string key = news.filter ? news.filter->canonical() : "";
  if (waiting_ >= most_ || (!feed.topics.contains(key) && feed.topics.size() >= most_filters_)) {
    if (feed.topics.empty()) room.feeds.erase(name);
    early_.add();
    co_return End::kEarly;
  }
  if (is_pressed() && room.dismiss_longest()) early_.add();
  Reader waiting{asio::steady_timer(executor, until), news.seen, news.version};
  const bool is_first_filter = news.filter && feed.topics.size() == (feed.topics.contains("") ? 1 : 0);
  if (is_first_filter && !feed.is_looking) feed.looked = news.seen;
  feed.looked = std::min(feed.looked, news.filter ? news.seen : feed.looked);
  Topic& topic = feed.topics[key];
  topic.filter = news.filter;
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
  if (topic.readers.empty()) feed.topics.erase(key);
  if (feed.topics.empty()) room.feeds.erase(name);
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
        for (auto& [key, topic] : feed.topics) room->wake(topic, INT64_MAX);
      }
    });
  }
}

}  // namespace courant::feeds
