// Brings the configured workspaces and feeds into the database, where their settings live with a revision.
// Threads: a database thread, before the engine is made.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "feeds/settings.h"
#include "kernel/result.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::feeds {

struct ConfiguredFeed {
  std::string name;
  std::int64_t page_size = 25;
  FeedSettings settings;
};

struct ConfiguredWorkspace {
  std::string name;
  WorkspaceSettings settings;
  std::vector<ConfiguredFeed> feeds;
  bool says_read = true;  // false: a file that leaves it out opens nothing that is private
};

struct Configured {
  std::map<std::string, WorkspaceSettings, std::less<>> workspaces;  // all that the database knows
  std::vector<std::string> notices;                                  // sentences: where what is stored won
  std::set<std::int64_t> lanes;  // whose journals tell servers of what has changed: hints may be sent for them
};

// Called in that transaction: of what is configured what was stored before, and what is now; not where the database
// knew of no workspace at all.
using ConfigureTold =
    std::function<void(const std::vector<ConfiguredWorkspace>& before, const std::vector<ConfiguredWorkspace>& after)>;

// Makes and updates what differs, in one transaction; deletes nothing. What is stored from a source newer than
// source_time stays as it is, which a notice says. The journal
// tells other servers of what has changed. A fault: a setting was to change that cannot (page_size).
Result<Configured> configure(sql::Session& session, std::int64_t lanes,
                             const std::vector<ConfiguredWorkspace>& workspaces, Instant source_time, Instant now,
                             const ConfigureTold& told = {});

}  // namespace courant::feeds
