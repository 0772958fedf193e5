// When the next document may be sent to a subscriber who wants them not too often.
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "hub/subscription.h"
#include "kernel/time.h"

namespace courant::hub {

class DocumentPace {
 public:
  // For one who stands at `cursor` while its topic goes to `head`, which is beyond. What is new then begins to be
  // gathered, and at the end of that time all of it is let through, in however many documents.
  Ticks next(const Wishes& wishes, std::int64_t cursor, std::int64_t head, Ticks now) {
    Ticks next = now;
    if (wishes.gather.count() == 0) {
      gathers_until_.reset();
    } else if (cursor >= gathered_) {
      if (!gathers_until_) gathers_until_ = now + wishes.gather;
      if (*gathers_until_ > now) {
        next = *gathers_until_;
      } else {
        gathered_ = head;
        gathers_until_.reset();
      }
    }
    if (wishes.documents_per_minute > 0 && last_sent_) {
      next = std::max(next, *last_sent_ + Ticks::duration(std::chrono::minutes(1)) / wishes.documents_per_minute);
    }
    return next;
  }

  void sent(Ticks now) { last_sent_ = now; }

 private:
  std::int64_t gathered_ = 0;           // what stands up to there is let through
  std::optional<Ticks> gathers_until_;  // what stands beyond it
  std::optional<Ticks> last_sent_;
};

}  // namespace courant::hub
