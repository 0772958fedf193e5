// What the processes of a crowd tell each other: one piece of shared memory, made before they are forked.
// Threads: one in each process; everything is atomic.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace courant::bench {

using Nanoseconds = std::int64_t;  // of the steady clock, which all processes of a machine share

inline Nanoseconds now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr Nanoseconds kMicrosecond = 1'000;
constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kSecond = 1'000'000'000;

// How often each latency was seen, by microseconds: exact, and nothing is to be sorted or brought together.
class Latencies {
 public:
  void add(Nanoseconds latency) {
    const auto slot = static_cast<std::size_t>(std::max<Nanoseconds>(latency, 0) / kMicrosecond);
    ++counts_[std::min(slot, counts_.size() - 1)];
    Nanoseconds most = most_;
    while (most < latency && !most_.compare_exchange_weak(most, latency)) continue;
  }

  // share: 0.99 for the one that 99 of 100 do not exceed.
  double percentile_ms(double share) const {
    std::int64_t all = 0;
    for (const auto& count : counts_) all += count;
    std::int64_t rest = static_cast<std::int64_t>(share * static_cast<double>(all));
    for (std::size_t slot = 0; slot < counts_.size(); ++slot) {
      rest -= counts_[slot];
      if (rest < 0) return static_cast<double>(slot) / 1000;
    }
    return most_ms();
  }

  double most_ms() const { return static_cast<double>(most_) / kMillisecond; }

 private:
  std::array<std::atomic<std::uint32_t>, 10'000'000> counts_;  // pages that are not touched cost nothing
  std::atomic<Nanoseconds> most_;
};

// Comes as zeros from the system.
struct Board {
  std::atomic<std::int64_t> opened;      // connections that stand, with TLS where it is wanted
  std::atomic<std::int64_t> parked;      // long polls that wait
  std::atomic<std::int64_t> ended;       // whose time was up, and which wait again
  std::atomic<std::int64_t> answered;    // with what was expected
  std::atomic<std::int64_t> lost;        // connections that could not be made, or that the server closed
  std::atomic<std::int64_t> unexpected;  // other answers
  std::atomic<std::int64_t> unresumed;   // connections whose session was to go on and did not
  std::atomic<int> last_unexpected;      // the status of the last of them
  std::atomic<Nanoseconds> published_at;
  std::atomic<Nanoseconds> begin_at, end_at;  // when requests or connections are due
  std::atomic<Nanoseconds> most_late;         // by so much this program itself was late with a request
  std::atomic<int> finished;                  // processes that have nothing more to do
  std::atomic<bool> is_over;
  Latencies latencies;

  std::int64_t errors() const { return lost + unexpected + unresumed; }
  void note_unexpected(int status) {
    ++unexpected;
    last_unexpected = status;
  }
};

}  // namespace courant::bench
