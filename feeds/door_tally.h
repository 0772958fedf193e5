// Counts what is refused at the door and why, and how long schemas and stylesheets take. Metrics:
// courant_door_refused_total, courant_door_seconds, courant_form_seconds, courant_stylesheet_failures_total; see
// docs/METRICS.md. Entries that pass the door of a feed that asks for nothing cost nothing.
// Threads: any.
#pragma once

#include <array>
#include <chrono>

#include "kernel/metrics.h"
#include "xslt/stylesheet.h"

namespace courant::feeds {

// Why something that was published is not stored.
enum class Refusal {
  kXml,         // it is not well-formed, or has what the strict door excludes
  kEvent,       // it is no CloudEvent
  kAtom,        // a rule of Atom, or of this server about entries
  kGrammar,     // one of the feed's schemas
  kAssertion,   // one of its assertions
  kCategory,    // a category that only the feed gives
  kStylesheet,  // its stylesheet, with a message
  kResult,      // what its stylesheet makes of the entry
  kBound,       // the stylesheet was stopped at a bound, or judging a batch was
  kFailure,     // the stylesheet went wrong
};
inline constexpr std::size_t kRefusals = 10;

// What takes time.
enum class DoorStep { kSchema, kAssertions, kStylesheet };

class DoorTally {
 public:
  explicit DoorTally(Metrics& metrics);

  void refused(Refusal why) const { refused_[static_cast<std::size_t>(why)]->add(); }

  // What `work` returns (not void), or what it throws; how long it took is counted.
  template <class Work>
  auto timed(DoorStep step, Work work) const {
    const Timer timer(*steps_[static_cast<std::size_t>(step)]);
    return work();
  }
  template <class Work>
  auto timed_form(Work work) const {
    const Timer timer(*form_);
    return work();
  }

  // How a stylesheet ended, of a door or of a further form.
  enum class Of { kDoor, kForm };
  void ended(Of of, xslt::Transformation::End end) const;

 private:
  class Timer {
   public:
    explicit Timer(Histogram& histogram) : histogram_(histogram) {}
    ~Timer() { histogram_.observe(std::chrono::duration<double>(Ticking::now() - begun_).count()); }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    using Ticking = std::chrono::steady_clock;
    Histogram& histogram_;
    const Ticking::time_point begun_ = Ticking::now();
  };

  std::array<Counter*, kRefusals> refused_{};
  std::array<Histogram*, 3> steps_{};
  Histogram* form_;
  std::array<std::array<Counter*, 2>, 2> failures_{};  // by Of; stopped, broken
};

}  // namespace courant::feeds
