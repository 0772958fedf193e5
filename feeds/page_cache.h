// Pages in memory, bounded in bytes: the least recently used goes first, as far as it was not used by answers that were
// given again (http/answer_memo.h) since. A page is made once for all who ask for it at
// the same time. One that is asked for the first time is kept only where it is canonical: who asks for ever other
// markers, limits and searches cannot wash out what everybody reads.
// Threads: any io thread; making runs on database threads. The lock is held for look-ups alone, and a thread that asks
// for the same again takes none.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "feeds/ready_page.h"
#include "feeds/spare_time.h"
#include "http/task.h"
#include "kernel/metrics.h"
#include "sql/executor.h"

namespace courant::feeds {

// What the keys of a feed's pages begin with.
std::string page_key(FeedKey feed);

class PageCache {
 public:
  using Page = std::shared_ptr<const ReadyPage>;
  using Make = std::function<ReadyPage(sql::Session&)>;

  // most_bytes: of all pages together; 0 keeps none.
  PageCache(std::uint64_t most_bytes, sql::Executor& executor, Metrics& metrics);

  // From now on at most so many bytes; what is beyond goes when the next page is kept.
  void change(std::uint64_t most_bytes) { most_bytes_ = most_bytes; }

  // The page under the key, where there is one that holds; null: there is none.
  Page find(const std::string& key, const LiveFeed& feed);

  // The same, else what `make` makes. Throws what make throws, to each who waits for it, and Problem 503.
  http::Task<Page> get(std::string key, std::shared_ptr<LiveFeed> feed, bool is_canonical, Make make);

  // Has it made for those who come later, where there is time to spare; nobody waits for it.
  void make_for_later(std::string key, std::shared_ptr<const LiveFeed> feed, Make make);

 private:
  // A page that is being made.
  struct Flight {
    std::int64_t head = 0;  // what was known of the feed when it began
    std::uint64_t version = 0;
    bool is_over = false;
    Page page;  // null: it failed
    std::exception_ptr error;
    std::vector<std::function<void()>> waiting;
  };
  struct Kept {
    std::string key;
    Page page;
  };

  http::Task<Page> make_page(std::string key, std::shared_ptr<LiveFeed> feed, bool is_canonical, Make make,
                             std::shared_ptr<Flight> flight);
  http::Task<void> wait_for(std::shared_ptr<Flight> flight);
  Page find_for_all(const std::string& key, const LiveFeed& feed);
  static std::size_t bytes_of(const Kept& kept);
  bool is_seen_again(const std::string& key);
  void keep(const std::string& key, const Page& page, std::vector<Page>& dropped);
  void drop(std::list<Kept>::iterator kept, std::vector<Page>& dropped);

  const std::uint64_t number_;  // of this cache, which no other has had
  std::atomic<std::uint64_t> most_bytes_;
  sql::Executor& executor_;
  Counter& hits_;
  Counter& misses_;
  Counter& evictions_;
  Gauge& held_;
  Gauge& pages_;
  SpareTime spare_time_;  // for make_for_later

  std::mutex mutex_;      // guards everything below, and the flights
  std::list<Kept> kept_;  // the most recently used first
  std::unordered_map<std::string_view, std::list<Kept>::iterator> by_key_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
  std::uint64_t bytes_ = 0;
  std::vector<std::size_t> seen_;  // hashes of keys that were asked for, each in its place
};

}  // namespace courant::feeds
