// Who has used the server how much: counted by identity and workspace, told in the feed _courant/usage.
// What is counted is bounded: beyond kMostCounted all others share one count, and beyond kMostUrls other signed URLs
// do, which somebody may make for each click: they push out no token.
// Threads: any. The lock is held when a thread meets somebody for the first time, and for a report.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "http/spending.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::server {

class Usage {
 public:
  struct Counts {
    std::array<std::atomic<std::int64_t>, http::kUses> used{};
    std::atomic<std::int64_t> refused{0};  // requests that were too much
    std::atomic<std::int64_t> sent{0};     // bytes of answers, without their heads, streams and media
  };

  static constexpr std::size_t kMostCounted = 10'000;
  static constexpr std::size_t kMostUrls = 1'000;

  // process: which of several counts. every: how often a report is due; 0: never.
  Usage(std::string process, std::chrono::seconds every, const Clock& clock);

  // Lives as long as this.
  Counts& of(std::string_view identity, std::string_view workspace);

  // Notes what was used since the last report, where one is due; is_last: in any case. Reports end with full hours,
  // or whatever `every` says. Throws what sql/ throws; what was counted is then in the next one.
  void report(sql::Session& session, bool is_last);

 private:
  using Key = std::pair<std::string, std::string>;

  Instant next_after(Instant now) const;

  const std::string process_;
  const std::chrono::seconds every_;
  const Clock& clock_;
  const std::uint64_t number_;  // of this among all of the process
  std::mutex mutex_;
  std::map<Key, std::unique_ptr<Counts>> counts_;  // guarded by mutex_; nothing is taken out
  std::size_t urls_ = 0;                           // guarded by mutex_: how many of them are of signed URLs
  Instant from_;                                   // the thread's that reports
  Instant due_;
};

}  // namespace courant::server
