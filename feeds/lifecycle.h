// What a feed lives through beside publishing; each call is one transaction (sql/functions/), and writes a row of the
// journal by which servers notice.
// Threads: database threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/directory.h"

namespace courant::feeds {

struct Redaction {
  enum class Outcome { kDone = 1, kNotFound = 2, kDoneBefore = 3 };
  Outcome outcome = Outcome::kNotFound;
  std::int64_t record = 0;                // the position of the tombstone that says so
  std::vector<std::int64_t> erased = {};  // positions whose content was erased now
};

// Erases the content of every revision of an entry; leaves and chain stay. docs/AUDIT.md says how this is seen. On the
// disk it is until clear_erased(), which the janitor sees to.
Redaction redact(sql::Session& session, FeedKey feed, std::string_view id, Instant now);

// Has PostgreSQL overwrite the dead rows that hold what redactions have erased, which may take long; outside of a
// transaction. False: there is nothing of that kind. Where it throws it is still to be done.
bool clear_erased(sql::Session& session);

// Deletes a feed. idle_since: only where nothing has been stored since. False: there is no such feed, or it is not
// idle.
bool delete_feed(sql::Session& session, std::int64_t lane, std::string_view workspace, std::string_view name,
                 std::optional<Instant> idle_since, Instant now);

// A feed that has no entries yet can take history that another server stored from `since` on.
void begin_earlier(sql::Session& session, FeedKey feed, Instant since);

struct Generation {
  std::int64_t number = 1;     // that is now
  bool is_begun_here = false;  // by this call: it was another before
};

// After `known` the log begins a new generation; once, whoever calls. In a transaction with what tells of it.
Generation begin_generation(sql::Session& session, std::int64_t known, Instant now);
std::int64_t read_generation(sql::Session& session);

// A server begins: where the one before it rendered entries to other bytes, all that is shown is modified now.
void adopt_renderer(sql::Session& session);

}  // namespace courant::feeds
