// What became of a subscription's deliveries, for the owner of its callback: the last success and the last failures.
// It stands with the cursor, in memory and in PostgreSQL, and never grows beyond a bound.
// Threads: plain values; pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client.h"
#include "kernel/time.h"

namespace courant::hub {

// One attempt to deliver a document.
struct Attempt {
  Instant ended;
  int status = 0;                        // of the answer; 0: none came
  std::chrono::milliseconds latency{0};  // from the lookup of the name to the end
  std::string error;                     // why it failed, in words (error_of); empty: the callback took the document
  std::int64_t bytes = 0;                // of the document
  std::int64_t from = 0;                 // its Feed-Position-Previous
  std::int64_t to = 0;                   // its Feed-Position

  bool has_succeeded() const { return error.empty(); }
  bool operator==(const Attempt&) const = default;
};

// Why a delivery that was answered so has failed; empty: it has not. Holds only what the owner of the callback may
// know: no address, no text of the peer or of a library. Those stand in the log.
std::string error_of(const http::ClientReply& reply);

class DeliveryRecord {
 public:
  static constexpr std::size_t kFailuresKept = 10;

  // Attempts come in the order in which they ended.
  void add(Attempt attempt);

  const std::optional<Attempt>& last_success() const { return last_success_; }
  const std::vector<Attempt>& failures() const { return failures_; }  // oldest first
  // Why the last delivery failed; null: the last one did not. Tests, which deliver nothing, do not count.
  const Attempt* last_failure() const;

  // {"last_success": {...}, "failures": [{"ended", "status", "latency_ms", "error", "bytes", "from", "to"}, ...]}
  std::string to_json() const;
  // What cannot be read is left out: a record is no reason to deliver nothing.
  static DeliveryRecord from_json(std::string_view text);

  bool operator==(const DeliveryRecord&) const = default;

 private:
  std::optional<Attempt> last_success_;
  std::vector<Attempt> failures_;
};

}  // namespace courant::hub
