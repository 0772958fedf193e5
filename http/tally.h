// What an io thread counts for itself: numbers that no other thread touches, added to the metrics with each sweep, so
// that answering a request shares nothing with other threads and, for a series that was met before, allocates nothing.
// Threads: its io thread's own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/message.h"
#include "kernel/metrics.h"

namespace courant::http {

class Tally {
 public:
  // Durations on their way into a histogram.
  struct Times {
    Times(Histogram& the_histogram, const std::vector<double>& the_bounds);
    void add(std::chrono::nanoseconds time);
    void add_at_once() { ++counts.front(), is_new = true; }
    void flush();

    Histogram& histogram;
    const std::vector<double>& bounds;
    std::vector<double> counts;  // by bound
    double sum = 0;
    bool is_new = false;
  };
  // Of a route, a method and a class of statuses: as many as there are routes, whatever clients ask for.
  struct Series {
    Counter& counter;
    Times& times;
    std::uint64_t count = 0;  // that the counter does not know of yet
  };

  explicit Tally(Metrics& metrics);

  // The series of a request; valid as long as the tally. The route's characters must live as long as the server, and
  // the same route must be at the same address each time: a router's patterns are.
  Series& series(std::string_view route, Method method, int status);

  // An answer that is given again counts as one that took no time: no clock is read for it.
  void count_known(Series& series) {
    ++series.count;
    ++known_;
    series.times.add_at_once();
  }
  static void count(Series& series, std::chrono::nanoseconds time) {
    ++series.count;
    series.times.add(time);
  }
  // Of a request that was kept waiting for news on its client's wish: that says nothing of how quick the server is.
  void count_waited(Series& series, std::chrono::nanoseconds time);

  std::uint64_t received = 0;  // bytes, with all that belongs to the protocol
  std::uint64_t sent = 0;
  std::int64_t streams = 0;  // of HTTP/2 begun, less those that ended

  // Adds everything to the metrics and begins at nothing.
  void flush();

 private:
  struct Key {
    const char* route;
    Method method;
    int status_class;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<const char*>{}(key.route) * 64 + static_cast<std::size_t>(key.method) * 8 +
             static_cast<std::size_t>(key.status_class);
    }
  };
  Times& times_of(std::string_view route);

  Metrics& metrics_;
  Counter& received_;
  Counter& sent_;
  Gauge& streams_;
  Counter& given_again_;
  std::uint64_t known_ = 0;  // that the counter does not know of yet
  Times waited_;
  std::unordered_map<const char*, std::unique_ptr<Times>> times_;
  std::unordered_map<Key, std::unique_ptr<Series>, Hash> series_;
};

}  // namespace courant::http
