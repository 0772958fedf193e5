// A subscription as the dispatcher holds it: beside what the database knows of it, what it is about.
// Threads: the hub's loop.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "hub/document_pace.h"
#include "hub/subscription.h"
#include "kernel/time.h"

namespace courant::hub {

// It has everything, waits for its turn, is being sent a document, waits after a failure, or until its callback's host
// can be reached.
enum class Phase { kIdle, kWaiting, kDelivering, kResting, kParked };
inline constexpr std::array kPhases = {Phase::kIdle, Phase::kWaiting, Phase::kDelivering, Phase::kResting,
                                       Phase::kParked};

// "caught_up", "waiting", "delivering", "resting", "unreachable".
constexpr std::string_view name_of(Phase phase) {
  constexpr std::array<std::string_view, kPhases.size()> kNames = {"caught_up", "waiting", "delivering", "resting",
                                                                   "unreachable"};
  return kNames[static_cast<std::size_t>(phase)];
}

// The first document for one that is far behind; the next ones are twice as long each, up to the limit.
inline constexpr std::int64_t kFirstBytes = 256 << 10;

struct Live : Subscription, std::enable_shared_from_this<Live> {
  Phase phase = Phase::kIdle;
  bool is_gone = false;             // ended, or another process's now
  bool is_held = false;             // nothing is begun
  bool was_told_when = false;       // rests because its callback said for how long
  bool is_held_for_secret = false;  // rests because its secret cannot be read
  bool is_unsaved = false;          // hub/write_back.h
  std::size_t busy_place = 0;       // hub/phases.h
  Ticks rests_until{};
  std::int64_t most_bytes = kFirstBytes;  // of its next document
  DocumentPace pace;
};
using LivePtr = std::shared_ptr<Live>;

// Whether bytes of its next range may have been sent: it comes as it was.
inline bool is_frozen(const Subscription& subscription) {
  return subscription.frozen > subscription.cursor;
}

// Who says what comes next.
class Waker {
 public:
  // Of one that is idle: it may have something to get.
  virtual void wake(const LivePtr& live) = 0;
  // Those that wait may have their turn. After wake(), which does not see to that.
  virtual void pump() = 0;

 protected:
  ~Waker() = default;
};

}  // namespace courant::hub
