// When what a URL shows was last modified: a validator for clients that keep no entity tags. It has seconds, in which
// much can happen, so it is told only of what has settled: then no change can come any more that has the same second.
// Specification: RFC 9110 sections 8.8.2 and 13.1.3; docs/API.md ("Reading").
// Threads: plain values.
#pragma once

#include <chrono>

#include "http/message.h"
#include "kernel/time.h"

namespace courant::feeds {

// A change is seen later than its time says: `recorded` is at most 20 seconds old when an entry is stored (publish.sql
// sees to that), its transaction takes at most 30 seconds (sql::DatabaseOptions), and a server hears of it within two.
inline constexpr std::chrono::seconds kSettledAfter{60};

// Both by the database's clock, which all servers share.
struct Modified {
  Instant time;
  Instant now;  // when it was read
};

class LastModified {
 public:
  // ticks: when it was read.
  LastModified(const Modified& modified, Ticks ticks)
      : time_(modified.time), settled_(ticks + kSettledAfter - (modified.now - modified.time)) {}

  // From then on it is told.
  Ticks settled() const { return settled_; }

  // Whether it has been told to the client, who has what was modified then. Never true of a request that names entity
  // tags: these are judged in its place.
  bool is_known(const http::Request& request, Ticks now) const;

  // Adds the field, once it has settled.
  void tell(http::Response& response, Ticks now) const;

 private:
  Instant time_;
  Ticks settled_;
};

}  // namespace courant::feeds
