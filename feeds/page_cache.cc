#include "feeds/page_cache.h"

#include "sql/until_called.h"

namespace courant::feeds {
namespace {

constexpr std::size_t kSeen = 8192;
constexpr std::size_t kNearby = 256;

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

// Where the thread has found a page; two keys that meet in one place displace each other. What the cache drops is gone
// from here, too, when nobody sends it any more.
struct Nearby {
  std::uint64_t cache = 0;
  std::string key;
  std::weak_ptr<const ReadyPage> page;
};

Nearby& nearby(const std::string& key) {
  thread_local std::vector<Nearby> places(kNearby);
  return places[std::hash<std::string>{}(key) % kNearby];
}

}  // namespace

std::string page_key(FeedKey feed) {
  return std::to_string(feed.lane) + "." + std::to_string(feed.feed) + "\n";
}

PageCache::PageCache(std::uint64_t most_bytes, sql::Executor& executor, Metrics& metrics)
    : number_(next_number()),
      most_bytes_(most_bytes),
      executor_(executor),
      hits_(metrics.counter("courant_page_cache_hits_total", "Pages that were in memory when they were asked for")),
      misses_(metrics.counter("courant_page_cache_misses_total", "Pages that had to be made")),
      evictions_(metrics.counter("courant_page_cache_evictions_total", "Pages dropped since cache.bytes was reached")),
      held_(metrics.gauge("courant_page_cache_bytes", "Bytes of the pages in memory")),
      pages_(metrics.gauge("courant_page_cache_pages", "Pages in memory")),
      seen_(kSeen) {}

PageCache::Page PageCache::find(const std::string& key, const LiveFeed& feed) {
  Nearby& known = nearby(key);
  const bool is_known = known.cache == number_ && known.key == key;
  Page page = is_known ? known.page.lock() : nullptr;
  if (page && page->holds(feed)) {
    ReadyPage::mark(page->use());
  } else {
    page = find_for_all(key, feed);
    if (!page) return nullptr;
    known = {number_, key, page};
  }
  hits_.add();
  return page;
}

PageCache::Page PageCache::find_for_all(const std::string& key, const LiveFeed& feed) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || !found->second->page->holds(feed)) return nullptr;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->page;
}

http::Task<PageCache::Page> PageCache::get(std::string key, std::shared_ptr<LiveFeed> feed, bool is_canonical,
                                           Make make) {
  if (Page page = find(key, *feed)) co_return page;
  // Who knows more of the feed than whoever makes the page now did at its beginning begins anew.
  const std::int64_t head = feed->head();
  const std::uint64_t version = feed->version();
  std::shared_ptr<Flight> flight;
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Flight>& under_way = flights_[key];
    is_first = !under_way || under_way->head != head || under_way->version != version;
    if (is_first) {
      under_way = std::make_shared<Flight>();
      under_way->head = head;
      under_way->version = version;
    }
    flight = under_way;
  }
  if (is_first) {
    Page page = co_await make_page(key, feed, is_canonical, std::move(make), flight);
    co_return page;
  }
  co_await wait_for(flight);
  if (flight->error) std::rethrow_exception(flight->error);
  co_return flight->page;
}

http::Task<PageCache::Page> PageCache::make_page(std::string key, std::shared_ptr<LiveFeed> feed, bool is_canonical,
                                                 Make make, std::shared_ptr<Flight> flight) {
  misses_.add();
  try {
    const auto work = [&make](sql::Session& session) { return std::make_shared<const ReadyPage>(make(session)); };
    std::shared_ptr<const ReadyPage> made = co_await executor_.run(work);
    flight->page = std::move(made);
    // A page of before a restore says nothing of where the log stands now.
    const bool is_of_now = flight->page->version() == feed->version();
    if (is_of_now && flight->page->head()) feed->advance(*flight->page->head());
  } catch (...) {
    flight->error = std::current_exception();
  }
  std::vector<std::function<void()>> waiting;
  std::vector<Page> dropped;  // destroyed outside the lock
  {
    const std::lock_guard lock(mutex_);
    flight->is_over = true;
    waiting.swap(flight->waiting);
    if (const auto found = flights_.find(key); found != flights_.end() && found->second == flight) {
      flights_.erase(found);
    }
    // One that was slow may be out of date already, and another in its place.
    const bool is_wanted = is_canonical || is_seen_again(key);
    if (is_wanted && flight->page && flight->page->holds(*feed)) keep(key, flight->page, dropped);
  }
  for (const std::function<void()>& resume : waiting) resume();
  if (flight->error) std::rethrow_exception(flight->error);
  co_return flight->page;
}

void PageCache::make_for_later(std::string key, std::shared_ptr<const LiveFeed> feed, Make make) {
  using SteadyClock = std::chrono::steady_clock;
  if (!spare_time_.take(SteadyClock::now())) return;
  const auto work = [this, key = std::move(key), feed = std::move(feed),
                     make = std::move(make)](sql::Session& session) {
    const Ticks began = SteadyClock::now();
    misses_.add();
    try {
      const Page page = std::make_shared<const ReadyPage>(make(session));
      std::vector<Page> dropped;  // destroyed outside the lock
      const std::lock_guard lock(mutex_);
      if (page->holds(*feed)) keep(key, page, dropped);
    } catch (...) {
      // Whoever asks for it has it made again, and is told.
    }
    spare_time_.give_back(began, SteadyClock::now());
  };
  const auto give_up = [this](const std::exception_ptr&) {
    const Ticks now = SteadyClock::now();
    spare_time_.give_back(now, now);
  };
  if (!executor_.submit(work, give_up)) give_up(nullptr);
}

http::Task<void> PageCache::wait_for(std::shared_ptr<Flight> flight) {
  const auto start = [this, flight](auto call) {
    {
      const std::lock_guard lock(mutex_);
      if (!flight->is_over) {
        flight->waiting.push_back(call);
        return;
      }
    }
    call();
  };
  co_await sql::until_called(start);
}

std::size_t PageCache::bytes_of(const Kept& kept) {
  return kept.page->bytes() + kept.key.size() + sizeof(Kept) + 128;  // with the nodes that hold it
}

// Called with the lock held, as those below.
bool PageCache::is_seen_again(const std::string& key) {
  const std::size_t hash = std::hash<std::string>{}(key);
  return std::exchange(seen_[hash % kSeen], hash) == hash;
}

void PageCache::keep(const std::string& key, const Page& page, std::vector<Page>& dropped) {
  if (page->bytes() + key.size() > most_bytes_) return;
  if (const auto found = by_key_.find(key); found != by_key_.end()) drop(found->second, dropped);
  kept_.push_front({key, page});
  by_key_.emplace(kept_.front().key, kept_.begin());
  bytes_ += bytes_of(kept_.front());
  // One that was used since it came to the end, without anybody having asked for it here, is as good as new. Each once:
  // they are used meanwhile.
  std::size_t chances = kept_.size();
  while (bytes_ > most_bytes_) {
    const auto last = std::prev(kept_.end());
    if (chances > 0 && last->page->use()->exchange(false, std::memory_order_relaxed)) {
      --chances;
      kept_.splice(kept_.begin(), kept_, last);
      continue;
    }
    drop(last, dropped);
    evictions_.add();
  }
  held_.set(static_cast<double>(bytes_));
  pages_.set(static_cast<double>(by_key_.size()));
}

void PageCache::drop(std::list<Kept>::iterator kept, std::vector<Page>& dropped) {
  bytes_ -= bytes_of(*kept);
  by_key_.erase(kept->key);
  dropped.push_back(std::move(kept->page));
  kept_.erase(kept);
}

}  // namespace courant::feeds
